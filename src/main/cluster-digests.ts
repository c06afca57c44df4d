/** Digests of images as their registries have them, asked with the logins that a Revision's pods would pull with. */
import { SecretKind, ServiceAccountKind } from "../api/core/kinds.ts";
import { isForbidden, isNotFound } from "../api/meta/errors.ts";
import type { Kind } from "../api/meta/kind.ts";
import type { KubeObject } from "../api/meta/object.ts";
import type { Client } from "../client/client.ts";
import type { PullsAs } from "../controllers/serving/deps.ts";
import { parseImageReference } from "../images/reference.ts";
import type { FindCredentials } from "../images/registry/credentials.ts";
import { pullSecretCredentials } from "../images/registry/pull-secrets.ts";
import { createRegistryClient, type RegistryClient } from "../images/registry/registry-client.ts";
import { askForDigest } from "../images/resolve-digest.ts";
import type { Logger } from "../telemetry/logger.ts";

export interface DigestLookup {
  resolve(image: string, as: PullsAs, signal: AbortSignal): Promise<string>;
  /** A way to the image's registry, as the pods would go it. The caller closes it. */
  registryOf(image: string, as: PullsAs): Promise<RegistryClient>;
}

export interface DigestLookupOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `host:port` of registries without TLS, or with certificates nobody signed. */
  readonly insecureRegistries: readonly string[];
}

export function createDigestLookup(
  { client, log }: { readonly client: Client; readonly log: Logger },
  { env, insecureRegistries }: DigestLookupOptions,
): DigestLookup {
  const insecure = new Set(insecureRegistries);

  /** Undefined for what is not there, or is not for us to read: the registry then says whether it matters. */
  const read = async <T extends KubeObject>(kind: Kind<T>, namespace: string, name: string): Promise<T | undefined> => {
    try {
      return await client.get(kind, { namespace, name });
    } catch (error) {
      if (!isNotFound(error) && !isForbidden(error)) throw error;
      log.info("an object that pulling may need could not be read", { err: error, kind: kind.kind, namespace, name });
      return undefined;
    }
  };

  const credentialsFor = async (image: string, as: PullsAs): Promise<FindCredentials> => {
    const { namespace, serviceAccountName } = as;
    const own = as.imagePullSecrets ?? [];
    const names =
      own.length > 0 ? own : ((await read(ServiceAccountKind, namespace, serviceAccountName))?.imagePullSecrets ?? []);
    const secrets = await Promise.all(names.map(({ name = "" }) => read(SecretKind, namespace, name)));
    return pullSecretCredentials(
      secrets.filter((secret) => secret !== undefined),
      image,
    );
  };

  const registryOf = async (image: string, as: PullsAs): Promise<RegistryClient> => {
    const registry = parseImageReference(image)?.registry ?? "";
    const findCredentials = await credentialsFor(image, as);
    return createRegistryClient({ findCredentials, env, insecure: insecure.has(registry) });
  };

  return {
    registryOf,
    async resolve(image, as, signal) {
      const registries = await registryOf(image, as);
      try {
        return await askForDigest(registries, image, { signal });
      } finally {
        await registries.close();
      }
    },
  };
}
