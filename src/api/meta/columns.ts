/** Columns that many kinds print, and the text forms their cells share. */
import type { Column } from "./definition.ts";
import { formatLabelSelector } from "./label-selector.ts";
import type { KubeObject } from "./object.ts";
import { ageOf } from "./time.ts";
import type { LabelSelector } from "./types.gen.ts";

export const nameColumn: Column = {
  name: "Name",
  type: "string",
  format: "name",
  description: "The object's name, unique among its kind in a namespace.",
  cell: (object) => object.metadata.name,
};

export const ageColumn: Column = {
  name: "Age",
  type: "string",
  description: "How long ago the object was created.",
  cell: (object, now) => ageOf(object.metadata.creationTimestamp, now),
};

export const createdAtColumn: Column = {
  name: "Created At",
  type: "date",
  description: "When the object was created.",
  cell: (object) => object.metadata.creationTimestamp ?? "<unknown>",
};

type CellOf<T extends KubeObject> = Column<T>["cell"];

/** A text column that is always shown. */
export function textColumn<T extends KubeObject>(name: string, description: string, cell: CellOf<T>): Column<T> {
  return { name, type: "string", description, cell };
}

export function integerColumn<T extends KubeObject>(name: string, description: string, cell: CellOf<T>): Column<T> {
  return { name, type: "integer", description, cell };
}

/** A text column of `-o wide`. */
export function wideColumn<T extends KubeObject>(name: string, description: string, cell: CellOf<T>): Column<T> {
  return { name, type: "string", description, priority: 1, cell };
}

/** A selector as a cell: its text, or `<none>`. */
export function selectorCell(selector: LabelSelector | undefined): string {
  return (selector && formatLabelSelector(selector)) || "<none>";
}

/** A list cell: at most `max` parts, then how many were left out; `none` when there are none. */
export function listCell(parts: readonly string[], max: number, none = "<none>"): string {
  if (parts.length === 0) return none;
  const shown = parts.slice(0, max).join(",");
  return parts.length > max ? `${shown} + ${parts.length - max} more...` : shown;
}
