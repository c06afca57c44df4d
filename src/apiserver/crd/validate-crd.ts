/** The checks of a CustomResourceDefinition (apiextensions-apiserver pkg/apis/apiextensions/validation), with upstream's texts. */
import { fieldError, type FieldError } from "../../api/meta/field-error.ts";
import type { Schema } from "../../api/meta/schema.ts";
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionVersion,
} from "../../api/apiextensions/types.gen.ts";
import { jsonEqual } from "../schema/json-value.ts";
import { checkRules } from "./cel-rules.ts";
import { compileJsonPath } from "./json-path.ts";
import { checkSchemaShape } from "./schema-shape.ts";
import { validateStructural } from "./validate-structural.ts";

const dns1035 = /^[a-z](?:[-a-z0-9]*[a-z0-9])?$/;
const dnsSubdomain = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const dns1035Text =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

/** Everything wrong with a definition; `old` is the stored one on an update. */
export function validateCrd(crd: CustomResourceDefinition, old?: CustomResourceDefinition): readonly FieldError[] {
  const { spec } = crd;
  if (!spec)
    return ["group", "names.plural", "names.kind", "versions"].map((field) => fieldError.required(`spec.${field}`));
  const errors: FieldError[] = [];
  const name = `${spec.names?.plural ?? ""}.${spec.group ?? ""}`;
  if (crd.metadata.name !== name)
    errors.push(fieldError.invalid("metadata.name", crd.metadata.name, 'must be spec.names.plural+"."+spec.group'));
  validateGroup(spec.group, errors);
  if (spec.scope !== "Cluster" && spec.scope !== "Namespaced")
    errors.push(fieldError.notSupported("spec.scope", spec.scope, ["Cluster", "Namespaced"]));
  validateNames(spec.names, errors);
  validateVersions(crd, old, errors);
  if (spec.preserveUnknownFields) errors.push(fieldError.invalid("spec.preserveUnknownFields", true, "must be false"));
  validateConversion(crd, errors);
  if (old) validateImmutable(crd, old, errors);
  return errors;
}

function validateGroup(group: string, errors: FieldError[]): void {
  if (!group) errors.push(fieldError.required("spec.group"));
  else if (!dnsSubdomain.test(group))
    errors.push(
      fieldError.invalid("spec.group", group, "a lowercase RFC 1123 subdomain is expected, such as example.com"),
    );
  else if (!group.includes("."))
    errors.push(fieldError.invalid("spec.group", group, "should be a domain with at least one dot"));
}

function validateNames(names: CustomResourceDefinitionNames | undefined, errors: FieldError[]): void {
  const label = (field: string, value: string | undefined, isRequired: boolean): void => {
    if (!value) {
      if (isRequired) errors.push(fieldError.required(field));
    } else if (
      !dns1035.test(value.toLowerCase()) ||
      (field !== "spec.names.kind" && field !== "spec.names.listKind" && value !== value.toLowerCase())
    )
      errors.push(fieldError.invalid(field, value, dns1035Text));
  };
  label("spec.names.plural", names?.plural, true);
  label("spec.names.singular", names?.singular, false);
  label("spec.names.kind", names?.kind, true);
  label("spec.names.listKind", names?.listKind, false);
  names?.shortNames?.forEach((short, index) => label(`spec.names.shortNames[${index}]`, short, true));
  names?.categories?.forEach((category, index) => label(`spec.names.categories[${index}]`, category, true));
  if (names?.kind && names.kind === names.listKind)
    errors.push(fieldError.invalid("spec.names.listKind", names.listKind, "kind and listKind may not be the same"));
}

function validateVersions(
  crd: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
  errors: FieldError[],
): void {
  const versions = crd.spec.versions ?? [];
  const names = versions.map(({ name }) => name);
  if (new Set(names).size !== names.length)
    errors.push(fieldError.invalid("spec.versions", names, "must contain unique version names"));
  if (versions.filter(({ storage }) => storage).length !== 1)
    errors.push(fieldError.invalid("spec.versions", names, "must have exactly one version marked as storage version"));
  versions.forEach((version, index) => {
    const before = old?.spec.versions.find(({ name }) => name === version.name);
    validateVersion(version, before, { path: `spec.versions[${index}]`, errors });
  });
  for (const stored of old?.status?.storedVersions ?? []) {
    if (!names.includes(stored))
      errors.push(
        fieldError.invalid(
          "status.storedVersions[0]",
          stored,
          "missing from spec.versions; must appear in spec.versions",
        ),
      );
  }
}

interface Report {
  readonly path: string;
  readonly errors: FieldError[];
}

