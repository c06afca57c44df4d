import { randomBytes } from "node:crypto";
import { SecretKind } from "../api/core/kinds.ts";
import { isConflict } from "../api/meta/errors.ts";
import type { ObjectKey } from "../api/meta/object.ts";
import type { Client } from "../client/client.ts";

const field = "password";
/** Every loss of a race was somebody else's win, so a few tries do. */
const tries = 5;

/**
 * The password of ebb's own NATS server, made by whoever first finds the Secret without it. An installation brings the
 * Secret empty, and the server's pod waits for it. Letters and digits, a letter first: NATS reads it as a text then.
 */
export async function readNatsPassword(client: Client, secret: ObjectKey): Promise<string> {
  for (let i = 0; i < tries; i++) {
    const found = await client.get(SecretKind, secret);
    const text = found.data?.[field];
    if (text !== undefined && text !== "") return Buffer.from(text, "base64").toString();
    const made = `p${randomBytes(24).toString("hex")}`;
    try {
      const data = { ...found.data, [field]: Buffer.from(made).toString("base64") };
      await client.update(SecretKind, { ...found, data });
      return made;
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }
  throw new Error(`secret ${secret.namespace}/${secret.name} changes too fast to be given a password`);
}
