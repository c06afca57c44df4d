import { badRequest } from "../../api/meta/errors.ts";
import { apiVersionOf } from "../../api/meta/kind.ts";
import { pruneUnknownFields } from "../schema/unknown-fields.ts";
import type { Served } from "./catalog.ts";
import { isObject } from "../schema/json-value.ts";
import type { Caller, Incoming } from "./request.ts";

/**
 * Turns a decoded body into an object of the served version: checks that it says it is one, drops and reports unknown
 * fields as fieldValidation asks, fills schema defaults. `unknown` are field complaints the decoder already found.
 */
export function takeIn(served: Served, body: unknown, caller: Caller, complaints: readonly string[] = []): Incoming {
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
  const unknown = pruneUnknownFields(object, served.definition.schema()).map((path) => `unknown field "${path}"`);
  reportUnknown(served, [...unknown, ...complaints], caller);
  return object;
}

function reportUnknown(served: Served, complaints: readonly string[], caller: Caller): void {
  if (complaints.length === 0 || caller.fieldValidation === "Ignore") return;
  if (caller.fieldValidation === "Warn") {
    complaints.forEach((text) => caller.warn(text));
    return;
  }
  const { kind, version } = served.definition.kind;
  throw badRequest(
    `${kind} in version "${version}" cannot be handled as a ${kind}: strict decoding error: ${complaints.join(", ")}`,
  );
}

/** The object in the storage version, its keys in stored order: apiVersion, kind, metadata, then the rest. */
export function toStored(served: Served, object: Incoming): Incoming {
  const { apiVersion: _a, kind: _k, metadata, ...rest } = (served.conversion?.toStored(object) ?? object) as Incoming;
  const { kind } = served.storage;
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata, ...rest };
}

/** A stored object in the version a client asked for. */
export function toServed<T>(served: Served, object: T): T {
  return served.conversion ? (served.conversion.fromStored(object as never) as T) : object;
}
