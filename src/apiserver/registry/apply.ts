import { badRequest, failure, invalid } from "../../api/meta/errors.ts";
import { fieldError } from "../../api/meta/field-error.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import { serverSideApply } from "../apply/server-side-apply.ts";
import { managedText } from "../storage/managed-text.ts";
import { isObject, type JsonObject } from "../schema/json-value.ts";
import { pruneUnknownFields } from "../schema/unknown-fields.ts";
import { createStored, type Outcome } from "./create.ts";
import { checkTypes, toServed, toStored } from "./intake.ts";
import { formatManaged, parseManaged } from "./managed.ts";
import { keyOfTarget, type Registry } from "./registry.ts";
import type { Caller, Incoming, Target } from "./request.ts";
import { updateScale, scaleOf } from "./scale.ts";
import { writeOver } from "./update.ts";

/** Server-side apply: merges what a manager wants into what is there; creates the object when there is none. */
export function apply(registry: Registry, target: Target, body: JsonObject, caller: Caller): Outcome {
  const { served } = target;
  checkBody(target, body, caller);
  const known = registry.store.get(served.resource, keyOfTarget(target));
  if (target.subresource === "scale" && known) {
    const replicas = isObject(body["spec"]) ? body["spec"] : {};
    return updateScale(registry, target, { ...scaleOf(target, known), spec: replicas }, caller);
  }
  const live = known && toServed(served, known.object);
  const config = cutToEndpoint(target, body);
  const applied = serverSideApply({
    live: live as (KubeObject & JsonObject) | undefined,
    managed: parseManaged(managedText(known?.managed)),
    config,
    manager: caller.manager,
    force: caller.force ?? false,
    apiVersion: served.apiVersion,
    schema: served.definition.schema(),
    now: registry.now(),
    ...(target.subresource === undefined ? {} : { subresource: target.subresource }),
  });
  const managed = formatManaged(applied.managed);
  const next = applied.object as Incoming & JsonObject;
  if (!known || applied.changed) checkTypes(served, next, live);
  if (!known) return createStored(registry, target, toStored(served, next), caller, () => managed);
  if (!applied.changed) return { entry: known, created: false };
  return writeOver(registry, target, { old: known, next: toStored(served, next), caller, managed });
}

function checkBody({ served, name, subresource }: Target, body: JsonObject, caller: Caller): void {
  const { kind, version } = served.definition.kind;
  const metadata = isObject(body["metadata"]) ? body["metadata"] : {};
  const scale = subresource === "scale";
  if (!scale && (body["apiVersion"] !== served.apiVersion || body["kind"] !== kind))
    throw badRequest(
      `the apiVersion and kind of the applied object (${String(body["apiVersion"])}, ${String(body["kind"])}) must be those of the request (${served.apiVersion}, ${kind})`,
    );
  if (metadata["name"] !== undefined && metadata["name"] !== name)
    throw badRequest(
      `the name of the object (${String(metadata["name"])}) does not match the name on the URL (${name})`,
    );
  if (metadata["managedFields"] !== undefined) throw badRequest("metadata.managedFields must be nil");
  if (caller.manager === "")
    throw invalid({ group: "meta.k8s.io", kind: "PatchOptions" }, "", [
      fieldError.required("fieldManager", "is required for apply patch"),
    ]);
  const unknown = scale ? [] : pruneUnknownFields(body, served.definition.schema());
  if (unknown.length === 0) return;
  const group = served.definition.kind.group === "" ? version : `${served.definition.kind.group}/${version}`;
  throw failure(
    500,
    "InternalError",
    `failed to create typed patch object (${name}; ${group}, Kind=${kind}): .${unknown[0]}: field not declared in schema`,
  );
}

/** What the endpoint cannot write is not applied by it: no status on a main endpoint, nothing else on /status. */
function cutToEndpoint({ served, subresource }: Target, body: JsonObject): JsonObject {
  const { apiVersion, kind, metadata, status, ...rest } = body;
  if (subresource === "status")
    return { apiVersion, kind, metadata: metadata ?? {}, ...(status === undefined ? {} : { status }) };
  const kept = served.definition.statusSubresource || status === undefined ? {} : { status };
  return { apiVersion, kind, metadata: metadata ?? {}, ...rest, ...kept };
}
