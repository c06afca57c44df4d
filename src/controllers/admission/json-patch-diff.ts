import type { JsonPatchOperation } from "../../api/meta/requests.ts";

/**
 * What turns `before` into `after`, as a JSON patch (RFC 6902), at the deepest places that differ. Lists of different
 * lengths are replaced whole.
 */
export function jsonPatchBetween(before: unknown, after: unknown, path = ""): readonly JsonPatchOperation[] {
  if (before === after) return [];
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length)
    return before.flatMap((item: unknown, index) => jsonPatchBetween(item, after[index], `${path}/${index}`));
  if (!isMap(before) || !isMap(after)) {
    const same = Array.isArray(before) && Array.isArray(after) && JSON.stringify(before) === JSON.stringify(after);
    return same ? [] : [{ op: "replace", path, value: after }];
  }
  const operations: JsonPatchOperation[] = [];
  for (const key of Object.keys(before))
    if (after[key] === undefined && before[key] !== undefined)
      operations.push({ op: "remove", path: `${path}/${escaped(key)}` });
  for (const [key, value] of Object.entries(after)) {
    if (value === undefined) continue;
    const below = `${path}/${escaped(key)}`;
    if (before[key] === undefined) operations.push({ op: "add", path: below, value });
    else operations.push(...jsonPatchBetween(before[key], value, below));
  }
  return operations;
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** RFC 6901 §3. */
const escaped = (key: string): string => key.replaceAll("~", "~0").replaceAll("/", "~1");
