import { isConflict, isNotFound } from "../../api/meta/errors.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import type { Client } from "../../client/client.ts";
import { installManager } from "../names.ts";
import { describe, keyOfObject, kindOf } from "./object-kinds.ts";

export type Outcome = "created" | "changed" | "unchanged";

/** An object was refused; the message names it and says what the API server said. */
export class ApplyError extends Error {
  override readonly name = "ApplyError";
}

/**
 * Applies an object on the server's side. What somebody else set in it is taken over where the bundle says otherwise,
 * and left where the bundle says nothing.
 */
export async function applyObject(client: Client, object: KubeObject): Promise<Outcome> {
  const kind = kindOf(object);
  try {
    const before = await find(client, object);
    const after = await client.patch(
      kind,
      keyOfObject(object),
      { type: "apply", body: object as unknown as Readonly<Record<string, unknown>> },
      { fieldManager: installManager, force: true },
    );
    if (!before) return "created";
    return before.metadata.resourceVersion === after.metadata.resourceVersion ? "unchanged" : "changed";
  } catch (error) {
    throw new ApplyError(`${describe(object)}: ${messageOf(error)}`, { cause: error });
  }
}

/** Makes an object that then belongs to the user: one that is there is left as it is. */
export async function createOnce(client: Client, object: KubeObject): Promise<Outcome> {
  if (await find(client, object)) return "unchanged";
  try {
    await client.create(kindOf(object), object, { fieldManager: installManager });
    return "created";
  } catch (error) {
    if (isConflict(error)) return "unchanged";
    throw new ApplyError(`${describe(object)}: ${messageOf(error)}`, { cause: error });
  }
}

/** The object as it is, or undefined. */
export async function find(client: Client, object: KubeObject): Promise<KubeObject | undefined> {
  try {
    return await client.get(kindOf(object), keyOfObject(object));
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
