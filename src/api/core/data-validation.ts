/** Checks of ConfigMaps and Secrets (Kubernetes pkg/apis/core/validation, ValidateConfigMap and ValidateSecret). */
import { checkImmutable, complaints } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import { jsonEqual } from "../meta/json-equal.ts";
import { checkConfigMapKey } from "../meta/names.ts";
import type { ConfigMap, Secret } from "./types.gen.ts";

/** All values of one object together. */
const maxBytes = 1024 * 1024;
const frozenText = "field is immutable when `immutable` is set";

type Values = Readonly<Record<string, string>> | undefined;

export function validateConfigMap(map: ConfigMap, old: ConfigMap | undefined): readonly FieldError[] {
  const { data = {}, binaryData = {} } = map;
  const shared = Object.keys(data).filter((key) => Object.hasOwn(binaryData, key));
  return [
    ...keyErrors(data, "data"),
    ...shared.map((key) => fieldError.invalid(`data[${key}]`, key, "duplicate of key present in binaryData")),
    ...keyErrors(binaryData, "binaryData"),
    ...(textBytes(data) + base64Bytes(binaryData) > maxBytes ? [fieldError.tooLong("", maxBytes)] : []),
    ...(old?.immutable ? frozenErrors(map, old, ["data", "binaryData"]) : []),
  ];
}

export function validateSecret(secret: Secret, old: Secret | undefined): readonly FieldError[] {
  return [
    ...keyErrors(secret.data, "data"),
    ...(base64Bytes(secret.data) > maxBytes ? [fieldError.tooLong("data", maxBytes)] : []),
    ...secretTypeErrors(secret),
    ...(old ? checkImmutable("type", secret.type, old.type) : []),
    ...(old?.immutable ? frozenErrors(secret, old, ["data"]) : []),
  ];
}

function keyErrors(values: Values, field: string): readonly FieldError[] {
  return Object.keys(values ?? {}).flatMap((key) => complaints(`${field}[${key}]`, key, checkConfigMapKey(key)));
}

function textBytes(values: Values): number {
  return Object.values(values ?? {}).reduce((sum, value) => sum + Buffer.byteLength(value), 0);
}

function base64Bytes(values: Values): number {
  return Object.values(values ?? {}).reduce((sum, value) => sum + Buffer.byteLength(value, "base64"), 0);
}

interface Freezable {
  readonly immutable?: boolean;
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

/** An object that is immutable stays so with all it holds. */
function frozenErrors(value: Freezable, old: Freezable, fields: readonly ("data" | "binaryData")[]): FieldError[] {
  const changed = fields.filter((field) => !jsonEqual(value[field] ?? {}, old[field] ?? {}));
  return [...(value.immutable ? [] : ["immutable"]), ...changed].map((field) =>
    fieldError.forbidden(field, frozenText),
  );
}

const accountAnnotation = "kubernetes.io/service-account.name";
/** Keys that a type of Secret must have. */
const requiredKeys: Readonly<Record<string, readonly string[]>> = {
  "kubernetes.io/dockercfg": [".dockercfg"],
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
};

function secretTypeErrors({ type = "", data = {}, metadata }: Secret): readonly FieldError[] {
  if (type === "kubernetes.io/service-account-token")
    return metadata.annotations?.[accountAnnotation]
      ? []
      : [fieldError.required(`metadata.annotations[${accountAnnotation}]`)];
  if (type === "kubernetes.io/basic-auth")
    return Object.hasOwn(data, "username") || Object.hasOwn(data, "password")
      ? []
      : [fieldError.required("data[username]"), fieldError.required("data[password]")];
  const keys = Object.hasOwn(requiredKeys, type) ? (requiredKeys[type] ?? []) : [];
  return keys.flatMap((key) => {
    const value = data[key];
    if (value === undefined) return [fieldError.required(`data[${key}]`)];
    return key.startsWith(".docker") ? jsonErrors(value, `data[${key}]`) : [];
  });
}

function jsonErrors(base64: string, field: string): readonly FieldError[] {
  try {
    JSON.parse(Buffer.from(base64, "base64").toString());
    return [];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [fieldError.invalid(field, "<secret contents redacted>", "the value is not valid JSON")];
  }
}
