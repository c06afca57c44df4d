import { resolve } from "node:path";
import {
  fileToken,
  runExecPlugin,
  type ExecCluster,
  type ExecCredential,
  type ExecPlugin,
  type Token,
} from "./credentials.ts";
import { KubeconfigError, textOf } from "./kubeconfig-error.ts";

/** A user of a kubeconfig (client-go's AuthInfo). */
export interface User {
  readonly token?: string;
  readonly tokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly "client-certificate"?: string;
  readonly "client-certificate-data"?: string;
  readonly "client-key"?: string;
  readonly "client-key-data"?: string;
  readonly as?: string;
  readonly "as-uid"?: string;
  readonly "as-groups"?: readonly string[];
  readonly "as-user-extra"?: Readonly<Record<string, readonly string[]>>;
  readonly "auth-provider"?: { readonly name?: string };
  readonly exec?: ExecPlugin;
}

export interface UserPlace {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly cluster: ExecCluster;
}

/** The part of a connection that a user is: token, certificate, headers. `dir` is where relative paths begin. */
export async function userConnection(
  { dir, value: user }: { readonly dir: string; readonly value: User },
  { environment, cluster }: UserPlace,
): Promise<object> {
  const certificate = {
    clientCertificate: await textOf(dir, user["client-certificate-data"], user["client-certificate"]),
    clientKey: await textOf(dir, user["client-key-data"], user["client-key"]),
  };
  const headers = { ...passwordHeader(user), ...impersonationHeaders(user) };
  const fixed = { ...certificate, ...(Object.keys(headers).length > 0 ? { headers } : {}) };
  if (user.exec) {
    const own = user.exec.command.includes("/") ? resolve(dir, user.exec.command) : user.exec.command;
    return { ...fixed, ...(await execCredentials({ ...user.exec, command: own }, environment, cluster)) };
  }
  if (user["auth-provider"])
    throw new KubeconfigError(
      `the auth provider "${user["auth-provider"].name}" of this kubeconfig was removed from Kubernetes 1.26: have it written anew with an exec plugin`,
    );
  if (user.tokenFile) {
    const renewal = fileToken(resolve(dir, user.tokenFile));
    const token = await renewal.renew().catch((error: unknown) => {
      // As client-go does: a token beside the file is what it falls back to.
      if (user.token) return { value: user.token };
      const why = error instanceof Error ? error.message : String(error);
      throw new KubeconfigError(`cannot read the token file: ${why}`, { cause: error });
    });
    return { ...fixed, renewal, token };
  }
  return user.token ? { ...fixed, token: { value: user.token } } : fixed;
}

const passwordHeader = ({ username, password = "" }: User): Readonly<Record<string, string>> =>
  username ? { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` } : {};

/** https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/ */
function impersonationHeaders(user: User): Readonly<Record<string, string | string[]>> {
  const extra = Object.entries(user["as-user-extra"] ?? {}).map(([name, values]) => [
    `impersonate-extra-${encodeURIComponent(name.toLowerCase())}`,
    [...values],
  ]);
  return {
    ...(user.as ? { "impersonate-user": user.as } : {}),
    ...(user["as-uid"] ? { "impersonate-uid": user["as-uid"] } : {}),
    ...(user["as-groups"]?.length ? { "impersonate-group": [...user["as-groups"]] } : {}),
    ...Object.fromEntries(extra),
  };
}

async function execCredentials(
  plugin: ExecPlugin,
  environment: UserPlace["environment"],
  cluster: ExecCluster,
): Promise<object> {
  const run = async (): Promise<ExecCredential> => {
    try {
      return await runExecPlugin(plugin, environment, { cluster, terminal: process.stdin.isTTY === true });
    } catch (error) {
      throw new KubeconfigError(error instanceof Error ? error.message : String(error), { cause: error });
    }
  };
  const tokenOf = ({ token = "", expiresAtMs }: ExecCredential): Token => ({
    value: token,
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
  });
  const first = await run();
  const { clientCertificate, clientKey } = first;
  const certificate = { ...(clientCertificate ? { clientCertificate } : {}), ...(clientKey ? { clientKey } : {}) };
  if (first.token === undefined) return certificate;
  return { ...certificate, token: tokenOf(first), renewal: { renew: async () => tokenOf(await run()) } };
}
