/** Puts an applied configuration over a live object (structured-merge-diff typed/merge.go). */
import { getOwn, setOwn, type JsonObject } from "../schema/json-value.ts";
import { indexItems, itemElement, memberSchema, shapeOf, type MaybeSchema } from "./typed-value.ts";

/** Atomic values are replaced, maps and keyed lists merged, sets united. Shares unchanged parts with its inputs. */
export function mergeObjects(live: JsonObject, applied: JsonObject, schema: MaybeSchema): JsonObject {
  const result: JsonObject = { ...live };
  for (const key of Object.keys(applied)) {
    setOwn(result, key, mergeValues(getOwn(live, key), applied[key], memberSchema(key, schema)));
  }
  return result;
}

function mergeValues(live: unknown, applied: unknown, schema: MaybeSchema): unknown {
  const shape = shapeOf(applied, schema);
  if (live === undefined || shape === "leaf" || shapeOf(live, schema) !== shape) return applied;
  if (shape === "map") return mergeObjects(live as JsonObject, applied as JsonObject, schema);
  return mergeLists(live as unknown[], applied as unknown[], schema);
}

/**
 * Applied items keep the order they were applied in; live ones that are not applied stay where they stood between
 * the items both have.
 */
function mergeLists(live: readonly unknown[], applied: readonly unknown[], schema: MaybeSchema): unknown[] {
  const elementsOf = (list: readonly unknown[]): string[] =>
    list.map((item, at) => itemElement(item, schema) ?? `i:${at}`);
  const [liveElements, appliedElements] = [elementsOf(live), elementsOf(applied)];
  const [liveIndex, appliedIndex] = [indexItems(live, schema), indexItems(applied, schema)];
  const shared = appliedElements.filter((element) => liveIndex.has(element));
  const merged: unknown[] = [];
  const taken = new Set<string>();
  const take = (element: string): void => {
    if (shared[0] === element) shared.shift();
    taken.add(element);
    const [item] = appliedIndex.get(element) ?? [];
    merged.push(mergeValues(liveIndex.get(element)?.[0], item, schema?.items));
  };
  let [l, a] = [0, 0];
  while (l < live.length || a < applied.length) {
    const [liveElement, appliedElement] = [liveElements[l], appliedElements[a]];
    if (liveElement !== undefined && !appliedIndex.has(liveElement)) merged.push(live[l++]);
    else if (liveElement !== undefined && (taken.has(liveElement) || appliedElement === undefined)) l++;
    else if (liveElement !== undefined && liveElement !== appliedElement && liveElement !== shared[0]) l++;
    else if (appliedElement !== undefined) {
      if (liveElement === appliedElement) l++;
      take(appliedElement);
      a++;
    }
  }
  return merged;
}