function validateVersion(
  version: CustomResourceDefinitionVersion,
  old: CustomResourceDefinitionVersion | undefined,
  { path, errors }: Report,
): void {
  if (!version.name) errors.push(fieldError.required(`${path}.name`));
  else if (!dns1035.test(version.name)) errors.push(fieldError.invalid(`${path}.name`, version.name, dns1035Text));
  const schema = version.schema?.openAPIV3Schema as Schema | undefined;
  const at = `${path}.schema.openAPIV3Schema`;
  if (!schema) errors.push(fieldError.required(at, "schemas are required"));
  // A schema accepted once is not held against the definition again while it stays as it is.
  else if (!jsonEqual(schema, old?.schema?.openAPIV3Schema)) errors.push(...validateSchemaAt(schema, at));
  if (version.deprecationWarning !== undefined && !version.deprecated)
    errors.push(
      fieldError.invalid(
        `${path}.deprecationWarning`,
        version.deprecationWarning,
        "can only be set for deprecated versions",
      ),
    );
  validateColumns(version, { path, errors });
  validateScale(version, { path: `${path}.subresources.scale`, errors });
}

/** Each check relies on the one before. */
function validateSchemaAt(schema: Schema, path: string): FieldError[] {
  const shape = checkSchemaShape(schema, path);
  if (shape.length > 0) return shape;
  const structural = validateStructural(schema, path);
  return structural.length > 0 ? structural : checkRules(schema, path);
}

const columnTypes = ["boolean", "date", "integer", "number", "string"];

function validateColumns(version: CustomResourceDefinitionVersion, { path, errors }: Report): void {
  version.additionalPrinterColumns?.forEach((column, index) => {
    const at = `${path}.additionalPrinterColumns[${index}]`;
    if (!column.name) errors.push(fieldError.required(`${at}.name`));
    if (!column.type) errors.push(fieldError.required(`${at}.type`, `must be one of ${columnTypes.join(",")}`));
    else if (!columnTypes.includes(column.type))
      errors.push(fieldError.invalid(`${at}.type`, column.type, `must be one of ${columnTypes.join(",")}`));
    checkPath(`${at}.jsonPath`, column.jsonPath, errors);
  });
  version.selectableFields?.forEach(({ jsonPath }, index) =>
    checkPath(`${path}.selectableFields[${index}].jsonPath`, jsonPath, errors),
  );
}

function checkPath(field: string, path: string | undefined, errors: FieldError[]): void {
  if (!path) errors.push(fieldError.required(field));
  else if (!path.startsWith(".") || !compileJsonPath(path))
    errors.push(
      fieldError.invalid(
        field,
        path,
        'is an invalid JSONPath: it must start with "." and name fields, such as .spec.replicas',
      ),
    );
}

function validateScale(version: CustomResourceDefinitionVersion, { path, errors }: Report): void {
  const scale = version.subresources?.scale;
  if (!scale) return;
  const under = (field: string, value: string | undefined, roots: readonly string[], isRequired: boolean): void => {
    if (!value) {
      if (isRequired) errors.push(fieldError.required(`${path}.${field}`));
    } else if (!roots.some((root) => value.startsWith(root)))
      errors.push(
        fieldError.invalid(
          `${path}.${field}`,
          value,
          `should be a json path under ${roots.map((root) => root.slice(0, -1)).join(" or ")}`,
        ),
      );
    else if (!compileJsonPath(value) || value.includes("["))
      errors.push(fieldError.invalid(`${path}.${field}`, value, "should be a simple json path without lists"));
  };
  under("specReplicasPath", scale.specReplicasPath, [".spec."], true);
  under("statusReplicasPath", scale.statusReplicasPath, [".status."], true);
  under("labelSelectorPath", scale.labelSelectorPath, [".spec.", ".status."], false);
}

/** Webhook conversion matters only between versions; with one version there is nothing to convert. */
function validateConversion({ spec }: CustomResourceDefinition, errors: FieldError[]): void {
  const strategy = spec.conversion?.strategy;
  if (strategy === undefined || strategy === "None") return;
  if (strategy === "Webhook" && (spec.versions?.length ?? 0) <= 1) return;
  errors.push(fieldError.notSupported("spec.conversion.strategy", strategy, ["None"]));
}

const immutable = "field is immutable";

function validateImmutable(crd: CustomResourceDefinition, old: CustomResourceDefinition, errors: FieldError[]): void {
  const established = old.status?.conditions?.some(({ type, status }) => type === "Established" && status === "True");
  if (crd.spec.group !== old.spec.group) errors.push(fieldError.invalid("spec.group", crd.spec.group, immutable));
  if (crd.spec.names?.plural !== old.spec.names.plural)
    errors.push(fieldError.invalid("spec.names.plural", crd.spec.names?.plural, immutable));
  if (!established) return;
  if (crd.spec.scope !== old.spec.scope) errors.push(fieldError.invalid("spec.scope", crd.spec.scope, immutable));
  if (crd.spec.names?.kind !== old.spec.names.kind)
    errors.push(fieldError.invalid("spec.names.kind", crd.spec.names?.kind, immutable));
}
