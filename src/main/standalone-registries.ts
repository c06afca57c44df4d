/** Registries as the standalone home asks them: with the logins of pods first, then with those of this machine. */
import type { PullsAs } from "../controllers/serving/deps.ts";
import type { FindCredentials } from "../images/registry/credentials.ts";
import { createRegistryClient, type RegistryClient } from "../images/registry/registry-client.ts";
import { loginsIn, pullSecretsOf, type PullLoginDeps } from "./pull-logins.ts";

export interface Registries {
  /** Runs `use` with a client that has the logins of these secrets; of none, with the one everybody shares. */
  withSecrets<T>(image: string, secrets: SecretNames, use: (client: RegistryClient) => Promise<T>): Promise<T>;
  /** The same with the secrets that pods of this account would pull with. */
  withAccount<T>(image: string, as: PullsAs, use: (client: RegistryClient) => Promise<T>): Promise<T>;
}

interface SecretNames {
  readonly namespace: string;
  readonly names: readonly string[];
}

export interface RegistriesOptions {
  readonly usual: FindCredentials;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function createRegistries(
  deps: PullLoginDeps,
  shared: RegistryClient,
  { usual, env }: RegistriesOptions,
): Registries {
  const withSecrets: Registries["withSecrets"] = async (image, secrets, use) => {
    if (secrets.names.length === 0) return await use(shared);
    const own = await loginsIn(deps, image, secrets);
    const findCredentials: FindCredentials = async (registry) => (await own(registry)) ?? (await usual(registry));
    const client = createRegistryClient({ findCredentials, env });
    try {
      return await use(client);
    } finally {
      await client.close();
    }
  };
  return {
    withSecrets,
    async withAccount(image, as, use) {
      return await withSecrets(image, { namespace: as.namespace, names: await pullSecretsOf(deps, as) }, use);
    },
  };
}
