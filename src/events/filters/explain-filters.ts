/** Says of every line of a Trigger's filter whether an event passes it, and why not. */
import type { FilterSet, FilterSpec } from "../../api/eventing/engine.ts";
import { compileCesql } from "../../api/cesql/compile.ts";
import { attributeText } from "./attribute-text.ts";
import { matchAttribute } from "./compile-filters.ts";
import type { EventAttributes } from "./filter.ts";

export interface FilterLine {
  /** Where it stands in the spec: `filters[0].any[1].exact.type`. */
  readonly path: string;
  readonly passed: boolean;
  /** What it asks for and what the event has: `type is "a", wanted "b"`. */
  readonly because: string;
}

export interface FilterExplanation {
  readonly passed: boolean;
  /** A line of its own for each leaf and each all, any and not, containers before what is in them. */
  readonly lines: readonly FilterLine[];
}

/** Throws as compileFilters does where a filter is none. */
export function explainFilters({ attributes, filters }: FilterSet, event: EventAttributes): FilterExplanation {
  if (filters && filters.length > 0)
    return inAll(filters.map((spec, i) => explainFilter(spec, `filters[${i}]`, event)));
  const wanted = Object.entries(attributes ?? {});
  if (wanted.length === 0)
    return {
      passed: true,
      lines: [{ path: "filter", passed: true, because: "there is no filter: every event passes" }],
    };
  return inAll(
    wanted.map(([name, want]) => {
      const passed = matchAttribute(name, want)(event);
      const asked = want === "" ? "wanted any value" : `wanted ${JSON.stringify(want)}`;
      return leaf(`filter.attributes.${name}`, passed, `${told(name, event)}, ${asked}`);
    }),
  );
}

function explainFilter(spec: FilterSpec, path: string, event: EventAttributes): FilterExplanation {
  const { exact, prefix, suffix, all, any, not, cesql } = spec;
  if (exact)
    return pairs(exact, { path: `${path}.exact`, words: "wanted", holds: (text, want) => text === want }, event);
  if (prefix)
    return pairs(
      prefix,
      { path: `${path}.prefix`, words: "wanted a text that starts with", holds: (text, want) => text.startsWith(want) },
      event,
    );
  if (suffix)
    return pairs(
      suffix,
      { path: `${path}.suffix`, words: "wanted a text that ends with", holds: (text, want) => text.endsWith(want) },
      event,
    );
  if (all) return group(`${path}.all`, all, event);
  if (any) return group(`${path}.any`, any, event);
  if (not) {
    const inner = explainFilter(not, `${path}.not`, event);
    const because = inner.passed ? "what it excludes holds" : "what it excludes does not hold";
    return { passed: !inner.passed, lines: [{ path: `${path}.not`, passed: !inner.passed, because }, ...inner.lines] };
  }
  return explainExpression(cesql ?? "", `${path}.cesql`, event);
}

function group(path: string, specs: readonly FilterSpec[], event: EventAttributes): FilterExplanation {
  const parts = specs.map((spec, i) => explainFilter(spec, `${path}[${i}]`, event));
  const passing = parts.filter(({ passed }) => passed).length;
  const passed = path.endsWith(".any") ? passing > 0 : passing === parts.length;
  const because = `${passing} of ${parts.length} hold`;
  return { passed, lines: [{ path, passed, because }, ...parts.flatMap(({ lines }) => lines)] };
}

interface PairRule {
  readonly path: string;
  readonly words: string;
  readonly holds: (text: string, want: string) => boolean;
}

function pairs(
  wanted: Readonly<Record<string, string>>,
  { path, words, holds }: PairRule,
  event: EventAttributes,
): FilterExplanation {
  return inAll(
    Object.entries(wanted).map(([name, want]) => {
      const text = attributeText(event[name]);
      const passed = text !== undefined && holds(text, want);
      return leaf(`${path}.${name}`, passed, `${told(name, event)}, ${words} ${JSON.stringify(want)}`);
    }),
  );
}

function explainExpression(text: string, path: string, event: EventAttributes): FilterExplanation {
  const { value, errors } = compileCesql(text).evaluate(event);
  const passed = value === true && errors.length === 0;
  const troubles = errors.map(({ kind, about }) => `${errorWords[kind]} ${JSON.stringify(about)}`);
  const trouble = troubles.length === 0 ? "" : `, with errors, which never pass: ${troubles.join("; ")}`;
  return leaf(path, passed, `${text} is ${JSON.stringify(value)}${trouble}`);
}

const errorWords = {
  math: "arithmetic:",
  cast: "cannot be converted:",
  missingAttribute: "the event has no attribute",
  missingFunction: "no function of this name and number of arguments:",
  functionEvaluation: "function:",
  generic: "",
} as const;

const told = (name: string, event: EventAttributes): string => {
  const text = attributeText(event[name]);
  return text === undefined ? `${name} is missing` : `${name} is ${JSON.stringify(text)}`;
};

const leaf = (path: string, passed: boolean, because: string): FilterExplanation => ({
  passed,
  lines: [{ path, passed, because }],
});

const inAll = (parts: readonly FilterExplanation[]): FilterExplanation => ({
  passed: parts.every(({ passed }) => passed),
  lines: parts.flatMap(({ lines }) => lines),
});
