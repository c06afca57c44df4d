/** Sets of completion indexes as Jobs write them: `0,2-4,7`, in order (Kubernetes pkg/apis/batch/validation). */

export type IndexRanges = readonly (readonly [first: number, last: number])[];

export type IndexRangesResult =
  | { readonly ok: true; readonly ranges: IndexRanges; readonly count: number }
  | { readonly ok: false; readonly problem: string };

/** Reads ranges of indexes below `completions`. */
export function readIndexRanges(text: string, completions: number): IndexRangesResult {
  const ranges: (readonly [number, number])[] = [];
  let count = 0;
  let previous = -1;
  for (const part of text === "" ? [] : text.split(",")) {
    const range = readRange(part, completions);
    if (typeof range === "string") return { ok: false, problem: range };
    const [first, last] = range;
    if (first <= previous) return { ok: false, problem: orderProblem(previous, first) };
    ranges.push(range);
    count += last - first + 1;
    previous = last;
  }
  return { ok: true, ranges, count };
}

const orderProblem = (previous: number, current: number): string =>
  `non-increasing order, previous: ${previous}, current: ${current}`;

function readRange(text: string, completions: number): readonly [number, number] | string {
  const parts = text.split("-");
  if (parts.length > 2)
    return `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can have at most two parts separated by '-'`;
  const numbers: number[] = [];
  for (const part of parts) {
    if (!/^\d+$/.test(part)) return `cannot convert string to integer for index: ${JSON.stringify(part)}`;
    if (Number(part) >= completions) return `too large index: ${JSON.stringify(part)}`;
    numbers.push(Number(part));
  }
  const [first = 0, last = first] = numbers;
  return numbers.length > 1 && first >= last ? orderProblem(first, last) : [first, last];
}

/** The first index that is in both, undefined when there is none. */
export function overlapOf(a: IndexRanges, b: IndexRanges): number | undefined {
  for (const [first, last] of a)
    for (const [start, end] of b) if (first <= end && start <= last) return Math.max(first, start);
  return undefined;
}
