import type { KindDefinition } from "../../api/meta/definition.ts";
import { badRequest } from "../../api/meta/errors.ts";
import {
  exactFieldValue,
  matchesFields,
  parseFieldSelector,
  type FieldSelector,
} from "../../api/meta/field-selector.ts";
import { matchesLabels, parseLabelSelector, type LabelRequirements } from "../../api/meta/label-selector.ts";
import type { KubeObject } from "../../api/meta/object.ts";

/** Which objects of a resource a list, watch or collection delete is about. */
export interface Selection {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  /** Set when only the object of that name can match. */
  readonly name?: string;
  /** True when labels or fields narrow the choice beyond the namespace. */
  readonly narrowed: boolean;
  readonly matches: (object: KubeObject) => boolean;
}

interface SelectionText {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

const everything = (): boolean => true;

/** Parses selectors for a kind; throws 400 for bad ones and for fields the kind does not select by. */
export function parseSelection(definition: KindDefinition, text: SelectionText): Selection {
  const labels = text.labelSelector ? parsed(() => parseLabelSelector(text.labelSelector ?? "")) : [];
  const fields = text.fieldSelector ? parsed(() => parseFieldSelector(text.fieldSelector ?? "")) : [];
  checkFields(definition, fields);
  const name = exactFieldValue(fields, "metadata.name");
  const namespace = text.namespace ?? exactFieldValue(fields, "metadata.namespace");
  return {
    ...(namespace ? { namespace } : {}),
    ...(name ? { name } : {}),
    narrowed: labels.length > 0 || fields.length > 0,
    matches: matcher(definition, labels, fields),
  };
}

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw badRequest(error instanceof Error ? error.message : String(error));
  }
}

function checkFields(definition: KindDefinition, fields: FieldSelector): void {
  const known = ["metadata.name", "metadata.namespace", ...Object.keys(definition.selectableFields ?? {})];
  const unknown = fields.find(({ field }) => !known.includes(field));
  if (!unknown) return;
  const list = known.map((field) => `"${field}"`).join(", ");
  throw badRequest(`field label not supported: "${unknown.field}": supported are ${list}`);
}

function matcher(
  definition: KindDefinition,
  labels: LabelRequirements,
  fields: FieldSelector,
): (object: KubeObject) => boolean {
  if (labels.length === 0 && fields.length === 0) return everything;
  return (object) =>
    matchesLabels(labels, object.metadata.labels) &&
    matchesFields(fields, (field) => {
      if (field === "metadata.name") return object.metadata.name;
      if (field === "metadata.namespace") return object.metadata.namespace ?? "";
      return definition.selectableFields?.[field]?.(object) ?? "";
    });
}
