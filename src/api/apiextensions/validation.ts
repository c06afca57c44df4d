/**
 * Checks of CustomResourceDefinitions but for their schemas, whose structure the server checks
 * (apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go).
 */
import { checkImmutable, checkOneOf, checkText, eachItem, requireText } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import { checkDns1035Label, checkDnsLabel, checkDnsSubdomain } from "../meta/names.ts";
import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionVersion,
} from "./types.gen.ts";

const columnTypes = ["boolean", "date", "integer", "number", "string"];
const columnFormats = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password", ""];

export function validateCustomResourceDefinition(
  definition: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
): readonly FieldError[] {
  const { metadata, spec } = definition;
  if (!spec) return [fieldError.required("spec.group"), fieldError.required("spec.names.plural")];
  const wanted = `${spec.names?.plural}.${spec.group}`;
  return [
    ...(metadata.name === wanted
      ? []
      : [fieldError.invalid("metadata.name", metadata.name, 'must be spec.names.plural+"."+spec.group')]),
    ...groupErrors(spec.group),
    ...checkOneOf("spec.scope", spec.scope ?? "", ["Cluster", "Namespaced"]),
    ...namesErrors(spec.names, "spec.names"),
    ...versionsErrors(spec.versions ?? []),
    ...checkOneOf("spec.conversion.strategy", spec.conversion?.strategy, ["None", "Webhook"]),
    ...(spec.conversion?.strategy === "Webhook" && !spec.conversion.webhook
      ? [fieldError.required("spec.conversion.webhook", "required when strategy is set to Webhook")]
      : []),
    ...(spec.preserveUnknownFields
      ? [fieldError.invalid("spec.preserveUnknownFields", true, "must be false in order to use defaults in the schema")]
      : []),
    ...(old ? updateErrors(definition, old) : []),
  ];
}

function groupErrors(group: string | undefined): readonly FieldError[] {
  const field = "spec.group";
  if (!group) return [fieldError.required(field)];
  const texts = checkDnsSubdomain(group);
  if (texts.length > 0) return [fieldError.invalid(field, group, texts.join(","))];
  return group.includes(".") ? [] : [fieldError.invalid(field, group, "should be a domain with at least one dot")];
}

function namesErrors(names: CustomResourceDefinitionNames | undefined, field: string): readonly FieldError[] {
  const { plural, singular, kind, listKind, shortNames, categories } = names ?? {};
  const mixedCase = (value: string): readonly string[] =>
    checkDns1035Label(value.toLowerCase()).map((text) => `may have mixed case, but should otherwise match: ${text}`);
  return [
    ...requireText(`${field}.plural`, plural, checkDns1035Label),
    ...checkText(`${field}.singular`, singular, checkDns1035Label),
    ...requireText(`${field}.kind`, kind, mixedCase),
    ...checkText(`${field}.listKind`, listKind, mixedCase),
    ...eachItem(`${field}.shortNames`, shortNames, (name, at) => checkText(at, name, checkDns1035Label)),
    ...eachItem(`${field}.categories`, categories, (name, at) => checkText(at, name, checkDns1035Label)),
    ...(kind && kind === listKind
      ? [fieldError.invalid(`${field}.listKind`, listKind, "kind and listKind may not be the same")]
      : []),
  ];
}

function versionsErrors(versions: readonly CustomResourceDefinitionVersion[]): readonly FieldError[] {
  const field = "spec.versions";
  if (versions.length === 0)
    return [fieldError.required(field, "must have exactly one version marked as storage version")];
  const unique = new Set(versions.map(({ name }) => name)).size === versions.length;
  const stored = versions.filter(({ storage }) => storage).length;
  return [
    ...(unique
      ? []
      : [
          fieldError.invalid(
            field,
            versions.map(({ name }) => name),
            "must contain unique version names",
          ),
        ]),
    ...(stored === 1
      ? []
      : [
          fieldError.invalid(
            field,
            versions.map(({ name }) => name),
            "must have exactly one version marked as storage version",
          ),
        ]),
    ...eachItem(field, versions, versionErrors),
  ];
}

function versionErrors(version: CustomResourceDefinitionVersion, field: string): readonly FieldError[] {
  const { name, schema, subresources, additionalPrinterColumns, selectableFields, deprecated, deprecationWarning } =
    version;
  const scale = subresources?.scale;
  return [
    ...requireText(`${field}.name`, name, checkDnsLabel),
    ...(schema?.openAPIV3Schema
      ? []
      : [fieldError.required(`${field}.schema.openAPIV3Schema`, "schemas are required")]),
    ...(deprecationWarning !== undefined && !deprecated
      ? [
          fieldError.invalid(
            `${field}.deprecationWarning`,
            deprecationWarning,
            "can only be set for deprecated versions",
          ),
        ]
      : []),
    ...(scale
      ? [
          ...pathErrors(scale.specReplicasPath, ".spec", `${field}.subresources.scale.specReplicasPath`),
          ...pathErrors(scale.statusReplicasPath, ".status", `${field}.subresources.scale.statusReplicasPath`),
        ]
      : []),
    ...eachItem(`${field}.additionalPrinterColumns`, additionalPrinterColumns, columnErrors),
    ...eachItem(`${field}.selectableFields`, selectableFields, ({ jsonPath }, at) =>
      jsonPath ? [] : [fieldError.required(`${at}.jsonPath`)],
    ),
  ];
}

function pathErrors(path: string | undefined, root: string, field: string): readonly FieldError[] {
  if (!path) return [fieldError.required(field)];
  if (path.includes("["))
    return [fieldError.invalid(field, path, "must be a simple json path, without array notation")];
  return path.startsWith(`${root}.`) ? [] : [fieldError.invalid(field, path, `should be a json path under ${root}`)];
}

function columnErrors(column: CustomResourceColumnDefinition, field: string): readonly FieldError[] {
  const { name, type, format, jsonPath } = column;
  const list = columnTypes.join(",");
  return [
    ...(name ? [] : [fieldError.required(`${field}.name`)]),
    ...(type ? [] : [fieldError.required(`${field}.type`, `must be one of ${list}`)]),
    ...(type && !columnTypes.includes(type)
      ? [fieldError.invalid(`${field}.type`, type, `must be one of ${list}`)]
      : []),
    ...(format && !columnFormats.includes(format)
      ? [fieldError.invalid(`${field}.format`, format, `must be one of ${columnFormats.filter(Boolean).join(",")}`)]
      : []),
    ...(jsonPath ? [] : [fieldError.required(`${field}.jsonPath`)]),
  ];
}

/** What its objects are stored by cannot change while they may exist. */
function updateErrors({ spec }: CustomResourceDefinition, old: CustomResourceDefinition): readonly FieldError[] {
  const established = old.status?.conditions?.some(({ type, status }) => type === "Established" && status === "True");
  const missing = (old.status?.storedVersions ?? []).filter(
    (stored) => !spec.versions?.some(({ name }) => name === stored),
  );
  return [
    ...checkImmutable("spec.group", spec.group, old.spec.group),
    ...checkImmutable("spec.names.plural", spec.names?.plural, old.spec.names.plural),
    ...(established
      ? [
          ...checkImmutable("spec.scope", spec.scope, old.spec.scope),
          ...checkImmutable("spec.names.kind", spec.names?.kind, old.spec.names.kind),
        ]
      : []),
    ...missing.map((version) =>
      fieldError.invalid(
        "status.storedVersions[0]",
        version,
        `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`,
      ),
    ),
  ];
}
