/** Logins that pods bring along to pull their images with. */
import { SecretKind, ServiceAccountKind } from "../api/core/kinds.ts";
import { isForbidden, isNotFound } from "../api/meta/errors.ts";
import type { Kind } from "../api/meta/kind.ts";
import type { KubeObject } from "../api/meta/object.ts";
import type { Client } from "../client/client.ts";
import type { PullsAs } from "../controllers/serving/deps.ts";
import type { FindCredentials } from "../images/registry/credentials.ts";
import { pullSecretCredentials } from "../images/registry/pull-secrets.ts";
import type { Logger } from "../telemetry/logger.ts";

export interface PullLoginDeps {
  readonly client: Pick<Client, "get">;
  readonly log: Logger;
}

/** Names of the secrets that pods of this namespace and account pull with: their own, else the account's. */
export async function pullSecretsOf(deps: PullLoginDeps, as: PullsAs): Promise<readonly string[]> {
  const own = as.imagePullSecrets ?? [];
  const account =
    own.length > 0 ? undefined : await read(deps, ServiceAccountKind, as.namespace, as.serviceAccountName);
  return (own.length > 0 ? own : (account?.imagePullSecrets ?? [])).flatMap(({ name }) => (name ? [name] : []));
}

/** The login for `image` in these secrets. Throws ImageError for one that is no pull secret. */
export async function loginsIn(
  deps: PullLoginDeps,
  image: string,
  secrets: { readonly namespace: string; readonly names: readonly string[] },
): Promise<FindCredentials> {
  const found = await Promise.all(secrets.names.map((name) => read(deps, SecretKind, secrets.namespace, name)));
  return pullSecretCredentials(
    found.filter((secret) => secret !== undefined),
    image,
  );
}

/**
 * Undefined for what is missing, or not for us to read: it is passed over, as a kubelet does, and the registry says
 * whether it was needed.
 */
async function read<T extends KubeObject>(
  { client, log }: PullLoginDeps,
  kind: Kind<T>,
  namespace: string,
  name: string,
): Promise<T | undefined> {
  try {
    return await client.get(kind, { namespace, name });
  } catch (error) {
    if (!isNotFound(error) && !isForbidden(error)) throw error;
    log.warn("an object that pulling may need could not be read", { err: error, kind: kind.kind, namespace, name });
    return undefined;
  }
}
