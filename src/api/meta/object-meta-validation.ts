/** Checks of ObjectMeta that hold for every kind (apimachinery pkg/api/validation/objectmeta.go). */
import type { KindDefinition } from "./definition.ts";
import { checkImmutable, complaints, eachItem, requireText } from "./field-checks.ts";
import { fieldError, type FieldError } from "./field-error.ts";
import { validateLabels } from "./label-validation.ts";
import { checkDns1035Label, checkDnsLabel, checkDnsSubdomain, checkLabelKey, checkPathSegment } from "./names.ts";
import type { ObjectMeta, OwnerReference } from "./types.gen.ts";

const nameChecks = {
  "dns-subdomain": checkDnsSubdomain,
  "dns-label": checkDnsLabel,
  "dns-1035": checkDns1035Label,
  "path-segment": checkPathSegment,
} as const;

const maxAnnotationBytes = 256 * 1024;

type NameFacts = Pick<KindDefinition, "nameRule"> & { readonly kind: Pick<KindDefinition["kind"], "namespaced"> };

/** Metadata of a create (old undefined) or update. The name must be there: generated ones are made before. */
export function validateObjectMeta(
  definition: NameFacts,
  metadata: ObjectMeta,
  old: ObjectMeta | undefined,
): readonly FieldError[] {
  return [
    ...(old ? identityErrors(metadata, old) : nameErrors(definition, metadata)),
    ...validateLabels(metadata.labels, "metadata.labels"),
    ...validateAnnotations(metadata.annotations, "metadata.annotations"),
    ...validateOwnerReferences(metadata.ownerReferences),
    ...finalizerErrors(metadata, old),
  ];
}

function nameErrors({ nameRule, kind }: NameFacts, { name, generateName, namespace }: ObjectMeta): FieldError[] {
  const check = nameChecks[nameRule ?? "dns-subdomain"];
  // A base is checked as the name it begins: a trailing dash is fine, the suffix follows it.
  const base = generateName?.replace(/-$/, "a");
  return [
    ...(base ? complaints("metadata.generateName", generateName, check(base)) : []),
    ...(name
      ? complaints("metadata.name", name, check(name))
      : [fieldError.required("metadata.name", "name or generateName is required")]),
    ...(kind.namespaced
      ? requireText("metadata.namespace", namespace, checkDnsLabel)
      : namespace
        ? [fieldError.forbidden("metadata.namespace", "not allowed on this type")]
        : []),
  ];
}

function identityErrors(metadata: ObjectMeta, old: ObjectMeta): FieldError[] {
  const fields = ["name", "namespace", "uid", "creationTimestamp"] as const;
  return fields.flatMap((field) => checkImmutable(`metadata.${field}`, metadata[field], old[field]));
}

/** Annotation keys are label keys in any letter case; all keys and values together may be 256 KiB. */
export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  field: string,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    errors.push(...complaints(field, key, checkLabelKey(key.toLowerCase())));
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (bytes > maxAnnotationBytes) errors.push(fieldError.tooLong(field, maxAnnotationBytes));
  return errors;
}

export function validateOwnerReferences(owners: readonly OwnerReference[] | undefined): readonly FieldError[] {
  if (!owners?.length) return [];
  const field = "metadata.ownerReferences";
  const errors = [...eachItem(field, owners, validateOwnerReference)];
  let first: string | undefined;
  for (const { controller, kind, name } of owners) {
    if (!controller) continue;
    const text = `Only one reference can have Controller set to true. Found "true" in references for ${first} and ${kind}/${name}`;
    if (first !== undefined) errors.push(fieldError.invalid(field, owners, text));
    first ??= `${kind}/${name}`;
  }
  return errors;
}

function validateOwnerReference(owner: OwnerReference, field: string): FieldError[] {
  const errors = (["apiVersion", "kind", "name", "uid"] as const)
    .filter((key) => !owner[key])
    .map((key) => fieldError.required(`${field}.${key}`, "must not be empty"));
  if (owner.apiVersion && !/^([^/]+\/)?[^/]+$/.test(owner.apiVersion))
    errors.push(fieldError.invalid(`${field}.apiVersion`, owner.apiVersion, "must be <group>/<version> or <version>"));
  if (owner.apiVersion === "v1" && owner.kind === "Event")
    errors.push(fieldError.invalid(field, owner, "/v1, Kind=Event is disallowed from being an owner"));
  return errors;
}

/** Finalizers without a prefix are only these; others must be `domain/name`. */
const standardFinalizers: ReadonlySet<string> = new Set(["orphan", "foregroundDeletion", "kubernetes"]);

function finalizerErrors({ finalizers = [] }: ObjectMeta, old: ObjectMeta | undefined): FieldError[] {
  const field = "metadata.finalizers";
  const errors = finalizers
    .filter((finalizer) => !standardFinalizers.has(finalizer))
    .flatMap((finalizer) => [...complaints(field, finalizer, checkLabelKey(finalizer))]);
  if (finalizers.includes("orphan") && finalizers.includes("foregroundDeletion")) {
    const text = "finalizer orphan and foregroundDeletion cannot be both set";
    errors.push(fieldError.invalid(field, finalizers, text));
  }
  if (!old?.deletionTimestamp) return errors;
  const added = [...new Set(finalizers.filter((finalizer) => !old.finalizers?.includes(finalizer)))].sort();
  if (added.length > 0) {
    const list = `[]string{${added.map((finalizer) => JSON.stringify(finalizer)).join(", ")}}`;
    const text = `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`;
    errors.push(fieldError.forbidden(field, text));
  }
  return errors;
}
