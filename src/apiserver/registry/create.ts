import { alreadyExists, badRequest, failure } from "../../api/meta/errors.ts";
import { generateName } from "../../api/meta/names.ts";
import { keyOf } from "../../api/meta/object.ts";
import { formatTime } from "../../api/meta/time.ts";
import type { AdmissionRequest } from "../admission/admission.ts";
import type { Change, Entry, Write } from "../storage/entry.ts";
import { createManagedPacker } from "../storage/managed-text.ts";
import { companionsOf } from "./companions.ts";
import { takeIn, toStored } from "./intake.ts";
import { trackWrite } from "./managed.ts";
import type { Caller, Incoming, Target } from "./request.ts";
import { writeContext, type Registry } from "./registry.ts";
import { assertValid } from "./validate.ts";

/** What a write came to. `change` is absent when nothing was written: a dry run, or nothing differed. */
export interface Outcome {
  readonly entry: Entry;
  readonly created: boolean;
  readonly change?: Change;
}

const maxNameAttempts = 8;

/** Creates an object from a decoded body, which belongs to the pipeline from here on. `target.name` may be "". */
export function create(
  registry: Registry,
  target: Target,
  body: unknown,
  caller: Caller,
  complaints?: readonly string[],
): Outcome {
  const incoming = takeIn(target.served, body, caller, { complaints });
  if (incoming.metadata.resourceVersion) throw badRequest("resourceVersion should not be set on objects to be created");
  return createStored(registry, target, toStored(target.served, incoming), caller);
}

/** Creates from an object already in the storage version: also the end of an apply or update that found nothing. */
export function createStored(
  registry: Registry,
  target: Target,
  object: Incoming,
  caller: Caller,
  managedOf: (object: Incoming) => string = (made) => trackWrite({ registry, target, caller, after: made }),
): Outcome {
  const { served } = target;
  const { storage } = served;
  checkNamespace(target, object);
  if (target.name !== "" && object.metadata.name && object.metadata.name !== target.name)
    throw badRequest(
      `the name of the object (${object.metadata.name}) does not match the name on the URL (${target.name})`,
    );
  if (target.name !== "") object.metadata.name = target.name;
  setSystemFields(registry, target, object);
  const context = writeContext(registry, caller, "create");
  storage.applyDefaults?.(object, context);
  nameFromBase(registry, target, object);
  const request = { ...admissionRequest(registry, target, object, caller), context };
  registry.admission.mutate(request);
  // What clients and admission wrote is owned; what the server sets by itself from here on is nobody's.
  const managed = managedOf(object);
  storage.prepare?.(object, undefined, context);
  assertValid(storage, object, undefined, context);
  const key = keyOf(object.metadata);
  const existing = registry.store.get(served.resource, key);
  if (existing) throw exists(target, object.metadata.name, existing);
  registry.admission.validate(request);
  registry.admission.allocate(request);
  if (caller.dryRun) return { entry: unstored(object, managed, registry.now()), created: true };
  const write: Write = { kind: "put", resource: served.resource, key, object, managed };
  const [change] = registry.store.commit([write, ...companionsOf(registry, served, object)]);
  if (!change) throw new Error("a commit of one write returned no change");
  return { entry: change.entry, created: true, change };
}

/** A dry run shows the object as it would be, without a version. */
function unstored(object: Incoming, managed: string, time: number): Entry {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return { object: { ...object, metadata }, managed: createManagedPacker()(managed), revision: 0, time };
}

function exists(target: Target, name: string, existing: Entry): Error {
  const error = alreadyExists(target.served.storage.kind, name);
  if (!existing.object.metadata.deletionTimestamp) return error;
  return failure(409, "AlreadyExists", `object is being deleted: ${error.message}`, error.status.details);
}

function checkNamespace(target: Target, object: Incoming): void {
  const { metadata } = object;
  if (!target.served.definition.kind.namespaced) {
    if (metadata.namespace) throw badRequest("namespace must not be set on a cluster-scoped object");
    delete metadata.namespace;
    return;
  }
  if (metadata.namespace && metadata.namespace !== target.namespace)
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  if (target.namespace) metadata.namespace = target.namespace;
}

function setSystemFields(registry: Registry, target: Target, object: Incoming): void {
  const { storage } = target.served;
  const given = object.metadata;
  object.metadata = {
    name: given.name ?? "",
    ...(given.generateName ? { generateName: given.generateName } : {}),
    ...(given.namespace ? { namespace: given.namespace } : {}),
    uid: registry.newUid(),
    resourceVersion: "",
    ...(storage.generation === "none" ? {} : { generation: 1 }),
    creationTimestamp: formatTime(registry.now()),
    ...(hasKeys(given.labels) ? { labels: given.labels } : {}),
    ...(hasKeys(given.annotations) ? { annotations: given.annotations } : {}),
    ...(given.ownerReferences?.length ? { ownerReferences: given.ownerReferences } : {}),
    ...(given.finalizers?.length ? { finalizers: given.finalizers } : {}),
  } as Incoming["metadata"];
  if (storage.statusSubresource && !storage.keepsStatusOnCreate) delete object["status"];
}

const hasKeys = (value: object | undefined): boolean => value !== undefined && Object.keys(value).length > 0;

/** Fills metadata.name from generateName; a collision is tried again with other random characters. */
function nameFromBase(registry: Registry, target: Target, object: Incoming): void {
  const { metadata } = object;
  if (metadata.name || !metadata.generateName) return;
  for (let attempt = 0; attempt < maxNameAttempts; attempt += 1) {
    metadata.name = (registry.generateName ?? generateName)(metadata.generateName);
    if (!registry.store.get(target.served.resource, keyOf(metadata))) return;
  }
}

function admissionRequest(registry: Registry, target: Target, object: Incoming, caller: Caller): AdmissionRequest {
  return {
    operation: "create",
    served: target.served,
    name: object.metadata.name,
    object,
    user: caller.user,
    dryRun: caller.dryRun,
    now: registry.now(),
    store: registry.store,
    warn: caller.warn,
    ...(caller.webhooks ? { webhooks: caller.webhooks } : {}),
    ...(object.metadata.namespace ? { namespace: object.metadata.namespace } : {}),
  };
}
