import type { KindDefinition } from "../../api/meta/definition.ts";
import { fieldError, type FieldError } from "../../api/meta/field-error.ts";
import {
  checkDns1035Label,
  checkDnsLabel,
  checkDnsSubdomain,
  checkLabelKey,
  checkLabelValue,
  checkPathSegment,
} from "../../api/meta/names.ts";
import type { KubeObject } from "../../api/meta/object.ts";

const nameChecks = {
  "dns-subdomain": checkDnsSubdomain,
  "dns-label": checkDnsLabel,
  "dns-1035": checkDns1035Label,
  "path-segment": checkPathSegment,
} as const;

const maxAnnotationBytes = 256 * 1024;

/** Checks of ObjectMeta that hold for every kind (apimachinery pkg/api/validation/objectmeta.go). */
export function validateMetadata(definition: KindDefinition, object: KubeObject, old?: KubeObject): FieldError[] {
  const { metadata } = object;
  const errors: FieldError[] = old ? [] : nameErrors(definition, object);
  errors.push(...labelErrors(metadata.labels ?? {}), ...annotationErrors(metadata.annotations ?? {}));
  errors.push(...ownerErrors(object), ...finalizerErrors(object, old));
  return errors;
}

function nameErrors(definition: KindDefinition, { metadata }: KubeObject): FieldError[] {
  if (!metadata.name) {
    const detail = "name or generateName is required";
    return metadata.generateName ? [] : [fieldError.required("metadata.name", detail)];
  }
  const check = nameChecks[definition.nameRule ?? "dns-subdomain"];
  return check(metadata.name).map((text) => fieldError.invalid("metadata.name", metadata.name, text));
}

function labelErrors(labels: Readonly<Record<string, string>>): FieldError[] {
  const errors: FieldError[] = [];
  for (const [key, value] of Object.entries(labels)) {
    for (const text of checkLabelKey(key)) errors.push(fieldError.invalid("metadata.labels", key, text));
    for (const text of checkLabelValue(value)) errors.push(fieldError.invalid("metadata.labels", value, text));
  }
  return errors;
}

function annotationErrors(annotations: Readonly<Record<string, string>>): FieldError[] {
  const errors: FieldError[] = [];
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations)) {
    for (const text of checkLabelKey(key.toLowerCase()))
      errors.push(fieldError.invalid("metadata.annotations", key, text));
    bytes += key.length + Buffer.byteLength(value);
  }
  if (bytes > maxAnnotationBytes) errors.push(fieldError.tooLong("metadata.annotations", maxAnnotationBytes));
  return errors;
}

function ownerErrors({ metadata }: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const owners = metadata.ownerReferences ?? [];
  for (const [i, owner] of owners.entries()) {
    for (const field of ["apiVersion", "kind", "name", "uid"] as const)
      if (!owner[field])
        errors.push(
          fieldError.invalid(`metadata.ownerReferences[${i}].${field}`, owner[field] ?? "", "must not be empty"),
        );
  }
  const controllers = owners.filter((owner) => owner.controller === true);
  if (controllers.length > 1) {
    const text = `Only one reference can have Controller set to true. Found "true" in references for ${controllers[0]?.kind}/${controllers[0]?.name} and ${controllers[1]?.kind}/${controllers[1]?.name}`;
    errors.push(fieldError.invalid("metadata.ownerReferences", owners, text));
  }
  return errors;
}

const standardFinalizers: ReadonlySet<string> = new Set(["orphan", "foregroundDeletion", "kubernetes"]);

function finalizerErrors({ metadata }: KubeObject, old?: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, finalizer] of (metadata.finalizers ?? []).entries()) {
    if (standardFinalizers.has(finalizer)) continue;
    const field = `metadata.finalizers[${i}]`;
    for (const text of checkLabelKey(finalizer)) errors.push(fieldError.invalid(field, finalizer, text));
  }
  if (old?.metadata.deletionTimestamp) {
    const known = old.metadata.finalizers ?? [];
    const added = (metadata.finalizers ?? []).filter((finalizer) => !known.includes(finalizer));
    if (added.length > 0) {
      const text = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((f) => JSON.stringify(f)).join(", ")}}`;
      errors.push({ type: "FieldValueForbidden", field: "metadata.finalizers", message: `Forbidden: ${text}` });
    }
  }
  return errors;
}
