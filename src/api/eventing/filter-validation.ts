/**
 * Filters of Triggers, EventPolicies and ApiServerSources (eventing pkg/apis/eventing/v1/trigger_validation.go).
 * Stricter than upstream, which lets a filter without a dialect, or with an empty one, pass every event.
 */
import { CesqlParseError } from "../cesql/cesql-error.ts";
import { builtinFunctions, findFunction } from "../cesql/functions.ts";
import { parseCesql, type Expression } from "../cesql/parser.ts";
import { each, invalidKeyName, invalidValue, problem, self, within, type Problems } from "../serving/problems.ts";

type Fields = Readonly<Record<string, unknown>>;

const attributeName = /^[a-z][a-z0-9]*$/;
const pairDialects: ReadonlySet<string> = new Set(["exact", "prefix", "suffix"]);
const deepest = 50;

/** `filter.attributes`: an empty value is allowed here, and asks for any. */
export function checkAttributeFilter(filter: { readonly attributes?: Readonly<Record<string, string>> }): Problems {
  return within("attributes", checkNames(filter.attributes ?? {}));
}

export const checkFilters = (filters: readonly object[] | undefined): Problems =>
  each("", filters, (filter) => checkFilter(filter as Fields, 0));

function checkFilter(filter: Fields, depth: number): Problems {
  const dialects = Object.entries(filter).filter(([, value]) => value !== undefined && value !== null);
  const [dialect] = dialects;
  if (!dialect) return [problem("expected exactly one filter dialect, got none", [self])];
  if (dialects.length > 1) return [problem("multiple dialects found, filters can have only one dialect set", [self])];
  const [name, value] = dialect;
  if (depth > deepest) return [problem("filters are nested too deeply", [self])];
  return within(name, checkDialect(name, value, depth));
}

function checkDialect(name: string, value: unknown, depth: number): Problems {
  if (pairDialects.has(name)) return checkPairs(value);
  if (name === "cesql") return checkExpression(value);
  if (name === "not") return isObject(value) ? checkFilter(value, depth + 1) : [invalidValue(show(value), self)];
  if (name !== "all" && name !== "any")
    return [problem("unknown filter dialect: use exact, prefix, suffix, all, any, not or cesql", [self])];
  if (!Array.isArray(value) || value.length === 0) return [problem("expected at least one filter, got none", [self])];
  return each("", value as readonly unknown[], (inner) =>
    isObject(inner) ? checkFilter(inner, depth + 1) : [invalidValue(show(inner), self)],
  );
}

function checkPairs(value: unknown): Problems {
  if (!isObject(value) || Object.keys(value).length === 0)
    return [problem("expected at least one attribute, got none", [self])];
  const empty = Object.entries(value).filter(([, want]) => typeof want !== "string" || want === "");
  return [
    ...checkNames(value),
    ...empty.map(([name, want]) => problem(`expected a value that is not empty, got ${show(want)}`, [name])),
  ];
}

function checkNames(attributes: Fields): Problems {
  return Object.keys(attributes)
    .filter((name) => !attributeName.test(name))
    .map((name) =>
      name === ""
        ? invalidKeyName(name, self, "Attribute name must not be empty")
        : invalidKeyName(
            name,
            self,
            "Attribute name must start with a letter and can only contain lowercase alphanumeric",
          ),
    );
}

function checkExpression(value: unknown): Problems {
  if (typeof value !== "string" || value.trim() === "") return [problem("expected an expression, got none", [self])];
  try {
    return unknownCalls(parseCesql(value)).map((call) =>
      invalidValue(value, self, `there is no function ${call}: the filter would let nothing pass`),
    );
  } catch (error) {
    if (error instanceof CesqlParseError) return [invalidValue(value, self, error.message)];
    throw error;
  }
}

/** Functions only some expressions may call; see RequestReply. */
const internalFunctions: ReadonlySet<string> = new Set(["KN_VERIFY_CORRELATION_ID"]);

function unknownCalls(expression: Expression): readonly string[] {
  const found: string[] = [];
  const visit = (node: Expression): void => {
    if (node.kind === "call") {
      const known = findFunction(builtinFunctions, node.name, node.args.length);
      if (!known && !internalFunctions.has(node.name))
        found.push(`${node.name} with ${node.args.length} argument${node.args.length === 1 ? "" : "s"}`);
      node.args.forEach(visit);
    } else if (node.kind === "binary") {
      visit(node.left);
      visit(node.right);
    } else if (node.kind === "in") {
      visit(node.operand);
      node.members.forEach(visit);
    } else if (node.kind === "not" || node.kind === "negate" || node.kind === "like") visit(node.operand);
  };
  visit(expression);
  return found;
}

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const show = (value: unknown): string => JSON.stringify(value) ?? "nothing";
