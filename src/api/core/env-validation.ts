/** Checks of environment variables (Kubernetes pkg/apis/core/validation, ValidateEnv and ValidateEnvFrom). */
import { checkText, eachItem, requireText } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import { checkConfigMapKey, checkDnsSubdomain, checkEnvVarName, checkLabelKey } from "../meta/names.ts";
import { canonicalQuantity } from "../meta/quantity.ts";
import type { EnvFromSource, EnvVar, EnvVarSource, ObjectFieldSelector, ResourceFieldSelector } from "./types.gen.ts";

const podFields = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];
/** Fields a downwardAPI volume can show; the others can change without the file following. */
const volumeFields = ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];
const resourceFields = [
  "limits.cpu",
  "limits.ephemeral-storage",
  "limits.memory",
  "requests.cpu",
  "requests.ephemeral-storage",
  "requests.memory",
];
const cpuDivisors = ["1m", "1"];
const byteDivisors = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

export function validateEnv(variables: readonly EnvVar[] | undefined, field: string): readonly FieldError[] {
  return eachItem(field, variables, (variable, at) => [
    ...requireText(`${at}.name`, variable.name, checkEnvVarName),
    ...(variable.valueFrom ? sourceErrors(variable, variable.valueFrom, `${at}.valueFrom`) : []),
  ]);
}

function sourceErrors(variable: EnvVar, source: EnvVarSource, field: string): readonly FieldError[] {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source;
  const count = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(Boolean).length;
  return [
    ...(fieldRef ? validateFieldRef(fieldRef, `${field}.fieldRef`, "env") : []),
    ...(resourceFieldRef ? validateResourceFieldRef(resourceFieldRef, `${field}.resourceFieldRef`, "env") : []),
    ...(configMapKeyRef ? keyErrors(configMapKeyRef, `${field}.configMapKeyRef`) : []),
    ...(secretKeyRef ? keyErrors(secretKeyRef, `${field}.secretKeyRef`) : []),
    ...countErrors(count, variable, field),
  ];
}

function countErrors(count: number, { value }: EnvVar, field: string): readonly FieldError[] {
  if (count === 0) {
    const text = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`";
    return [fieldError.invalid(field, "", text)];
  }
  if (value) return [fieldError.invalid(field, "", "may not be specified when `value` is not empty")];
  return count > 1 ? [fieldError.invalid(field, "", "may not have more than one field specified at a time")] : [];
}

function keyErrors({ name = "", key }: { readonly name?: string; readonly key: string }, field: string): FieldError[] {
  return [
    ...checkDnsSubdomain(name).map((text) => fieldError.invalid(`${field}.name`, name, text)),
    ...requireText(`${field}.key`, key, checkConfigMapKey),
  ];
}

/** A reference to a field of the pod, from an environment variable or a volume. */
export function validateFieldRef(
  { apiVersion, fieldPath }: ObjectFieldSelector,
  field: string,
  place: "env" | "volume",
): readonly FieldError[] {
  if (!apiVersion) return [fieldError.required(`${field}.apiVersion`)];
  if (!fieldPath) return [fieldError.required(`${field}.fieldPath`)];
  const keyed = /^(.+)\['(.*)'\]$/.exec(fieldPath);
  if (keyed) {
    const [, path = "", key = ""] = keyed;
    if (path === "metadata.annotations") return checkText(field, key.toLowerCase(), checkLabelKey);
    if (path === "metadata.labels") return checkText(field, key, checkLabelKey);
    return [fieldError.invalid(field, path, "does not support subscript")];
  }
  const allowed = place === "env" ? podFields : volumeFields;
  if (allowed.includes(fieldPath)) return [];
  if (podFields.includes(fieldPath) || volumeFields.includes(fieldPath))
    return [fieldError.notSupported(`${field}.fieldPath`, fieldPath, allowed)];
  const text = `error converting fieldPath: field label not supported: ${fieldPath}`;
  return [fieldError.invalid(`${field}.fieldPath`, fieldPath, text)];
}

/** A reference to a container's resources; a volume must say of which container. */
export function validateResourceFieldRef(
  { containerName, resource, divisor }: ResourceFieldSelector,
  field: string,
  place: "env" | "volume",
): readonly FieldError[] {
  if (place === "volume" && !containerName) return [fieldError.required(`${field}.containerName`)];
  if (!resource) return [fieldError.required(`${field}.resource`)];
  const huge = /^(requests|limits)\.hugepages-/.test(resource);
  if (!huge && !resourceFields.includes(resource))
    return [fieldError.notSupported(`${field}.resource`, resource, resourceFields)];
  const unit = canonicalQuantity(divisor ?? "0");
  const allowed = resource.endsWith(".cpu") ? cpuDivisors : byteDivisors;
  if (unit === "0" || allowed.includes(unit)) return [];
  const what = huge ? "hugepages" : divisorNames[resource.split(".")[1] ?? ""];
  const list = resource.endsWith(".cpu") ? "1m and 1" : byteDivisors.join(", ");
  return [
    fieldError.invalid(
      `${field}.divisor`,
      resource,
      `only divisor's values ${list} are supported with the ${what} resource`,
    ),
  ];
}

const divisorNames: Readonly<Record<string, string>> = {
  cpu: "cpu",
  memory: "memory",
  "ephemeral-storage": "local ephemeral storage",
};

export function validateEnvFrom(sources: readonly EnvFromSource[] | undefined, field: string): readonly FieldError[] {
  return eachItem(field, sources, ({ prefix, configMapRef, secretRef }, at) => [
    ...checkText(`${at}.prefix`, prefix, checkEnvVarName),
    ...(configMapRef ? requireText(`${at}.configMapRef.name`, configMapRef.name, checkDnsSubdomain) : []),
    ...(secretRef ? requireText(`${at}.secretRef.name`, secretRef.name, checkDnsSubdomain) : []),
    ...(configMapRef || secretRef
      ? []
      : [fieldError.invalid(field, "", "must specify one of: `configMapRef` or `secretRef`")]),
    ...(configMapRef && secretRef
      ? [fieldError.invalid(field, "", "may not have more than one field specified at a time")]
      : []),
  ]);
}
