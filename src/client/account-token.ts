import { json } from "node:stream/consumers";
import type { TokenRequest } from "../api/authentication/types.gen.ts";
import { parseTime } from "../api/meta/time.ts";
import type { HttpClient } from "./http-client.ts";

export interface AccountToken {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

export interface AccountTokenWish {
  readonly namespace: string;
  /** Of the ServiceAccount. */
  readonly name: string;
  /** Empty: the API server's own. */
  readonly audiences: readonly string[];
}

/** The shortest a token is given out for is ten minutes; an hour is what kubelets ask for. */
const expirationSeconds = 3600;

/** Asks for a token of a ServiceAccount (TokenRequest). Throws an ApiError when there is no such account, or it may not be had. */
export async function requestAccountToken(
  client: Pick<HttpClient, "raw">,
  { namespace, name, audiences }: AccountTokenWish,
): Promise<AccountToken> {
  const body = {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: { expirationSeconds, ...(audiences.length > 0 ? { audiences } : {}) },
  };
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const answer = await client.raw(path, { method: "POST", body });
  const { status } = (await json(answer.body)) as TokenRequest;
  return {
    token: status?.token ?? "",
    expiresAtMs: parseTime(status?.expirationTimestamp ?? "") ?? 0,
  };
}
