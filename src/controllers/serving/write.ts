/** Writes of controllers: only what changed, and a child that is already there is not an error. */
import { isDeepStrictEqual } from "node:util";
import { isAlreadyExists, isConflict } from "../../api/meta/errors.ts";
import type { Kind } from "../../api/meta/kind.ts";
import { keyOf, type Draft, type KubeObject } from "../../api/meta/object.ts";
import type { Condition } from "../../api/serving/types.gen.ts";
import { isObserved, isUnknown, nextConditions } from "../../api/serving/conditions.ts";
import type { Client } from "../../client/client.ts";
import type { ReconcileResult } from "../../client/controller.ts";
import type { ServingDeps } from "./deps.ts";

/** Creates the object, or gives the one of its name that another pass (or somebody else) made before. */
export async function createOrGet<T extends KubeObject>(client: Client, kind: Kind<T>, draft: Draft<T>): Promise<T> {
  try {
    return await client.create(kind, draft);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const { namespace, name = "" } = draft.metadata;
    return client.get(kind, namespace === undefined ? { name } : { namespace, name });
  }
}

interface WithStatus extends KubeObject {
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly Condition[];
  };
}

/**
 * Writes `status` unless the object has it already. Nobody but its controller writes a status, so it goes onto the
 * newest version known: labels that changed while this pass waited for its children do not undo the pass.
 */
export async function writeStatus<T extends WithStatus>(
  { client, informers }: Pick<ServingDeps, "client" | "informers">,
  kind: Kind<T>,
  object: T,
  status: NonNullable<T["status"]>,
): Promise<void> {
  const known = informers.of(kind).get(keyOf(object.metadata));
  const current = known && known.metadata.uid === object.metadata.uid ? known : object;
  if (isDeepStrictEqual(current.status, status)) return;
  await client.update(kind, { ...current, status }, { subresource: "status" });
}

/**
 * Runs a reconcile; when it fails on a spec it has not seen before, the object says so, lest a Ready of the spec before
 * be taken for an answer to this one.
 */
export async function observing<T extends WithStatus>(
  deps: Pick<ServingDeps, "client" | "clock" | "informers">,
  kind: Kind<T>,
  object: T,
  run: () => Promise<ReconcileResult | void>,
): Promise<ReconcileResult | void> {
  try {
    return await run();
  } catch (error) {
    if (!isConflict(error) && !isObserved(object)) await markUnobserved(deps, kind, object);
    throw error;
  }
}

async function markUnobserved<T extends WithStatus>(
  deps: Pick<ServingDeps, "client" | "clock" | "informers">,
  kind: Kind<T>,
  object: T,
): Promise<void> {
  const conditions = object.status?.conditions ?? [];
  const ready = isUnknown("NewObservedGenFailure", "unsuccessfully observed a new generation");
  const dependents = conditions.filter((c) => c.type !== "Ready" && c.severity === undefined).map((c) => c.type);
  const info = conditions.filter((c) => c.severity !== undefined);
  const next = nextConditions({ dependents, info: [] }, conditions, { Ready: ready }, deps.clock.now());
  const status = {
    ...object.status,
    conditions: [...next, ...info].sort((a, b) => (a.type < b.type ? -1 : 1)),
    ...(object.metadata.generation === undefined ? {} : { observedGeneration: object.metadata.generation }),
  };
  await writeStatus(deps, kind, object, status as NonNullable<T["status"]>).catch((failure: unknown) => {
    if (!isConflict(failure)) throw failure;
  });
}

/**
 * True when every field of `wanted` is in `have` with the same value: what a server added beside does not count, and
 * what is empty may be missing, since Go leaves such fields out.
 */
export function covers(have: unknown, wanted: unknown): boolean {
  if (wanted === undefined || (have === undefined && isEmpty(wanted))) return true;
  if (Array.isArray(wanted)) {
    if (!Array.isArray(have) || have.length !== wanted.length) return false;
    return wanted.every((item, index) => covers(have[index], item));
  }
  if (typeof wanted !== "object" || wanted === null) return have === wanted;
  if (typeof have !== "object" || have === null) return false;
  return Object.entries(wanted).every(([key, value]) => covers((have as Record<string, unknown>)[key], value));
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value === "object" && value !== null) return Object.values(value).every(isEmpty);
  return value === "" || value === 0 || value === false || value === null;
}

/** After a child's name was found taken: what holds it may not be of a kind or label that wakes the controller. */
export const lookAgain: ReconcileResult = { requeueAfterMs: 5_000 };

type Text = Readonly<Record<string, string>>;

/** A map without some of its keys. */
export function without(map: Text | undefined, excluded: (key: string) => boolean): Record<string, string> {
  return Object.fromEntries(Object.entries(map ?? {}).filter(([key]) => !excluded(key)));
}

export const equalMaps = (a: Text | undefined, b: Text | undefined): boolean => isDeepStrictEqual(a ?? {}, b ?? {});
