import { badRequest, invalid, isApiError } from "../../api/meta/errors.ts";
import { fieldError } from "../../api/meta/field-error.ts";
import { apiVersionOf } from "../../api/meta/kind.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import { conformToGoTypes } from "../decode/go-types.ts";
import { applySchemaDefaults } from "../schema/defaults.ts";
import { validateSchema } from "../schema/validate.ts";
import { pruneUnknownFields } from "../schema/unknown-fields.ts";
import type { Served } from "./catalog.ts";
import { isObject, type JsonObject } from "../schema/json-value.ts";
import type { Caller, Incoming } from "./request.ts";

export interface IntakeOptions {
  /** Complaints about fields that the decoder already has, such as `duplicate field "spec.a"`. */
  readonly complaints?: readonly string[] | undefined;
  /** The stored object in the served version: custom resources may keep values their schema no longer allows. */
  readonly old?: KubeObject | undefined;
  /** The patch the object comes from: complaints are then about the patch, and answer 422. */
  readonly patch?: unknown;
}

/**
 * Turns a decoded body into an object of the served version: checks that it says it is one, drops and reports unknown
 * fields as fieldValidation asks, and makes sure every value has the type the code behind it relies on (400 in the
 * words of Go's decoder for built-in kinds, 422 for custom ones, whose schema defaults are filled here too).
 */
export function takeIn(served: Served, body: unknown, caller: Caller, options: IntakeOptions = {}): Incoming {
  const { kind } = served.definition.kind;
  const version = served.definition.kind.version;
  if (!isObject(body))
    throw badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: not an object`);
  const object = body as Incoming;
  object.apiVersion ??= served.apiVersion;
  object.kind ??= kind;
  if (object.apiVersion !== served.apiVersion)
    throw badRequest(
      `the API version in the data (${object.apiVersion}) does not match the expected API version (${served.apiVersion})`,
    );
  if (object.kind !== kind)
    throw badRequest(
      `${object.kind} in version "${version}" cannot be handled as a ${kind}: the kind in the data does not match`,
    );
  if (object.metadata !== undefined && !isObject(object.metadata))
    throw badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: metadata must be an object`);
  object.metadata ??= { name: "" };
  const schema = served.definition.schema();
  const unknown = pruneUnknownFields(object, schema).map((path) => `unknown field "${path}"`);
  reportUnknown(served, [...unknown, ...(options.complaints ?? [])], caller, options.patch);
  if (options.patch === undefined) checkTypes(served, object, options.old);
  else checkPatchedTypes(served, object, options);
  return object;
}

/** What a patch makes is refused as an invalid patch, where the same body sent whole would be a bad request. */
function checkPatchedTypes(served: Served, object: Incoming, { old, patch }: IntakeOptions): void {
  try {
    checkTypes(served, object, old);
  } catch (error) {
    if (!isApiError(error) || error.code !== 400) throw error;
    const detail = error.message.replace(/^\S+ in version "\S+" cannot be handled as a \S+: /, "");
    throw invalid({ group: "", kind: "" }, "", [fieldError.invalid("patch", JSON.stringify(patch), detail)]);
  }
}

/** Makes sure every value has the type it should have, in its canonical form; fills a custom resource's defaults. */
export function checkTypes(served: Served, object: Incoming, old: KubeObject | undefined): void {
  const { kind, version } = served.definition.kind;
  if (served.custom) checkCustom(served, object, old);
  else conformToGoTypes(object, served.definition.schema(), { kind, version });
}

function checkCustom(served: Served, object: Incoming, old: KubeObject | undefined): void {
  const schema = served.definition.schema();
  applySchemaDefaults(object, schema);
  const errors = validateSchema(object, schema, old as (KubeObject & JsonObject) | undefined);
  if (errors.length > 0) throw invalid(served.definition.kind, object.metadata.name ?? "", errors);
}

/** Unknown and duplicate fields are passed over, warned of, or refused, as the caller asked. */
export function reportUnknown(served: Served, complaints: readonly string[], caller: Caller, patch?: unknown): void {
  if (complaints.length === 0 || caller.fieldValidation === "Ignore") return;
  if (caller.fieldValidation === "Warn") {
    complaints.forEach((text) => caller.warn(text));
    return;
  }
  const problem = `strict decoding error: ${complaints.join(", ")}`;
  if (patch !== undefined)
    throw invalid({ group: "", kind: "" }, "", [fieldError.invalid("patch", JSON.stringify(patch), problem)]);
  const { kind, version } = served.definition.kind;
  throw badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${problem}`);
}

/** The object in the storage version, its keys in stored order: apiVersion, kind, metadata, then the rest. */
export function toStored(served: Served, object: Incoming): Incoming {
  const { apiVersion: _a, kind: _k, metadata, ...rest } = (served.conversion?.toStored(object) ?? object) as Incoming;
  const { kind } = served.storage;
  const stored: Incoming = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata, ...rest };
  // A conversion takes values out of annotations, whose contents nobody has checked yet.
  if (served.conversion && !served.custom)
    conformToGoTypes(stored, served.storage.schema(), { kind: kind.kind, version: kind.version });
  return stored;
}

/** A stored object in the version a client asked for. */
export function toServed<T>(served: Served, object: T): T {
  return served.conversion ? (served.conversion.fromStored(object as never) as T) : object;
}
