/** What a route changes in the requests it passes on, rendered once when the table is built. */
export interface HeadChanges {
  /** Header lines, each ending in CRLF. */
  readonly lines: string;
  /** Their names, lower case: what the client sent under them is dropped. */
  readonly names: readonly string[];
  readonly pairs: readonly (readonly [name: string, value: string])[];
  /** The Host the app sees; undefined keeps the client's. */
  readonly host: string | undefined;
}

export const noChanges: HeadChanges = Object.freeze({ lines: "", names: [], pairs: [], host: undefined });

/** Renders header changes; names are spelt as given. */
export function makeHeadChanges(headers: Readonly<Record<string, string>>, host: string | undefined): HeadChanges {
  const pairs = Object.entries(headers);
  if (pairs.length === 0 && host === undefined) return noChanges;
  return Object.freeze({
    lines: pairs.map(([name, value]) => `${name}: ${value}\r\n`).join(""),
    names: pairs.map(([name]) => name.toLowerCase()),
    pairs,
    host,
  });
}
