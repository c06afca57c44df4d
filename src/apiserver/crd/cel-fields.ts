/** Finds fields a rule reads that its schema does not have: a typo would otherwise only show when an object is written. */
import type { ASTNode } from "@marcbachmann/cel-js";
import type { Schema } from "../../api/meta/schema.ts";
import { isObject } from "../schema/json-value.ts";
import { escapeName } from "./cel-values.ts";

/** Names of fields, each read on something whose schema is known to lack it. `isRoot`: self is a whole object. */
export function undefinedFields(ast: ASTNode, schema: Schema, isRoot: boolean): string[] {
  const found = new Set<string>();
  const self = isRoot || schema["x-kubernetes-embedded-resource"] ? withTypeMeta(schema) : schema;
  visit(ast, self, found);
  return [...found];
}

const withTypeMeta = (schema: Schema): Schema => ({
  ...schema,
  properties: { ...schema.properties, apiVersion: {}, kind: {}, metadata: {} },
});

/** The schema of what an expression gives, when it is a path from self; undefined when nobody can tell. */
function visit(value: unknown, self: Schema, found: Set<string>): Schema | undefined {
  if (Array.isArray(value)) {
    for (const inner of value) visit(inner, self, found);
    return undefined;
  }
  if (!isObject(value) || typeof value["op"] !== "string") return undefined;
  const node = value as unknown as ASTNode;
  const args = node.args as unknown;
  if (node.op === "id") return args === "self" || args === "oldSelf" ? self : undefined;
  if (node.op === "." && Array.isArray(args)) return fieldOf(visit(args[0], self, found), String(args[1]), found);
  if (node.op === "[]" && Array.isArray(args)) {
    visit(args[1], self, found);
    const container = visit(args[0], self, found);
    return container?.items ?? valuesOf(container);
  }
  visit(args, self, found);
  return undefined;
}

function valuesOf(schema: Schema | undefined): Schema | undefined {
  return isObject(schema?.additionalProperties) ? (schema.additionalProperties as Schema) : undefined;
}

function fieldOf(owner: Schema | undefined, field: string, found: Set<string>): Schema | undefined {
  const properties = owner?.properties;
  if (!properties) return valuesOf(owner);
  const name = Object.keys(properties).find((key) => escapeName(key) === field);
  if (name !== undefined) return properties[name];
  found.add(field);
  return undefined;
}
