/**
 * The JSONPath of printer columns, scale paths and selectable fields (client-go util/jsonpath, the part CRDs may use):
 * `.spec.replicas`, `.metadata.labels['app\.io/name']`, `.items[0]`, `.items[*].name`,
 * `.status.conditions[?(@.type=="Ready")].status`.
 */
import { getOwn, isObject } from "../schema/json-value.ts";

type Step =
  | { readonly type: "member"; readonly name: string }
  | { readonly type: "index"; readonly index: number }
  | { readonly type: "all" }
  | { readonly type: "filter"; readonly path: readonly Step[]; readonly operator: string; readonly value: unknown };

/** Finds values in an object, in order. */
export type JsonPath = (object: unknown) => readonly unknown[];

/** Compiles a path; undefined when it is none this server understands. */
export function compileJsonPath(text: string): JsonPath | undefined {
  const steps = parseSteps(text.startsWith("$") ? text.slice(1) : text);
  return steps && ((object) => steps.reduce<readonly unknown[]>(advance, [object]));
}

const stepPattern =
  /\.([A-Za-z_$][\w$/-]*(?:\\.[\w$/-]*)*)|\[(-?\d+)\]|\[\*\]|\.\*|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]|\[\?\(@((?:\.[\w-]+)+)\s*(==|!=)\s*("[^"]*"|'[^']*'|[\w.-]+)\)\]/gy;

function parseSteps(text: string): readonly Step[] | undefined {
  const steps: Step[] = [];
  let at = 0;
  for (const match of text.matchAll(stepPattern)) {
    const [whole, member, index, single, double, path, operator = "", literal = ""] = match;
    at += whole.length;
    const name = member ?? single ?? double;
    if (path !== undefined)
      steps.push({ type: "filter", path: parseSteps(path) ?? [], operator, value: parseLiteral(literal) });
    else if (name !== undefined) steps.push({ type: "member", name: name.replaceAll(/\\(.)/g, "$1") });
    else if (index !== undefined) steps.push({ type: "index", index: Number(index) });
    else steps.push({ type: "all" });
  }
  return at === text.length && steps.length > 0 ? steps : undefined;
}

function parseLiteral(text: string): unknown {
  if (/^["']/.test(text)) return text.slice(1, -1);
  if (text === "true" || text === "false") return text === "true";
  return Number.isNaN(Number(text)) ? text : Number(text);
}

function advance(values: readonly unknown[], step: Step): readonly unknown[] {
  return values.flatMap((value) => {
    switch (step.type) {
      case "member": {
        const found = isObject(value) ? getOwn(value, step.name) : undefined;
        return found === undefined ? [] : [found];
      }
      case "index": {
        const found = Array.isArray(value) ? (value.at(step.index) as unknown) : undefined;
        return found === undefined ? [] : [found];
      }
      case "all":
        return Array.isArray(value) ? (value as unknown[]) : isObject(value) ? Object.values(value) : [];
      case "filter":
        return Array.isArray(value) ? value.filter((item) => passes(item, step)) : [];
      default:
        return step satisfies never;
    }
  });
}

function passes(item: unknown, { path, operator, value }: Extract<Step, { type: "filter" }>): boolean {
  const [found] = path.reduce<readonly unknown[]>(advance, [item]);
  return operator === "==" ? found === value : found !== undefined && found !== value;
}
