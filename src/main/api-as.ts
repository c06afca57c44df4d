/** Clients of the API server that ask as a ServiceAccount, by tokens that are asked for anew before they end. */
import type { AccountToken } from "../client/account-token.ts";
import { createHttpClient } from "../client/http-client.ts";
import type { ConnectionConfig } from "../client/kubeconfig.ts";
import type { ApiAs } from "../events/sources/source-reader.ts";

export interface ApiAsDeps {
  /** Where the API server is; who asks is left out. */
  readonly server: () => Pick<
    ConnectionConfig,
    "server" | "ca" | "tlsServerName" | "insecureSkipTlsVerify" | "proxyUrl"
  >;
  /** A token for the API server itself. */
  issue(account: { readonly namespace: string; readonly name: string }): Promise<AccountToken>;
  readonly userAgent: string;
}

export function createApiAs({ server, issue, userAgent }: ApiAsDeps): ApiAs {
  return (account) => {
    const renew = async (): Promise<{ readonly value: string; readonly expiresAtMs: number }> => {
      const { token, expiresAtMs } = await issue(account);
      return { value: token, expiresAtMs };
    };
    const { server: url, ca, tlsServerName, insecureSkipTlsVerify, proxyUrl } = server();
    const client = createHttpClient(
      {
        server: url,
        namespace: account.namespace,
        ...(ca === undefined ? {} : { ca }),
        ...(tlsServerName === undefined ? {} : { tlsServerName }),
        ...(insecureSkipTlsVerify === undefined ? {} : { insecureSkipTlsVerify }),
        ...(proxyUrl === undefined ? {} : { proxyUrl }),
        // None yet: the first request asks for one.
        token: { value: "", expiresAtMs: 0 },
        renewal: { renew },
      },
      { userAgent },
    );
    return { client, close: () => client.close() };
  };
}
