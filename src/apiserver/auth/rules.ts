/** RBAC rules as values: what one allows, and whether some cover others (pkg/registry/rbac/validation upstream). */
import type { PolicyRule } from "../../api/rbac/types.gen.ts";

/** What a request wants to do, in the words of RBAC. */
export type AccessQuestion = ResourceQuestion | PathQuestion;

export interface ResourceQuestion {
  readonly kind: "resource";
  readonly verb: string;
  readonly group: string;
  readonly version?: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
}

interface PathQuestion {
  readonly kind: "path";
  readonly verb: string;
  readonly path: string;
}

const all = "*";
const has = (list: readonly string[] | undefined, value: string): boolean =>
  list !== undefined && (list.includes(value) || list.includes(all));

/** Whether a rule allows what is asked. An empty list of names means any, so names never match a collection. */
export function ruleAllows(rule: PolicyRule, question: AccessQuestion): boolean {
  if (!has(rule.verbs, question.verb)) return false;
  if (question.kind === "path") return (rule.nonResourceURLs ?? []).some((url) => urlMatches(url, question.path));
  if (!has(rule.apiGroups, question.group)) return false;
  if (!resourceMatches(rule.resources ?? [], question)) return false;
  const names = rule.resourceNames ?? [];
  return names.length === 0 || (question.name !== undefined && question.name !== "" && names.includes(question.name));
}

function resourceMatches(resources: readonly string[], { resource, subresource }: ResourceQuestion): boolean {
  if (resources.includes(all)) return true;
  if (!subresource) return resources.includes(resource);
  return resources.includes(`${resource}/${subresource}`) || resources.includes(`*/${subresource}`);
}

/** Exact, `*`, or a prefix before a trailing `*`. */
const urlMatches = (pattern: string, path: string): boolean =>
  pattern === all || pattern === path || (pattern.endsWith(all) && path.startsWith(pattern.slice(0, -1)));

/** The rules of `wanted` that `held` does not cover, each cut down to one verb, group and resource. */
export function uncovered(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(singleRules).filter((single) => !held.some((rule) => covers(rule, single)));
}

function singleRules(rule: PolicyRule): PolicyRule[] {
  const found: PolicyRule[] = [];
  for (const verb of rule.verbs) {
    for (const url of rule.nonResourceURLs ?? []) found.push({ verbs: [verb], nonResourceURLs: [url] });
    for (const group of rule.apiGroups ?? [])
      for (const resource of rule.resources ?? []) {
        const single = { verbs: [verb], apiGroups: [group], resources: [resource] };
        const names = rule.resourceNames ?? [];
        if (names.length === 0) found.push(single);
        else found.push(...names.map((name) => ({ ...single, resourceNames: [name] })));
      }
  }
  return found;
}

/** Whether one rule contains a rule of one verb and one resource or URL. */
function covers(rule: PolicyRule, single: PolicyRule): boolean {
  if (!has(rule.verbs, single.verbs[0] ?? "")) return false;
  const url = single.nonResourceURLs?.[0];
  if (url !== undefined) return (rule.nonResourceURLs ?? []).some((pattern) => urlMatches(pattern, url));
  if (!has(rule.apiGroups, single.apiGroups?.[0] ?? "")) return false;
  const [resource = "", subresource] = (single.resources?.[0] ?? "").split("/", 2);
  const question = {
    kind: "resource",
    verb: "",
    group: "",
    resource,
    ...(subresource ? { subresource } : {}),
  } as const;
  if (!resourceMatches(rule.resources ?? [], question)) return false;
  const names = rule.resourceNames ?? [];
  const name = single.resourceNames?.[0];
  return names.length === 0 || (name !== undefined && names.includes(name));
}

/** A rule as upstream prints it in refusals: `{APIGroups:[""], Resources:["pods"], Verbs:["get"]}`. */
export function printRule(rule: PolicyRule): string {
  const list = (values: readonly string[]): string => `[${values.map((value) => JSON.stringify(value)).join(" ")}]`;
  const parts = [
    ...(rule.nonResourceURLs?.length ? [`NonResourceURLs:${list(rule.nonResourceURLs)}`] : []),
    ...(rule.apiGroups?.length ? [`APIGroups:${list(rule.apiGroups)}`] : []),
    ...(rule.resources?.length ? [`Resources:${list(rule.resources)}`] : []),
    ...(rule.resourceNames?.length ? [`ResourceNames:${list(rule.resourceNames)}`] : []),
    `Verbs:${list(rule.verbs)}`,
  ];
  return `{${parts.join(", ")}}`;
}
