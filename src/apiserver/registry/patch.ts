import { badRequest, conflict, notFound, unsupportedMediaType } from "../../api/meta/errors.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import type { Patch } from "../../api/meta/requests.ts";
import type { Schema } from "../../api/meta/schema.ts";
import { isObject, type JsonObject } from "../schema/json-value.ts";
import { jsonPatch } from "../patch/json-patch.ts";
import { mergePatch } from "../patch/merge-patch.ts";
import { strategicMergePatch } from "../patch/strategic-merge.ts";
import { managedText } from "../storage/managed-text.ts";
import { apply } from "./apply.ts";
import type { Outcome } from "./create.ts";
import { reportUnknown, takeIn, toServed, toStored } from "./intake.ts";
import { copyJson } from "./json.ts";
import { keyOfTarget, type Registry } from "./registry.ts";
import type { Caller, Incoming, Target } from "./request.ts";
import { scaleOf, updateScale } from "./scale.ts";
import { checkPreconditions, writeOver } from "./update.ts";

/** Changes an object by a patch of any kind; reading, patching and writing are one turn, so there is no race to lose. */
export function patch(
  registry: Registry,
  target: Target,
  change: Patch,
  caller: Caller,
  complaints: readonly string[] = [],
): Outcome {
  const { served } = target;
  if (change.type === "apply") reportUnknown(served, complaints, caller);
  if (change.type === "apply") return apply(registry, target, change.body as JsonObject, caller);
  const known = registry.store.get(served.resource, keyOfTarget(target));
  if (!known) throw notFound(served.definition.kind, target.name);
  if (target.subresource === "scale")
    return updateScale(registry, target, applyAny(target, scaleOf(target, known), change), caller);
  const old = toServed(served, known.object);
  const live = copyJson(old) as Incoming;
  if (touchesManaged(change) && known.managed) live.metadata.managedFields = JSON.parse(managedText(known.managed));
  const patched = takeIn(served, applyAny(target, live, change), caller, { old, complaints, patch: change.body });
  if (patched.metadata.name !== target.name)
    throw badRequest(
      `the name of the object (${patched.metadata.name}) does not match the name on the URL (${target.name})`,
    );
  checkVersion(target, patched, String(known.revision));
  checkPreconditions(target, { uid: patched.metadata.uid }, known);
  return writeOver(registry, target, { old: known, next: toStored(served, patched), caller });
}

function checkVersion(target: Target, patched: Incoming, version: string): void {
  const given = patched.metadata.resourceVersion;
  if (given && given !== version) throw conflict(target.served.definition.kind, target.name);
}

/** Only a patch that speaks of managedFields needs to see them. */
function touchesManaged(change: Patch): boolean {
  if (change.type === "json") {
    // What is no list of operations is refused where they are applied.
    const operations: readonly { readonly path?: unknown }[] = Array.isArray(change.body) ? change.body : [];
    return operations.some(({ path }) => path === "/metadata" || String(path).startsWith("/metadata/managedFields"));
  }
  const { metadata } = change.body;
  return isObject(metadata) && "managedFields" in metadata;
}

function applyAny(target: Target, object: KubeObject, change: Patch): unknown {
  const live = object as KubeObject & JsonObject;
  switch (change.type) {
    case "merge":
      return mergePatch(live, change.body);
    case "json":
      return jsonPatch(live, change.body);
    case "strategic":
      return strategicMergePatch(live, change.body, schemaFor(target));
    case "apply":
      throw new Error("an apply is no patch of the live object");
    default:
      return change satisfies never;
  }
}

/** Only built-in kinds have merge keys. */
function schemaFor({ served, subresource }: Target): Schema {
  if (served.custom) throw unsupportedMediaType(strategicText);
  return subresource === "scale" ? { type: "object" } : served.definition.schema();
}

const strategicText =
  "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
