/** The canonical text of a context attribute (CloudEvents 1.0.2 §3.1, type system); undefined when there is none. */
export function attributeText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return undefined;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  return value instanceof Date ? value.toISOString() : String(value);
}
