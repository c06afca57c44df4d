/** Where the items of a merged list stand (apimachinery pkg/util/strategicpatch, normalizeElementOrder). */

/** Tells items apart: the merge key's value of an object, a scalar itself. */
export type Identity = (item: unknown) => string;

/**
 * Items that `order` names come in its order; the others keep the order they have in the live list, each placed
 * before the first named item that followed it there, or last.
 */
export function orderItems(
  merged: readonly unknown[],
  order: readonly unknown[],
  live: readonly unknown[],
  identity: Identity,
): unknown[] {
  const rank = positions(order, identity);
  const livePlace = positions(live, identity);
  const place = (positionsOf: ReadonlyMap<string, number>, item: unknown): number =>
    positionsOf.get(identity(item)) ?? Number.MAX_SAFE_INTEGER;
  const named = merged.filter((item) => rank.has(identity(item))).sort((a, b) => place(rank, a) - place(rank, b));
  const others = merged
    .filter((item) => !rank.has(identity(item)))
    .sort((a, b) => place(livePlace, a) - place(livePlace, b));
  const result: unknown[] = [];
  let next = 0;
  for (const item of named) {
    const at = livePlace.get(identity(item)) ?? -1;
    while (next < others.length && place(livePlace, others[next]) < at) result.push(others[next++]);
    result.push(item);
  }
  return [...result, ...others.slice(next)];
}

function positions(list: readonly unknown[], identity: Identity): Map<string, number> {
  const found = new Map<string, number>();
  list.forEach((item, index) => {
    const id = identity(item);
    if (!found.has(id)) found.set(id, index);
  });
  return found;
}
