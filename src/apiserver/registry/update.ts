import type { WriteContext } from "../../api/meta/definition.ts";
import { badRequest, conflict, invalid, notFound } from "../../api/meta/errors.ts";
import { fieldError } from "../../api/meta/field-error.ts";
import type { KubeObject, Mutable } from "../../api/meta/object.ts";
import type { Write, Entry } from "../storage/entry.ts";
import { createManagedPacker, managedText } from "../storage/managed-text.ts";
import { create, type Outcome } from "./create.ts";
import { generationOf } from "./generation.ts";
import { takeIn, toServed, toStored } from "./intake.ts";
import { isObject, jsonEqual } from "../schema/json-value.ts";
import { trackWrite } from "./managed.ts";
import type { Caller, Incoming, Target } from "./request.ts";
import { keyOfTarget, writeContext, type Registry } from "./registry.ts";
import { assertStatusValid, assertValid } from "./validate.ts";

/** Replaces an object (PUT) or one side of it by a subresource. */
export function update(
  registry: Registry,
  target: Target,
  body: unknown,
  caller: Caller,
  complaints?: readonly string[],
): Outcome {
  const { served } = target;
  const known = registry.store.get(served.resource, keyOfTarget(target));
  const old = known && toServed(served, known.object);
  const incoming = takeIn(served, body, caller, { complaints, old });
  if (incoming.metadata.name && incoming.metadata.name !== target.name)
    throw badRequest(
      `the name of the object (${incoming.metadata.name}) does not match the name on the URL (${target.name})`,
    );
  if (target.namespace && incoming.metadata.namespace && incoming.metadata.namespace !== target.namespace)
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  if (!known) {
    if (served.storage.createOnUpdate && !target.subresource && !incoming.metadata.resourceVersion)
      return create(registry, target, incoming, caller);
    throw notFound(served.definition.kind, target.name);
  }
  requireVersion(target, incoming);
  checkPreconditions(target, incoming.metadata, known);
  return writeOver(registry, target, { old: known, next: toStored(served, incoming), caller });
}

/** Custom resources must say which version they replace. */
function requireVersion(target: Target, { metadata }: Incoming): void {
  if (target.served.storage.unconditionalUpdate || metadata.resourceVersion) return;
  throw invalid(target.served.storage.kind, target.name, [
    {
      ...fieldError.invalid("metadata.resourceVersion", 0, "must be specified for an update"),
      message: "Invalid value: 0: must be specified for an update",
    },
  ]);
}

/** uid and resourceVersion, when given, must be those of the stored object. */
export function checkPreconditions(
  target: Target,
  given: { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined },
  known: Entry,
): void {
  const { kind } = target.served.definition;
  const { uid } = known.object.metadata;
  if (given.uid && given.uid !== uid)
    throw conflict(
      kind,
      target.name,
      `Precondition failed: UID in precondition: ${given.uid}, UID in object meta: ${uid}`,
    );
  const version = given.resourceVersion;
  if (!version || version === "0") return;
  if (!/^\d+$/.test(version))
    throw invalid(target.served.storage.kind, target.name, [
      fieldError.invalid("metadata.resourceVersion", version, "must be an unsigned integer"),
    ]);
  if (version !== String(known.revision)) throw conflict(kind, target.name);
}

export interface Overwrite {
  readonly old: Entry;
  /** The wanted object in the storage version; owned by the pipeline. */
  readonly next: Incoming;
  readonly caller: Caller;
  /** managedFields JSON that an apply has worked out; otherwise ownership is tracked here. */
  readonly managed?: string;
}

/**
 * The common end of PUT, PATCH and apply: restores what clients cannot change, fills defaults, admits, checks, raises
 * the generation and commits. Writing what is already there commits nothing.
 */
export function writeOver(registry: Registry, target: Target, overwrite: Overwrite): Outcome {
  const { old, next, caller } = overwrite;
  const { served, subresource } = target;
  const { storage } = served;
  const stored = old.object;
  const givenManaged = takeManaged(next);
  const object = sideWritten(target, next, stored);
  restoreMetadata(object, stored);
  const context = writeContext(registry, caller, "update");
  // A status write shares the stored spec, which has its defaults and must not be changed in place.
  if (subresource !== "status") storage.applyDefaults?.(object, context);
  const request = {
    operation: "update",
    served,
    name: target.name,
    object,
    old: stored,
    user: caller.user,
    dryRun: caller.dryRun,
    now: registry.now(),
    store: registry.store,
    context,
    warn: caller.warn,
    ...(caller.webhooks ? { webhooks: caller.webhooks } : {}),
    ...(target.namespace ? { namespace: target.namespace } : {}),
    ...(subresource ? { subresource } : {}),
  } as const;
  registry.admission.mutate(request);
  // What clients and admission wrote is owned; what the server sets by itself from here on is nobody's.
  const wanted = overwrite.managed ?? givenManaged ?? tracked(registry, target, overwrite, object);
  checkSide(target, object, stored, context);
  registry.admission.validate(request);
  registry.admission.allocate(request);
  const before = managedText(old.managed);
  const same = jsonEqual(object, stored);
  const managed = same && overwrite.managed === undefined && givenManaged === undefined ? before : wanted;
  if (same && managed === before) return { entry: old, created: false };
  if (caller.dryRun)
    return {
      entry: { object, managed: createManagedPacker()(managed), revision: old.revision, time: registry.now() },
      created: false,
    };
  return commitUpdate(registry, target, object, managed);
}

