/** Turns a CustomResourceDefinition into the kinds it brings. */
import { ageColumn, nameColumn } from "../../api/meta/columns.ts";
import type { Cell, Column, FieldReader, KindDefinition, ScalePaths } from "../../api/meta/definition.ts";
import type { FieldError } from "../../api/meta/field-error.ts";
import { apiVersionOf, kind as makeKind, type Kind } from "../../api/meta/kind.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import type { Schema } from "../../api/meta/schema.ts";
import { ageOf } from "../../api/meta/time.ts";
import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
} from "../../api/apiextensions/types.gen.ts";
import type { JsonObject } from "../schema/json-value.ts";
import { validateSchema } from "../schema/validate.ts";
import { runRules } from "./cel-rules.ts";
import { compileJsonPath } from "./json-path.ts";
import { objectSchema, toStructural } from "./structural.ts";

/**
 * One definition per served version, the storage version's first. Objects are stored in the storage version; other
 * versions differ from it in apiVersion only (conversion None). Schemas are built when first needed.
 */
export function definitionsFromCrd(crd: CustomResourceDefinition): readonly KindDefinition[] {
  const { versions } = crd.spec;
  const served = versions.filter((version) => version.served);
  // Versions differ in apiVersion only: when the storage version is no longer served, another one does as well.
  const storage = served.find((version) => version.storage) ?? served[0];
  if (!storage) return [];
  const storageKind = kindOf(crd, storage);
  return [
    makeDefinition(storageKind, storage),
    ...served
      .filter((version) => version !== storage)
      .map((version) => ({
        ...makeDefinition(kindOf(crd, version), version),
        conversion: rewriting(storageKind, kindOf(crd, version)),
      })),
  ];
}

function kindOf(crd: CustomResourceDefinition, version: CustomResourceDefinitionVersion): Kind {
  const { names, group, scope } = crd.spec;
  return makeKind({
    group,
    version: version.name,
    kind: names.kind,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: scope !== "Cluster",
  });
}

function rewriting(storage: Kind, served: Kind): NonNullable<KindDefinition["conversion"]> {
  const [stored, shown] = [apiVersionOf(storage), apiVersionOf(served)];
  return {
    storedAs: storage,
    toStored: (object) => ({ ...object, apiVersion: stored }),
    fromStored: (object) => ({ ...object, apiVersion: shown }),
  };
}

function makeDefinition(kind: Kind, version: CustomResourceDefinitionVersion): KindDefinition {
  const given = version.schema?.openAPIV3Schema as Schema | undefined;
  const schemas = lazySchemas(given);
  const scale = scalePathsOf(version);
  const check = (object: KubeObject, old: KubeObject | undefined): readonly FieldError[] =>
    checkObject(object as KubeObject & JsonObject, old as (KubeObject & JsonObject) | undefined, schemas());
  return {
    kind,
    schema: () => schemas().whole,
    statusSubresource: version.subresources?.status !== undefined,
    ...(scale ? { scale } : {}),
    generation: "all",
    columns: columnsOf(version.additionalPrinterColumns),
    selectableFields: selectableFieldsOf(version),
    validate: check,
    validateStatus: check,
    unconditionalUpdate: false,
  };
}

interface Schemas {
  /** Of whole objects, with the server's own metadata: what it prunes, defaults and checks by, and publishes. */
  readonly whole: Schema;
  /** What the user's schema says of metadata: it may restrict the name. */
  readonly metadata: Schema | undefined;
}

function lazySchemas(given: Schema | undefined): () => Schemas {
  let made: Schemas | undefined;
  return () => {
    const metadata = given?.properties?.["metadata"];
    made ??= { whole: objectSchema(given), metadata: metadata && toStructural(metadata) };
    return made;
  };
}

/** The checks beyond the schema of whole objects, which the pipeline has made by now: rules assume values that fit it. */
function checkObject(object: JsonObject, old: JsonObject | undefined, schemas: Schemas): readonly FieldError[] {
  const { metadata } = schemas;
  const named = metadata ? checkMetadata(object["metadata"] as JsonObject, metadata) : [];
  return [...named, ...runRules(object, schemas.whole, old)];
}

const checkMetadata = (metadata: JsonObject, schema: Schema): FieldError[] =>
  validateSchema({ metadata }, { type: "object", properties: { metadata: schema } });

function scalePathsOf({ subresources }: CustomResourceDefinitionVersion): ScalePaths | undefined {
  const scale = subresources?.scale;
  if (!scale) return undefined;
  return {
    specReplicas: scale.specReplicasPath,
    statusReplicas: scale.statusReplicasPath,
    ...(scale.labelSelectorPath ? { labelSelector: scale.labelSelectorPath } : {}),
  };
}

function selectableFieldsOf(version: CustomResourceDefinitionVersion): Record<string, FieldReader> {
  const fields: Record<string, FieldReader> = {};
  for (const { jsonPath } of version.selectableFields ?? []) {
    const find = compileJsonPath(jsonPath);
    if (find) fields[jsonPath.replace(/^\./, "")] = (object) => textOf(find(object)[0]);
  }
  return fields;
}

const textOf = (value: unknown): string => (value === undefined || value === null ? "" : String(value));

function columnsOf(given: readonly CustomResourceColumnDefinition[] | undefined): readonly Column[] {
  if (!given || given.length === 0) return [nameColumn, ageColumn];
  return [nameColumn, ...given.map(columnOf)];
}

function columnOf(column: CustomResourceColumnDefinition): Column {
  const find = compileJsonPath(column.jsonPath);
  const type = column.type as Column["type"];
  return {
    name: column.name,
    type,
    ...(column.format ? { format: column.format } : {}),
    description: column.description ?? `Custom resource definition column (in JSONPath format): ${column.jsonPath}`,
    priority: column.priority ?? 0,
    cell: (object, now) => cellOf(find?.(object) ?? [], type, now),
  };
}

/** Values that do not have the column's type are left empty, as upstream leaves them (registry/customresource/tableconvertor). */
function cellOf(values: readonly unknown[], type: Column["type"], now: number): Cell {
  const [value] = values;
  if (value === undefined || value === null) return null;
  switch (type) {
    case "integer":
      return typeof value === "number" ? Math.trunc(value) : null;
    case "number":
      return typeof value === "number" ? value : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "date":
      return typeof value === "string" ? ageOf(value, now) : "<unknown>";
    case "string":
      return values.length > 1 ? values.map(printed).join(",") : printed(value);
    default:
      return null;
  }
}

const printed = (value: unknown): string => (typeof value === "object" ? JSON.stringify(value) : String(value));
