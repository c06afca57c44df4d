/** Differences of two JSON values, one changed leaf after the other: the details of an immutability denial. */

const maxLeaves = 20;

/** `spec.containers[0].image:` and both values per changed leaf; empty when the values are equal. */
export function specDiff(old: unknown, now: unknown, root: string): string {
  const leaves: string[] = [];
  collect(old, now, root, leaves);
  const shown = leaves.slice(0, maxLeaves);
  if (leaves.length > maxLeaves) shown.push(`… and ${leaves.length - maxLeaves} more`);
  return shown.join("\n");
}

function collect(old: unknown, now: unknown, path: string, leaves: string[]): void {
  if (Array.isArray(old) && Array.isArray(now)) {
    for (let i = 0; i < Math.max(old.length, now.length); i += 1) collect(old[i], now[i], `${path}[${i}]`, leaves);
  } else if (isObject(old) && isObject(now)) {
    const keys = new Set([...Object.keys(old), ...Object.keys(now)]);
    for (const key of [...keys].sort()) collect(old[key], now[key], `${path}.${key}`, leaves);
  } else if (JSON.stringify(old) !== JSON.stringify(now)) {
    leaves.push(`${path}:\n\t-: ${show(old)}\n\t+: ${show(now)}`);
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const show = (value: unknown): string => (value === undefined ? "<unset>" : JSON.stringify(value));
