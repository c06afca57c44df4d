/** EventType in its three versions (eventing pkg/apis/eventing/v1beta{1,2,3}); v1beta3 is stored. */
import { nameColumn } from "../meta/columns.ts";
import type { Column, KindDefinition } from "../meta/definition.ts";
import { apiVersionOf, type Kind } from "../meta/kind.ts";
import type { KubeObject } from "../meta/object.ts";
import { column, readyColumns } from "../serving/columns.ts";
import { fillStructs } from "../serving/go-structs.ts";
import { missingField, toFieldErrors } from "../serving/problems.ts";
import { stampUser } from "../serving/user-info.ts";
import { schemaOf } from "../schemas.ts";
import { eventingKindFacts } from "./columns.ts";
import { checkUnchangedSpec } from "./immutable.ts";
import { EventTypeKind, EventTypeV1beta1Kind, EventTypeV1beta2Kind } from "./kinds.ts";
import type { EventAttributeDefinition, EventType } from "./types.gen.ts";
import type { EventType as OldEventType } from "./types-v1beta2.gen.ts";

const valueOf = ({ spec }: Pick<EventType, "spec">, name: string): string | undefined =>
  spec.attributes?.find((attribute) => attribute.name === name)?.value;

const attributeColumn = (title: string, name: string): Column<EventType> =>
  column(
    title,
    `The ${name} its events have.`,
    `.spec.attributes[?(@.name=='${name}')].value`,
    (object) => valueOf(object, name) ?? "",
  );

export const eventTypeDefinition: KindDefinition<EventType> = {
  ...eventingKindFacts,
  kind: EventTypeKind,
  schema: () => schemaOf("eventing.v1.EventType"),
  columns: [
    nameColumn,
    attributeColumn("Type", "type"),
    attributeColumn("Source", "source"),
    column<EventType>(
      "Reference Name",
      "Who has them.",
      ".spec.reference.name",
      ({ spec }) => spec.reference?.name ?? "",
    ),
    column<EventType>(
      "Reference Kind",
      "What kind has them.",
      ".spec.reference.kind",
      ({ spec }) => spec.reference?.kind ?? "",
    ),
    column<EventType>("Description", "What they mean.", ".spec.description", ({ spec }) => spec.description ?? ""),
    ...(readyColumns as readonly Column[]),
  ],
  prepare: (eventType, old, context) => {
    fillStructs(eventType, "spec");
    const { reference } = eventType.spec;
    const { namespace } = eventType.metadata;
    if (reference && !reference.namespace && namespace) reference.namespace = namespace;
    stampUser<EventType>(eventType, old, { ...context, group: EventTypeKind.group });
  },
  validate: ({ spec }, old) => {
    const names = new Set((spec.attributes ?? []).map(({ name }) => name));
    const missing = ["type", "source", "specversion", "id"].filter((name) => !names.has(name));
    return toFieldErrors([
      ...(missing.length === 0 ? [] : [missingField(...missing.map((name) => `spec.attributes.${name}`))]),
      ...(old ? checkUnchangedSpec(old.spec, spec) : []),
    ]);
  },
};

/** Attributes that the old form has fields for; what else there is, is kept in an annotation so that nothing is lost. */
const fields = { type: "type", source: "source", schema: "schema", schemadata: "schemaData" } as const;
const attributesAnnotation = "eventing.knative.dev/v1beta3-attributes";

function toStored(object: KubeObject): KubeObject {
  const { spec, ...rest } = object as OldEventType;
  const { type, source, schema, schemaData, broker, reference, description } = spec ?? {};
  const kept = readAttributes(rest.metadata.annotations?.[attributesAnnotation]);
  const given = { type: type ?? "", source: source ?? "", schema, schemadata: schemaData };
  const attributes: EventAttributeDefinition[] = [
    attribute("type", given.type, true),
    attribute("source", given.source, true),
    attribute("specversion", undefined, true),
    attribute("id", undefined, true),
    ...(schema === undefined ? [] : [attribute("schema", schema, false)]),
    ...(schemaData === undefined ? [] : [attribute("schemadata", schemaData, false)]),
  ];
  const known = new Map(kept.map((one) => [one.name, one]));
  const merged = attributes.map((one) => {
    const before = known.get(one.name);
    known.delete(one.name);
    return before ? { ...before, ...(one.value === undefined ? {} : { value: one.value }) } : one;
  });
  const named =
    reference ?? (broker ? { apiVersion: "eventing.knative.dev/v1", kind: "Broker", name: broker } : undefined);
  const { [attributesAnnotation]: _kept, ...annotations } = rest.metadata.annotations ?? {};
  return {
    ...rest,
    apiVersion: apiVersionOf(EventTypeKind),
    kind: EventTypeKind.kind,
    metadata: {
      ...rest.metadata,
      ...(rest.metadata.annotations === undefined ? {} : { annotations }),
    },
    spec: {
      ...(named === undefined ? {} : { reference: named }),
      ...(description === undefined ? {} : { description }),
      attributes: [...merged, ...known.values()],
    },
  } as EventType;
}

const attribute = (name: string, value: string | undefined, required: boolean): EventAttributeDefinition => ({
  name,
  required,
  ...(value === undefined || value === "" ? {} : { value }),
});

function readAttributes(text: string | undefined): readonly EventAttributeDefinition[] {
  if (text === undefined) return [];
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? (value as readonly EventAttributeDefinition[]) : [];
  } catch {
    return [];
  }
}

const fromStored =
  (kind: Kind<OldEventType>) =>
  (object: KubeObject): OldEventType => {
    const { spec, metadata, ...rest } = object as EventType;
    const old: Record<string, string> = {};
    for (const [name, field] of Object.entries(fields)) {
      const value = valueOf({ spec: spec ?? {} }, name);
      if (value !== undefined) old[field] = value;
    }
    const plain = new Set(["type", "source", "specversion", "id", "schema", "schemadata"]);
    const lossless = (spec?.attributes ?? []).every(
      ({ name, required, value }) =>
        plain.has(name) && required === !name.startsWith("schema") && (value === undefined || name in fields),
    );
    const annotations = { ...metadata.annotations, [attributesAnnotation]: JSON.stringify(spec?.attributes ?? []) };
    return {
      ...rest,
      apiVersion: apiVersionOf(kind),
      kind: kind.kind,
      metadata: lossless ? metadata : { ...metadata, annotations },
      spec: {
        ...old,
        ...(spec?.reference === undefined ? {} : { reference: spec.reference }),
        ...(spec?.description === undefined ? {} : { description: spec.description }),
      },
    } as OldEventType;
  };

const oldDefinition = (kind: Kind<OldEventType>): KindDefinition<OldEventType> => ({
  ...eventingKindFacts,
  kind,
  schema: () => schemaOf("eventing.v1beta2.EventType"),
  columns: [],
  conversion: { storedAs: EventTypeKind, toStored, fromStored: fromStored(kind) },
});

export const eventTypeV1beta2Definition: KindDefinition<OldEventType> = oldDefinition(EventTypeV1beta2Kind);
export const eventTypeV1beta1Definition: KindDefinition<OldEventType> = oldDefinition(EventTypeV1beta1Kind);
