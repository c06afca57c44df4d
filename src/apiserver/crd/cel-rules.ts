/** Runs the `x-kubernetes-validations` of a schema over an object (apiextensions-apiserver pkg/apiserver/schema/cel/validation.go). */
import type { ParseResult } from "@marcbachmann/cel-js";
import { fieldError, type FieldError } from "../../api/meta/field-error.ts";
import type { Schema, ValidationRule } from "../../api/meta/schema.ts";
import { getOwn, isObject, jsonEqual } from "../schema/json-value.ts";
import { indexByKey, keyOf } from "../schema/validate-list.ts";
import { costOf, costShapeOf, longestOf, names, objectCostLimit, ruleCostLimit, type CostShape } from "./cel-cost.ts";
import { parseCel, toOptional, type OldSelf } from "./cel-environment.ts";
import { undefinedFields } from "./cel-fields.ts";
import { toCel } from "./cel-values.ts";

interface CompiledRule {
  readonly run: ParseResult;
  readonly message: ParseResult | undefined;
  /** Looks at the old value: only run when there is one. */
  readonly isTransition: boolean;
  readonly cost: CostShape;
}

const compiledRules = new WeakMap<ValidationRule, CompiledRule>();

/** Compiles a rule once; throws what is wrong with it. */
function compile(rule: ValidationRule): CompiledRule {
  const known = compiledRules.get(rule);
  if (known) return known;
  const run = parseCel(rule.rule, oldSelfOf(rule));
  const message = rule.messageExpression === undefined ? undefined : parseCel(rule.messageExpression, oldSelfOf(rule));
  const compiled = { run, message, isTransition: names(run.ast, "oldSelf"), cost: costShapeOf(run.ast) };
  compiledRules.set(rule, compiled);
  return compiled;
}

const oldSelfOf = (rule: ValidationRule): OldSelf => (rule.optionalOldSelf ? "optional" : "value");

interface Walk {
  readonly errors: FieldError[];
  spent: number;
}

/** What the rules say against an object. `old` is the stored one on an update. */
export function runRules(object: unknown, schema: Schema, old?: unknown): FieldError[] {
  const walk: Walk = { errors: [], spent: 0 };
  if (hasRules(schema)) visit({ value: object, old, path: "" }, schema, walk);
  return walk.errors;
}

const withRules = new WeakMap<Schema, boolean>();

function hasRules(schema: Schema): boolean {
  const known = withRules.get(schema);
  if (known !== undefined) return known;
  const { properties, items, additionalProperties } = schema;
  const parts = [...Object.values(properties ?? {}), ...(items ? [items] : [])];
  if (isObject(additionalProperties)) parts.push(additionalProperties as Schema);
  const found = (schema["x-kubernetes-validations"]?.length ?? 0) > 0 || parts.some(hasRules);
  withRules.set(schema, found);
  return found;
}

interface Place {
  readonly value: unknown;
  readonly old: unknown;
  readonly path: string;
}

function visit(place: Place, schema: Schema, walk: Walk): void {
  const { value, old, path } = place;
  if (value === undefined || !hasRules(schema)) return;
  const rules = schema["x-kubernetes-validations"];
  if (rules && value !== null) runAt(place, { schema, rules }, walk);
  if (Array.isArray(value)) {
    const { items } = schema;
    if (!items || !hasRules(items)) return;
    const before = Array.isArray(old) ? indexByKey(old, schema) : undefined;
    value.forEach((item, index) => {
      visit({ value: item, old: before?.get(keyOf(item, schema) ?? ""), path: `${path}[${index}]` }, items, walk);
    });
  } else if (isObject(value)) {
    const { properties, additionalProperties } = schema;
    const values = isObject(additionalProperties) ? (additionalProperties as Schema) : undefined;
    for (const key of Object.keys(value)) {
      const member = getOwn(properties, key) ?? values;
      const inner = { value: value[key], old: isObject(old) ? getOwn(old, key) : undefined, path: child(path, key) };
      if (member) visit(inner, member, walk);
    }
  }
}

const child = (path: string, key: string): string => (path === "" ? key : `${path}.${key}`);

