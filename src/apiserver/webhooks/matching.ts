/** Which webhooks a write concerns (apiserver pkg/admission/plugin/webhook: rules, predicates, matchconditions). */
import type { RuleWithOperations } from "../../api/admissionregistration/types.gen.ts";
import { forbidden } from "../../api/meta/errors.ts";
import { matchesLabelSelector } from "../../api/meta/label-selector.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import type { AdmissionRequest } from "../admission/admission.ts";
import { parseCelOver } from "../crd/cel-environment.ts";
import { toCel } from "../crd/cel-values.ts";
import type { Catalog, Served } from "../registry/catalog.ts";
import type { Hook } from "./hook.ts";

/** The version in which a hook is asked; undefined when its rules do not concern the write. */
export function versionFor(hook: Hook, request: AdmissionRequest, catalog: Catalog): Served | undefined {
  const { served } = request;
  if (served.definition.kind.group === "admissionregistration.k8s.io") return undefined;
  const rules = hook.spec.rules ?? [];
  if (rules.some((rule) => matchesRule(rule, request, served))) return served;
  if (hook.spec.matchPolicy === "Exact") return undefined;
  const siblings = catalog.all().filter(({ resource }) => resource === served.resource);
  return siblings.find((sibling) => rules.some((rule) => matchesRule(rule, request, sibling)));
}

const has = (list: readonly string[] | undefined, value: string): boolean =>
  list !== undefined && (list.includes("*") || list.includes(value));

function matchesRule(rule: RuleWithOperations, request: AdmissionRequest, { definition }: Served): boolean {
  const { group, version, plural, namespaced } = definition.kind;
  const scope = namespaced && plural !== "namespaces" ? "Namespaced" : "Cluster";
  return (
    has(rule.operations, request.operation.toUpperCase()) &&
    has(rule.apiGroups, group) &&
    has(rule.apiVersions, version) &&
    (rule.scope === undefined || rule.scope === "*" || rule.scope === scope) &&
    (rule.resources ?? []).some((resource) => matchesResource(resource, plural, request.subresource))
  );
}

/** `*` is every resource and no subresource, `*` before and after a slash both, `pods/*` every subresource of pods. */
function matchesResource(rule: string, plural: string, subresource: string | undefined): boolean {
  const [resource, sub] = rule.split("/");
  if (resource !== "*" && resource !== plural) return false;
  if (sub === undefined) return subresource === undefined;
  return sub === "*" ? resource === "*" || subresource !== undefined : sub === subresource;
}

type Labels = Readonly<Record<string, string>> | undefined;

/** Whether the selectors let the hook be asked. Objects outside namespaces match every namespace selector. */
export function isSelected({ spec }: Hook, request: AdmissionRequest): boolean {
  const { object, old } = request;
  if (!matchesLabelSelector(spec.namespaceSelector ?? {}, namespaceLabels(request) ?? {})) return false;
  const selector = spec.objectSelector ?? {};
  return [object, old].some((one) => one !== undefined && matchesLabelSelector(selector, one.metadata.labels ?? {}));
}

function namespaceLabels({ served, namespace, name, object, old, store }: AdmissionRequest): Labels {
  if (served.resource === "/namespaces") return (object ?? old)?.metadata.labels;
  if (namespace === undefined) return undefined;
  const found: KubeObject | undefined = store.get("/namespaces", namespace)?.object;
  return found?.metadata.labels ?? (name === "" ? undefined : {});
}

/**
 * Whether all match conditions hold for the review. One that is false is enough not to ask; one that cannot be
 * evaluated refuses the write, unless failures are to be ignored.
 */
export function conditionsHold(
  { spec }: Hook,
  review: Readonly<Record<string, unknown>>,
  request: AdmissionRequest,
): boolean {
  const { object = null, oldObject = null } = review;
  let failed: string | undefined;
  for (const { name, expression } of spec.matchConditions ?? [])
    try {
      const parsed = parseCelOver(expression, ["object", "oldObject", "request"]);
      const variables = { object, oldObject, request: review };
      const result: unknown = parsed(
        Object.fromEntries(Object.entries(variables).map(([key, value]) => [key, toCel(value, undefined)])),
      );
      if (result === false) return false;
      if (result !== true) failed ??= `condition ${JSON.stringify(name)} is no boolean`;
    } catch (error) {
      failed ??= `condition ${JSON.stringify(name)}: ${error instanceof Error ? error.message : String(error)}`;
    }
  if (failed === undefined) return true;
  if (spec.failurePolicy === "Ignore") return false;
  throw forbidden(
    request.served.definition.kind,
    request.name,
    `failed evaluating match conditions of ${spec.name}: ${failed}`,
  );
}
