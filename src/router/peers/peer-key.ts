import { randomBytes } from "node:crypto";
import { SecretKind } from "../../api/core/kinds.ts";
import type { Secret } from "../../api/core/types.gen.ts";
import { isAlreadyExists, isConflict, isNotFound } from "../../api/meta/errors.ts";
import type { ObjectKey } from "../../api/meta/object.ts";
import type { Client } from "../../client/client.ts";

const field = "key";
const keyBytes = 32;
/** Every loss of a race was somebody else's win, so a few tries do. */
const tries = 5;

/**
 * The key by which routers know each other: made by the first one that finds the Secret without it. An installation brings
 * the Secret empty, so that the router need not be allowed to create any.
 */
export async function readPeerKey(client: Client, secret: ObjectKey): Promise<Buffer> {
  for (let i = 0; i < tries; i++) {
    const found = await getOrCreate(client, secret);
    const text = found?.data?.[field];
    if (text !== undefined && text !== "") return Buffer.from(text, "base64");
    if (found === undefined) continue;
    try {
      const made = randomBytes(keyBytes);
      await client.update(SecretKind, { ...found, data: { ...found.data, [field]: made.toString("base64") } });
      return made;
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) throw error;
    }
  }
  throw new Error(`secret ${secret.namespace}/${secret.name} changes too fast to be given a key`);
}

async function getOrCreate(client: Client, secret: ObjectKey): Promise<Secret | undefined> {
  try {
    return await client.get(SecretKind, secret);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  try {
    return await client.create(SecretKind, { metadata: secret, type: "Opaque" });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    return undefined;
  }
}
