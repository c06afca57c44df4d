import { badRequest, forbidden, isNotFound } from "../../api/meta/errors.ts";
import { formatTime } from "../../api/meta/time.ts";
import type { DeleteOptions } from "../../api/meta/types.gen.ts";
import type { Change, Entry } from "../storage/entry.ts";
import { managedText } from "../storage/managed-text.ts";
import { copyJson } from "./json.ts";
import type { Caller, Incoming, Target } from "./request.ts";
import { entryOf, keyOfTarget, type Registry } from "./registry.ts";
import { checkPreconditions } from "./update.ts";

/** `gone`: removed now; `pending`: still there, waiting for finalizers or for its grace to pass. */
export interface Removal {
  readonly state: "gone" | "pending";
  readonly entry: Entry;
  readonly change?: Change;
}

/** Deletes an object, or marks it for deletion when finalizers or a grace period hold it. */
export function remove(registry: Registry, target: Target, options: DeleteOptions, caller: Caller): Removal {
  const old = entryOf(registry, target);
  checkPreconditions(target, options.preconditions ?? {}, old);
  checkPropagation(options);
  registry.admission.validate({
    operation: "delete",
    served: target.served,
    name: target.name,
    old: old.object,
    user: caller.user,
    dryRun: caller.dryRun,
    now: registry.now(),
    store: registry.store,
    warn: caller.warn,
    ...(caller.webhooks ? { webhooks: caller.webhooks } : {}),
    ...(target.namespace ? { namespace: target.namespace } : {}),
  });
  const next = copyJson(old.object) as Incoming;
  setFinalizers(target, next, options);
  const graceSeconds = graceOf(target, next, options);
  const held = (next.metadata.finalizers?.length ?? 0) > 0 || isHeldNamespace(next);
  if (!held && graceSeconds === 0) return commit(registry, target, caller, { kind: "delete", next, old });
  const marked = markDeleted(registry, target, next, graceSeconds);
  const changed = marked || (next.metadata.finalizers?.length ?? 0) !== (old.object.metadata.finalizers?.length ?? 0);
  return changed ? commit(registry, target, caller, { kind: "put", next, old }) : { state: "pending", entry: old };
}

function commit(
  registry: Registry,
  target: Target,
  caller: Caller,
  { kind, next, old }: { readonly kind: "put" | "delete"; readonly next: Incoming; readonly old: Entry },
): Removal {
  const state = kind === "delete" ? "gone" : "pending";
  if (caller.dryRun) return { state, entry: { ...old, object: next } };
  const { resource } = target.served;
  const [change] = registry.store.commit([
    { kind, resource, key: keyOfTarget(target), object: next, managed: managedText(old.managed) },
  ]);
  if (!change) throw new Error("a commit of one write returned no change");
  return { state, entry: change.entry, change };
}

function checkPropagation({ propagationPolicy, orphanDependents }: DeleteOptions): void {
  if (propagationPolicy !== undefined && orphanDependents !== undefined)
    throw badRequest("orphanDependents and deletionPropagation cannot be both set");
  if (propagationPolicy !== undefined && !["Foreground", "Background", "Orphan"].includes(propagationPolicy))
    throw badRequest(
      `invalid propagationPolicy "${propagationPolicy}": it must be one of "Foreground", "Background" and "Orphan"`,
    );
}

/** The garbage collector acts on two finalizers; which of them an object has follows from the propagation asked for. */
function setFinalizers(target: Target, next: Incoming, options: DeleteOptions): void {
  const orphan = options.orphanDependents === true ? "Orphan" : undefined;
  const background = options.orphanDependents === false ? "Background" : undefined;
  const known = next.metadata.finalizers ?? [];
  const held = known.includes("orphan") || known.includes("foregroundDeletion");
  const policy = options.propagationPolicy ?? orphan ?? background ?? (held ? undefined : defaultPolicy(target));
  if (policy === undefined) return;
  const rest = known.filter((finalizer) => finalizer !== "orphan" && finalizer !== "foregroundDeletion");
  if (policy === "Orphan") rest.push("orphan");
  if (policy === "Foreground") rest.push("foregroundDeletion");
  if (rest.length === 0) delete next.metadata.finalizers;
  else next.metadata.finalizers = rest;
}

const defaultPolicy = (target: Target): string => target.served.storage.defaultPropagation ?? "Background";

interface PodLike {
  readonly spec?: { readonly nodeName?: string; readonly terminationGracePeriodSeconds?: number };
  readonly status?: { readonly phase?: string };
}

/** Only pods have a grace: none while unscheduled or when they have ended. */
function graceOf(target: Target, next: Incoming, options: DeleteOptions): number {
  if (target.served.resource !== "/pods") return 0;
  const { spec, status } = next as PodLike;
  if (!spec?.nodeName || status?.phase === "Succeeded" || status?.phase === "Failed") return 0;
  const given = options.gracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 30;
  return given < 0 ? 1 : given;
}

const isHeldNamespace = (next: Incoming): boolean =>
  next.kind === "Namespace" && ((next["spec"] as { finalizers?: string[] } | undefined)?.finalizers?.length ?? 0) > 0;

/** Sets when the object is to be gone. A later deletion may shorten the grace, never lengthen it. */
function markDeleted(registry: Registry, target: Target, next: Incoming, graceSeconds: number): boolean {
  const { metadata } = next;
  const first = metadata.deletionTimestamp === undefined;
  if (!first && graceSeconds >= (metadata.deletionGracePeriodSeconds ?? 0)) return false;
  metadata.deletionTimestamp = formatTime(registry.now() + graceSeconds * 1000);
  metadata.deletionGracePeriodSeconds = graceSeconds;
  if (first && metadata.generation !== undefined) metadata.generation += 1;
  if (first && target.served.resource === "/namespaces")
    next["status"] = { ...(next["status"] as object | undefined), phase: "Terminating" };
  return true;
}

/** Deletes every entry of a list; what somebody else deleted meanwhile is passed over. Returns what was acted on. */
export function removeAll(
  registry: Registry,
  base: Omit<Target, "name">,
  entries: readonly Entry[],
  options: DeleteOptions,
  caller: Caller,
): Entry[] {
  const removed: Entry[] = [];
  for (const { object } of entries) {
    const { name, namespace } = object.metadata;
    try {
      removed.push(remove(registry, { ...base, name, ...(namespace ? { namespace } : {}) }, options, caller).entry);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  return removed;
}

const undeletable: ReadonlySet<string> = new Set(["default", "kube-system", "kube-public"]);

/** Throws for namespaces the system cannot do without. */
export function checkNamespaceDeletable(target: Pick<Target, "served">, name: string): void {
  if (undeletable.has(name)) throw forbidden(target.served.definition.kind, name, "this namespace may not be deleted");
}
