/**
 * Filters of Triggers compiled to one function. `filters` replaces `attributes` entirely while it is not empty; all of
 * its lines must hold. Attributes are compared by their canonical text, so that an Integer 5 equals "5" (CloudEvents
 * Subscriptions API §3.2.4, knative/specs eventing data-plane).
 */
import type { FilterSet, FilterSpec } from "../../api/eventing/engine.ts";
import { compileCesql } from "../../api/cesql/compile.ts";
import { attributeText } from "./attribute-text.ts";
import { passAll, type EventFilter } from "./filter.ts";

/** Throws an Error that names the line for a dialect that is unknown or empty, and for CESQL that does not parse. */
export function compileFilters({ attributes, filters }: FilterSet): EventFilter {
  if (filters && filters.length > 0) return allOf(filters.map((spec, i) => compileFilter(spec, `filters[${i}]`)));
  return allOf(Object.entries(attributes ?? {}).map(([name, value]) => matchAttribute(name, value)));
}

/** The one member of a dialect, told apart. Throws an Error naming `path` for none, several or an unknown one. */
export function compileFilter(spec: FilterSpec, path: string): EventFilter {
  const members = Object.entries(spec).filter(([, value]) => value !== undefined);
  const [member] = members;
  if (!member || members.length > 1)
    throw new Error(`${path} must have exactly one dialect, not ${members.length === 0 ? "none" : listOf(members)}`);
  const { exact, prefix, suffix, all, any, not, cesql } = spec;
  if (exact) return pairs(exact, `${path}.exact`, (text, want) => text === want);
  if (prefix) return pairs(prefix, `${path}.prefix`, (text, want) => text.startsWith(want));
  if (suffix) return pairs(suffix, `${path}.suffix`, (text, want) => text.endsWith(want));
  if (all) return allOf(nested(all, `${path}.all`));
  if (any) return anyOf(nested(any, `${path}.any`));
  if (not) return negated(compileFilter(not, `${path}.not`));
  if (cesql !== undefined) return compileExpression(cesql, `${path}.cesql`);
  throw new Error(`${path}: unknown dialect "${member[0]}": use exact, prefix, suffix, all, any, not or cesql`);
}

const listOf = (members: readonly (readonly [string, unknown])[]): string =>
  members.map(([name]) => name).join(" and ");

function compileExpression(text: string, path: string): EventFilter {
  try {
    const program = compileCesql(text);
    return (event) => program.passes(event);
  } catch (error) {
    throw new Error(`${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** The oldest form: exact, but an empty value asks only that the attribute is there and not empty. */
export function matchAttribute(name: string, value: string): EventFilter {
  return value === ""
    ? (event) => (attributeText(event[name]) ?? "") !== ""
    : (event) => event[name] === value || attributeText(event[name]) === value;
}

function pairs(
  wanted: Readonly<Record<string, string>>,
  path: string,
  holds: (text: string, want: string) => boolean,
): EventFilter {
  const entries = Object.entries(wanted);
  if (entries.length === 0) throw new Error(`${path} names no attribute`);
  return allOf(
    entries.map(([name, want]) => (event) => {
      const text = attributeText(event[name]);
      return text !== undefined && holds(text, want);
    }),
  );
}

function nested(specs: readonly FilterSpec[], path: string): readonly EventFilter[] {
  if (specs.length === 0) throw new Error(`${path} has no filter in it`);
  return specs.map((spec, i) => compileFilter(spec, `${path}[${i}]`));
}

function allOf(filters: readonly EventFilter[]): EventFilter {
  const [first, second] = filters;
  if (!first) return passAll;
  if (!second) return first;
  return (event) => {
    for (const filter of filters) if (!filter(event)) return false;
    return true;
  };
}

function anyOf(filters: readonly EventFilter[]): EventFilter {
  return (event) => {
    for (const filter of filters) if (filter(event)) return true;
    return false;
  };
}

const negated =
  (filter: EventFilter): EventFilter =>
  (event) =>
    !filter(event);