function runAt(
  { value, old, path }: Place,
  { schema, rules }: { schema: Schema; rules: readonly ValidationRule[] },
  walk: Walk,
): void {
  const unchanged = old !== undefined && jsonEqual(value, old);
  let self: unknown;
  let oldSelf: unknown;
  const longest = Math.max(longestOf(value), longestOf(old));
  for (const rule of rules) {
    const rejected = (detail: string): void => void walk.errors.push(errorFor(rule, { path, schema, detail }));
    try {
      const compiled = compile(rule);
      // Ratcheting: what has not changed is only held against rules about change.
      if (compiled.isTransition ? old === undefined && !rule.optionalOldSelf : unchanged) continue;
      const cost = costOf(compiled.cost, longest);
      walk.spent += cost;
      if (cost > ruleCostLimit || walk.spent > objectCostLimit) {
        rejected("validation failed due to running out of cost budget, no further validation rules will be run");
        return;
      }
      self ??= toCel(value, schema);
      oldSelf ??= old === undefined ? undefined : toCel(old, schema);
      const scope = { self, ...oldScope(rule, oldSelf) };
      if (compiled.run(scope) !== true) rejected(messageOf(rule, compiled, scope));
    } catch (error) {
      rejected(`${summary(error)} evaluating rule: ${rule.message ?? rule.rule}`);
    }
  }
}

function oldScope(rule: ValidationRule, oldSelf: unknown): Record<string, unknown> {
  if (rule.optionalOldSelf) return { oldSelf: toOptional(oldSelf) };
  return oldSelf === undefined ? {} : { oldSelf };
}

const summary = (error: unknown): string =>
  isObject(error) && typeof error["summary"] === "string"
    ? error["summary"]
    : ((error as Error).message.split("\n", 1)[0] ?? "");

/** The message expression's text when it gives one on a single line, else the fixed message, else the rule. */
function messageOf(rule: ValidationRule, { message }: CompiledRule, scope: Record<string, unknown>): string {
  const fallback = rule.message ?? `failed rule: ${rule.rule.trim()}`;
  if (!message) return fallback;
  try {
    const text: unknown = message(scope);
    return typeof text === "string" && text.trim() !== "" && !text.includes("\n") ? text.trim() : fallback;
  } catch {
    // A message that cannot be worked out must not hide what is wrong.
    return fallback;
  }
}

function errorFor(
  rule: ValidationRule,
  { path, schema, detail }: { path: string; schema: Schema; detail: string },
): FieldError {
  const field = (path + (rule.fieldPath ?? "")).replace(/^\./, "") || "<nil>";
  const type = schema.type ?? "object";
  switch (rule.reason) {
    case "FieldValueForbidden":
      return fieldError.forbidden(field, detail);
    case "FieldValueRequired":
      return fieldError.required(field, detail);
    case "FieldValueDuplicate":
      return fieldError.duplicate(field, type);
    default:
      return fieldError.invalid(field, type, detail);
  }
}

/** What is wrong with the rules of a schema themselves; `path` is where it stands in the CRD. */
export function checkRules(schema: Schema, path: string, isRoot = true): FieldError[] {
  if (!hasRules(schema)) return [];
  const errors: FieldError[] = [];
  (schema["x-kubernetes-validations"] ?? []).forEach((rule, index) => {
    const at = `${path}.x-kubernetes-validations[${index}]`;
    if (rule.rule?.trim()) checkRule(rule, { at, schema, isRoot }, errors);
  });
  for (const [key, member] of Object.entries(schema.properties ?? {}))
    errors.push(...checkRules(member, `${path}.properties[${key}]`, false));
  if (schema.items) errors.push(...checkRules(schema.items, `${path}.items`, false));
  if (isObject(schema.additionalProperties))
    errors.push(...checkRules(schema.additionalProperties as Schema, `${path}.additionalProperties`, false));
  return errors;
}

interface RulePlace {
  readonly at: string;
  readonly schema: Schema;
  readonly isRoot: boolean;
}

function checkRule(rule: ValidationRule, { at, schema, isRoot }: RulePlace, errors: FieldError[]): void {
  try {
    const parsed = parseCel(rule.rule, oldSelfOf(rule));
    const [unknown] = undefinedFields(parsed.ast, schema, isRoot);
    if (unknown !== undefined) throw new Error(`undefined field '${unknown}'`);
    const { type } = parsed.check();
    if (type !== "bool" && type !== "dyn")
      errors.push(fieldError.invalid(`${at}.rule`, rule.rule, "cel expression must evaluate to a bool"));
  } catch (error) {
    errors.push(fieldError.invalid(`${at}.rule`, rule.rule, `compilation failed: ${summary(error)}`));
  }
  if (rule.messageExpression === undefined) return;
  try {
    const { type } = parseCel(rule.messageExpression, oldSelfOf(rule)).check();
    if (type !== "string" && type !== "dyn")
      errors.push(fieldError.invalid(`${at}.messageExpression`, rule.messageExpression, "must evaluate to a string"));
  } catch (error) {
    const detail = `messageExpression compilation failed: ${summary(error)}`;
    errors.push(fieldError.invalid(`${at}.messageExpression`, rule.messageExpression, detail));
  }
}
