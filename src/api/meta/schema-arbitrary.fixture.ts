/** Random objects of a schema: every value has the right type, anything may be missing, texts are often wrong. */
import { array, boolean, constant, constantFrom, integer, oneof, record, type Arbitrary } from "fast-check";
import type { Schema } from "./schema.ts";

const texts = constantFrom(
  "",
  "a",
  "A b",
  "web-1",
  "x/y",
  "a.b/c",
  "10.0.0.1",
  "10.0.0.0/8",
  "::1",
  "/x",
  "../x",
  "25%",
  "1Gi",
  "-1",
  "Always",
  "Never",
  "In",
  "Exists",
  "Indexed",
  "RollingUpdate",
  "NodePort",
  "ExternalName",
  "*/5 * * * *",
  "2026-01-01T00:00:00Z",
  "__proto__",
);
const numbers = oneof(constantFrom(-1, 0, 1, 2, 80, 70_000), integer({ min: -10, max: 100_000 }));

/** Deep schemas end in empty objects: four levels hold everything of a spec but the innermost selectors. */
export function arbitraryOf(schema: Schema, depth = 7): Arbitrary<unknown> {
  if (schema.enum) return oneof(texts, constantFrom(...schema.enum));
  if (schema["x-kubernetes-int-or-string"]) return schema.format === "quantity" ? texts : oneof(texts, numbers);
  if (schema.type === "string") return texts;
  if (schema.type === "boolean") return boolean();
  if (schema.type === "integer" || schema.type === "number") return numbers;
  if (depth === 0) return constant(schema.type === "array" ? [] : {});
  if (schema.type === "array") return array(arbitraryOf(schema.items ?? {}, depth - 1), { maxLength: 3 });
  if (schema.properties) {
    const members = Object.entries(schema.properties).map(([key, member]) => [key, arbitraryOf(member, depth - 1)]);
    return record(Object.fromEntries(members), { requiredKeys: [] });
  }
  const values = schema.additionalProperties;
  if (typeof values !== "object") return constant({});
  return array(arbitraryOf(values, depth - 1), { maxLength: 2 }).map((found) =>
    Object.fromEntries(found.map((value, i) => [i === 0 ? "app" : "Bad key", value])),
  );
}
