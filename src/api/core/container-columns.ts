/** The Containers and Images columns of kinds that carry a pod template. */
import { wideColumn } from "../meta/columns.ts";
import type { Column } from "../meta/definition.ts";
import type { KubeObject } from "../meta/object.ts";
import type { PodTemplateSpec } from "./types.gen.ts";

/** Two `-o wide` columns, read through `templateOf`. */
export function containerColumns<T extends KubeObject>(
  templateOf: (object: T) => PodTemplateSpec | undefined,
): readonly Column<T>[] {
  const cell = (object: T, key: "name" | "image"): string =>
    (templateOf(object)?.spec?.containers ?? []).map((container) => container[key] ?? "").join(",");
  return [
    wideColumn("Containers", "Names of the containers in the template.", (object) => cell(object, "name")),
    wideColumn("Images", "Images of the containers in the template.", (object) => cell(object, "image")),
  ];
}
