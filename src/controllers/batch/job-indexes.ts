/** Completion indexes as Job status and success policies write them: `1,3-5,7`. */

/** The numbers named; text that cannot be read ends the list, numbers from `limit` on are left out. */
export function parseIndexes(text: string | undefined, limit: number): Set<number> {
  const indexes = new Set<number>();
  for (const part of text ? text.split(",") : []) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (!match) break;
    const first = Number(match[1]);
    const last = Math.min(Number(match[2] ?? match[1]), limit - 1);
    for (let index = first; index <= last; index++) indexes.add(index);
  }
  return indexes;
}

/** Runs of two are written as `1,2`, longer ones as `1-3` (kubernetes pkg/controller/job/indexed_job_utils.go). */
export function formatIndexes(indexes: ReadonlySet<number>): string {
  const sorted = [...indexes].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let start = 0; start < sorted.length;) {
    let end = start;
    while (sorted[end + 1] === (sorted[end] ?? 0) + 1) end++;
    const [first, last] = [sorted[start], sorted[end]];
    parts.push(end === start ? `${first}` : `${first}${end - start > 1 ? "-" : ","}${last}`);
    start = end + 1;
  }
  return parts.join(",");
}
