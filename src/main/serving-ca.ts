/** The certificates by which others know a controller's: in a ConfigMap, because nobody but controllers reads its Secret. */
import { ConfigMapKind } from "../api/core/kinds.ts";
import type { ConfigMap } from "../api/core/types.gen.ts";
import { isAlreadyExists, isConflict, isNotFound } from "../api/meta/errors.ts";
import type { Client } from "../client/client.ts";
import { isWithin, joinBundles } from "../pki/bundle.ts";

const name = "ebb-serving-ca";
const field = "ca.crt";
const maxTries = 10;

/** Adds certificates to the bundle, from which expired ones go. Several replicas may do so at once. */
export async function publishServingCa(client: Client, namespace: string, pem: string, now: number): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      const found = await find(client, namespace);
      const bundle = found?.data?.[field] ?? "";
      if (found && isWithin(pem, bundle)) return;
      const data = { ...found?.data, [field]: joinBundles([bundle, pem], now) };
      if (found) await client.update(ConfigMapKind, { ...found, data });
      else await client.create(ConfigMapKind, { metadata: { namespace, name }, data });
      return;
    } catch (error) {
      if (tries >= maxTries || (!isConflict(error) && !isAlreadyExists(error))) throw error;
    }
  }
}

/** The bundle as it stands. Throws an ApiError when there is none, or the API server does not answer. */
export async function readServingCa(client: Client, namespace: string): Promise<string> {
  const { data } = await client.get(ConfigMapKind, { namespace, name });
  return data?.[field] ?? "";
}

async function find(client: Client, namespace: string): Promise<ConfigMap | undefined> {
  try {
    return await client.get(ConfigMapKind, { namespace, name });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
