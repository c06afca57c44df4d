import type { KubeObject } from "../../api/meta/object.ts";
import type { ManagedFieldsEntry } from "../../api/meta/types.gen.ts";
import { trackUpdate } from "../apply/track-update.ts";
import type { JsonObject } from "../schema/json-value.ts";
import type { Registry } from "./registry.ts";
import type { Caller, Target } from "./request.ts";

/** One write, no apply, whose field ownership is to be recorded. */
export interface TrackedWrite {
  readonly registry: Registry;
  readonly target: Target;
  readonly caller: Caller;
  /** Absent for a create. */
  readonly before?: KubeObject;
  readonly after: KubeObject;
  /** JSON of the managedFields before the write. */
  readonly managed?: string;
}

/** The JSON of managedFields after a write. Objects without any are those whose fields nobody ever asked to track. */
export function trackWrite({ registry, target, caller, before, after, managed = "" }: TrackedWrite): string {
  const known = parseManaged(managed);
  const entries = trackUpdate({
    before: before as JsonObject | undefined,
    after: after as KubeObject & JsonObject,
    managed: known,
    manager: caller.manager,
    // Fields are tracked in the storage version: there is one set of paths, whatever version a client speaks.
    apiVersion: after.apiVersion ?? target.served.apiVersion,
    schema: target.served.storage.schema(),
    now: registry.now(),
    ...(target.subresource === undefined ? {} : { subresource: target.subresource }),
  });
  return entries === known ? managed : formatManaged(entries);
}

export const parseManaged = (managed: string): readonly ManagedFieldsEntry[] =>
  managed === "" ? [] : (JSON.parse(managed) as ManagedFieldsEntry[]);

export const formatManaged = (entries: readonly ManagedFieldsEntry[]): string =>
  entries.length === 0 ? "" : JSON.stringify(entries);
