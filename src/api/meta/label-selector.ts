/** Label selectors in both forms: query text and LabelSelector objects (apimachinery pkg/labels/selector.go). */
import { fieldError } from "./field-error.ts";
import { parseLabelSelectorText, type LabelOperator, type LabelRequirement } from "./label-selector-parser.ts";
import { checkLabelKey, checkLabelValue } from "./names.ts";
import type { LabelSelector } from "./types.gen.ts";

export type { LabelOperator, LabelRequirement };
export type LabelRequirements = readonly LabelRequirement[];

type Labels = Readonly<Record<string, string>> | undefined;

/**
 * Parses the query form: `a=b,c!=d,e in (f,g),!h,i,j>1`. Empty text selects everything.
 * Throws an Error whose message is upstream's; terms come sorted by key.
 */
export function parseLabelSelector(text: string): LabelRequirements {
  const requirements = parseLabelSelectorText(text);
  for (const requirement of requirements) {
    const problem = requirementProblem(requirement);
    if (problem !== undefined) throw new Error(`unable to parse requirement: ${problem}`);
  }
  return requirements;
}

function requirementProblem({ key, operator, values }: LabelRequirement): string | undefined {
  const errors = checkLabelKey(key).length > 0 ? [fieldError.invalid("key", key, checkLabelKey(key).join("; "))] : [];
  if ((operator === "in" || operator === "notin") && values.length === 0)
    errors.push(fieldError.invalid("values", values, "for 'in', 'notin' operators, values set can't be empty"));
  if ((operator === "gt" || operator === "lt") && !/^[+-]?\d+$/.test(values[0] ?? ""))
    errors.push(fieldError.invalid("values[0]", values[0], "for 'Gt', 'Lt' operators, the value must be an integer"));
  for (const [i, value] of values.entries()) {
    const texts = checkLabelValue(value);
    if (texts.length > 0) errors.push(fieldError.invalid(`values[${i}][${key}]`, value, texts.join("; ")));
  }
  if (errors.length === 0) return undefined;
  const texts = errors.map((error) => `${error.field}: ${error.message}`);
  return texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`;
}

/** Whether all terms hold for the labels. */
export function matchesLabels(requirements: LabelRequirements, labels: Labels): boolean {
  for (const requirement of requirements) if (!holds(requirement, labels?.[requirement.key])) return false;
  return true;
}

function holds({ operator, values }: LabelRequirement, value: string | undefined): boolean {
  switch (operator) {
    case "=":
    case "in":
      return value !== undefined && values.includes(value);
    case "!=":
    case "notin":
      return value === undefined || !values.includes(value);
    case "exists":
      return value !== undefined;
    case "!":
      return value === undefined;
    case "gt":
    case "lt":
      return value !== undefined && compareIntegers(value, values[0] ?? "", operator);
    default:
      return operator satisfies never;
  }
}

function compareIntegers(a: string, b: string, operator: "gt" | "lt"): boolean {
  if (!/^[+-]?\d+$/.test(a)) return false;
  const [left, right] = [BigInt(a.replace("+", "")), BigInt(b.replace("+", ""))];
  return operator === "gt" ? left > right : left < right;
}

const objectOperators: Readonly<Record<string, LabelOperator>> = {
  In: "in",
  NotIn: "notin",
  Exists: "exists",
  DoesNotExist: "!",
};

/** The terms of a LabelSelector object, sorted by key. Throws for an operator that does not exist. */
export function labelRequirements(selector: LabelSelector): LabelRequirements {
  const found: LabelRequirement[] = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({
    key,
    operator: "=",
    values: [value],
  }));
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const known = objectOperators[operator];
    if (!known) throw new Error(`"${operator}" is not a valid label selector operator`);
    found.push({ key, operator: known, values: values ?? [] });
  }
  return found.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

const compiled = new WeakMap<LabelSelector, LabelRequirements>();

/**
 * Whether a LabelSelector object selects the labels: an absent selector selects nothing, an empty one everything.
 * The terms are remembered per selector object, which must not be changed afterwards.
 */
export function matchesLabelSelector(selector: LabelSelector | undefined, labels: Labels): boolean {
  if (!selector) return false;
  let requirements = compiled.get(selector);
  if (!requirements) compiled.set(selector, (requirements = labelRequirements(selector)));
  return matchesLabels(requirements, labels);
}

/** The query text of terms, as scale subresources and list calls carry it: `app=web,tier in (a,b)`. */
export function formatLabelRequirements(requirements: LabelRequirements): string {
  return requirements.map(formatRequirement).join(",");
}

/** The query text of a LabelSelector object. */
export function formatLabelSelector(selector: LabelSelector): string {
  return formatLabelRequirements(labelRequirements(selector));
}

/** The query text that selects exactly these labels. */
export function formatLabelSet(labels: Readonly<Record<string, string>>): string {
  return Object.keys(labels)
    .sort()
    .map((key) => `${key}=${labels[key]}`)
    .join(",");
}

function formatRequirement({ key, operator, values }: LabelRequirement): string {
  switch (operator) {
    case "exists":
      return key;
    case "!":
      return `!${key}`;
    case "=":
    case "!=":
      return `${key}${operator}${values[0] ?? ""}`;
    case "gt":
      return `${key}>${values[0] ?? ""}`;
    case "lt":
      return `${key}<${values[0] ?? ""}`;
    case "in":
    case "notin":
      return `${key} ${operator} (${[...values].sort().join(",")})`;
    default:
      return operator satisfies never;
  }
}
