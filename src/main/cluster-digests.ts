/** Digests of images as their registries have them, asked with the logins that a Revision's pods would pull with. */
import type { Client } from "../client/client.ts";
import type { PullsAs } from "../controllers/serving/deps.ts";
import { parseImageReference } from "../images/reference.ts";
import { createRegistryClient, type RegistryClient } from "../images/registry/registry-client.ts";
import { askForDigest } from "../images/resolve-digest.ts";
import type { Logger } from "../telemetry/logger.ts";
import { loginsIn, pullSecretsOf } from "./pull-logins.ts";

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

  const registryOf = async (image: string, as: PullsAs): Promise<RegistryClient> => {
    const registry = parseImageReference(image)?.registry ?? "";
    const names = await pullSecretsOf({ client, log }, as);
    const findCredentials = await loginsIn({ client, log }, image, { namespace: as.namespace, names });
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
