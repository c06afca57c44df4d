/** Rows as JSON text. Numbers keep their digits, JSON stays as it is written; what JSON has no word for is text. */

/** Type ids of pg_type.dat that have a form of their own in JSON. */
const oids = {
  bool: 16,
  int8: 20,
  int2: 21,
  int4: 23,
  oid: 26,
  json: 114,
  float4: 700,
  float8: 701,
  numeric: 1700,
  jsonb: 3802,
} as const;
const numbers: ReadonlySet<number> = new Set([
  oids.int8,
  oids.int2,
  oids.int4,
  oids.oid,
  oids.float4,
  oids.float8,
  oids.numeric,
]);

/** What PostgreSQL prints of a value, as JSON text. NaN and Infinity are no numbers in JSON. */
export function jsonOf(typeOid: number, text: string): string {
  if (numbers.has(typeOid)) return /^-?\d/.test(text) ? text : JSON.stringify(text);
  if (typeOid === oids.bool) return text === "t" ? "true" : "false";
  if (typeOid === oids.json || typeOid === oids.jsonb) return text;
  return JSON.stringify(text);
}

/** A row whose values are JSON texts; null is NULL, and a column without a value is left out: it did not come along. */
export function rowJson(row: Readonly<Record<string, string | null | undefined>>): string {
  const members = Object.entries(row)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${JSON.stringify(name)}:${value ?? "null"}`);
  return `{${members.join(",")}}`;
}
