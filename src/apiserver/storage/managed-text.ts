/**
 * metadata.managedFields of an object at rest. A thousand objects of one make differ in it only by times and uids, so
 * the rest is shared: what would be a kilobyte each is some fifty bytes.
 */
export interface ManagedText {
  /** The JSON with a NUL in place of each time and uid; one string for all objects that have the same. */
  readonly template: string;
  /** What belongs in those places, in order, a NUL after each. */
  readonly values: string;
}

const hole = "\0";
const variable = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Templates kept for sharing; beyond, sharing starts anew (objects keep the template they have). */
const maxTemplates = 4000;

/** Packs JSON texts, sharing their templates. "" packs to undefined. */
export function createManagedPacker(): (text: string) => ManagedText | undefined {
  const templates = new Map<string, string>();
  return (text) => {
    if (text === "") return undefined;
    const values: string[] = [];
    const made = text.replace(variable, (found) => {
      values.push(found);
      return hole;
    });
    let template = templates.get(made);
    if (template === undefined) {
      if (templates.size >= maxTemplates) templates.clear();
      templates.set(made, (template = made));
    }
    // What a regular expression finds is a view that keeps the whole text alive; joining two parts or more copies.
    return { template, values: [...values, ""].join(hole) };
  };
}

/** The JSON again; "" when there is none. */
export function managedText(packed: ManagedText | undefined): string {
  if (packed === undefined) return "";
  const values = packed.values.split(hole);
  return packed.template
    .split(hole)
    .map((part, i) => (i === 0 ? part : `${values[i - 1] ?? ""}${part}`))
    .join("");
}