const tracked = (registry: Registry, target: Target, { old, caller }: Overwrite, after: KubeObject): string =>
  trackWrite({ registry, target, caller, before: old.object, after, managed: managedText(old.managed) });

function commitUpdate(registry: Registry, target: Target, object: Incoming, managed: string): Outcome {
  const { resource } = target.served;
  const kind = isFinished(object) ? "delete" : "put";
  const write: Write = { kind, resource, key: keyOfTarget(target), object, managed };
  const [change] = registry.store.commit([write]);
  if (!change) throw new Error("a commit of one write returned no change");
  return { entry: change.entry, created: false, change };
}

/** An object that is being deleted and that nothing holds any longer goes with the write that let go. */
function isFinished({ metadata, ...rest }: Incoming): boolean {
  if (!metadata.deletionTimestamp || metadata.finalizers?.length || metadata.deletionGracePeriodSeconds) return false;
  const spec = rest["spec"];
  return !(
    rest.kind === "Namespace" &&
    isObject(spec) &&
    Array.isArray(spec["finalizers"]) &&
    spec["finalizers"].length
  );
}

/**
 * managedFields a client sent with the object: taken as they are when not empty, forgotten by a list holding one
 * empty entry, and otherwise left to the server (undefined).
 */
function takeManaged(next: Incoming): string | undefined {
  const given = next.metadata.managedFields;
  delete next.metadata.managedFields;
  if (!given || given.length === 0) return undefined;
  if (given.length === 1 && Object.keys(given[0] ?? {}).length === 0) return "";
  return JSON.stringify(given);
}

/** What of the wanted object the endpoint may write; finalize and binding come prepared by this server. */
function sideWritten(target: Target, next: Incoming, stored: KubeObject): Incoming {
  if (target.subresource === "finalize" || target.subresource === "binding") return next;
  return target.subresource === "status" ? withStatusOf(target, next, stored) : withoutStatus(target, next, stored);
}

function checkSide(target: Target, object: Incoming, stored: KubeObject, context: WriteContext): void {
  const { storage } = target.served;
  if (target.subresource === "status") {
    storage.prepareStatus?.(object, stored);
    assertStatusValid(storage, object, stored);
    return;
  }
  const prepared = target.subresource === "finalize" || target.subresource === "binding";
  if (!prepared) storage.prepare?.(object, stored, context);
  // A pod that is given its node is still the pod that was asked for: upstream's binding raises no generation either.
  const generation = target.subresource === "binding" ? undefined : generationOf(storage, object, stored);
  if (generation !== undefined) object.metadata.generation = generation;
  if (!prepared) assertValid(storage, object, stored, context);
}

/** The main endpoint cannot write a status that has its own. */
function withoutStatus(target: Target, next: Incoming, stored: KubeObject): Incoming {
  if (!target.served.storage.statusSubresource) return next;
  const { status } = stored as { status?: unknown };
  if (status === undefined) delete next["status"];
  else next["status"] = status;
  return next;
}

/** /status writes the status, and for built-in kinds labels, annotations and finalizers as upstream's strategies do. */
function withStatusOf(target: Target, next: Incoming, stored: KubeObject): Incoming {
  const { status } = next;
  const { status: _old, ...rest } = stored as KubeObject & { status?: unknown };
  const metadata = { ...rest.metadata } as Mutable<KubeObject["metadata"]>;
  if (!target.served.custom)
    for (const field of ["labels", "annotations", "finalizers"] as const) {
      const value = next.metadata[field];
      if (value === undefined) delete metadata[field];
      else Object.assign(metadata, { [field]: value });
    }
  return { ...rest, metadata, ...(status === undefined ? {} : { status }) } as Incoming;
}

const serverOwned = [
  "uid",
  "resourceVersion",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "generation",
  "generateName",
  "namespace",
] as const;

/** What only the server sets stays as it was, in the order every stored object has. */
function restoreMetadata(object: Incoming, stored: KubeObject): void {
  const given = object.metadata;
  const metadata: Record<string, unknown> = { name: stored.metadata.name };
  for (const field of serverOwned) {
    const value = stored.metadata[field];
    if (value !== undefined) metadata[field] = value;
  }
  for (const field of ["labels", "annotations"] as const)
    if (given[field] && Object.keys(given[field]).length > 0) metadata[field] = given[field];
  for (const field of ["ownerReferences", "finalizers"] as const)
    if (given[field]?.length) metadata[field] = given[field];
  object.metadata = metadata as unknown as Incoming["metadata"];
}
