import type { Column, KindDefinition } from "../../api/meta/definition.ts";
import { ageOf } from "../../api/meta/time.ts";
import type { Entry } from "../storage/entry.ts";
import { partialText } from "./object-text.ts";

export interface TableOptions {
  readonly version: string;
  readonly include: "None" | "Metadata" | "Object";
  readonly now: number;
}

const fallback: readonly Column[] = [
  { name: "Name", type: "string", format: "name", cell: ({ metadata }) => metadata.name },
  { name: "Age", type: "string", cell: ({ metadata }, now) => ageOf(metadata.creationTimestamp, now) },
];

const columnsOf = (definition: KindDefinition): readonly Column[] =>
  definition.columns.length > 0 ? definition.columns : fallback;

/** `columnDefinitions` of a kind, as JSON. */
export function columnDefinitions(definition: KindDefinition): string {
  return JSON.stringify(
    columnsOf(definition).map(({ name, type, format = "", description = "", priority = 0 }) => ({
      name,
      type,
      format,
      description,
      priority,
    })),
  );
}

/** One row. Columns read the stored object; `whole` gives the JSON of the object as served. */
export function rowText(definition: KindDefinition, entry: Entry, options: TableOptions, whole: () => string): string {
  const cells = columnsOf(definition).map((column) => column.cell(entry.object, options.now));
  const object = includedObject(entry, options, whole);
  return `{"cells":${JSON.stringify(cells)}${object === undefined ? "" : `,"object":${object}`}}`;
}

function includedObject(entry: Entry, { include, version }: TableOptions, whole: () => string): string | undefined {
  if (include === "None") return undefined;
  return include === "Object" ? whole() : partialText(entry, version);
}

export function tableText(metadata: string, columns: string, rows: readonly string[], version: string): string {
  return `{"kind":"Table","apiVersion":"meta.k8s.io/${version}","metadata":${metadata},"columnDefinitions":${columns},"rows":[${rows.join(",")}]}`;
}
