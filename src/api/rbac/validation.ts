/** Checks of roles and bindings (Kubernetes pkg/apis/rbac/validation/validation.go). */
import { checkOneOf, complaints, eachItem, requireText } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import { jsonEqual } from "../meta/json-equal.ts";
import { validateLabelSelector } from "../meta/label-validation.ts";
import { checkDnsLabel, checkDnsSubdomain, checkPathSegment } from "../meta/names.ts";
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, Subject } from "./types.gen.ts";

const group = "rbac.authorization.k8s.io";

export function validateRole({ rules }: Role): readonly FieldError[] {
  return eachItem("rules", rules, (rule, at) => ruleErrors(rule, true, at));
}

export function validateClusterRole({ rules, aggregationRule }: ClusterRole): readonly FieldError[] {
  const selectors = aggregationRule?.clusterRoleSelectors;
  const field = "aggregationRule.clusterRoleSelectors";
  return [
    ...eachItem("rules", rules, (rule, at) => ruleErrors(rule, false, at)),
    ...(aggregationRule && !selectors?.length
      ? [fieldError.required(field, "at least one clusterRoleSelector required if aggregationRule is non-nil")]
      : []),
    ...eachItem(field, selectors, (selector, at) => validateLabelSelector(selector, at)),
  ];
}

function ruleErrors(rule: PolicyRule, namespaced: boolean, field: string): readonly FieldError[] {
  const { verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  const errors: FieldError[] = [];
  if (verbs.length === 0) errors.push(fieldError.required(`${field}.verbs`, "verbs must contain at least one value"));
  if (nonResourceURLs.length > 0) {
    const urls = `${field}.nonResourceURLs`;
    const mixed = "rules cannot apply to both regular resources and non-resource URLs";
    if (namespaced)
      errors.push(fieldError.invalid(urls, nonResourceURLs, "namespaced rules cannot apply to non-resource URLs"));
    if (apiGroups.length + resources.length + resourceNames.length > 0)
      errors.push(fieldError.invalid(urls, nonResourceURLs, mixed));
    return errors;
  }
  if (apiGroups.length === 0)
    errors.push(fieldError.required(`${field}.apiGroups`, "resource rules must supply at least one api group"));
  if (resources.length === 0)
    errors.push(fieldError.required(`${field}.resources`, "resource rules must supply at least one resource"));
  return errors;
}

export function validateRoleBinding(binding: RoleBinding, old: RoleBinding | undefined): readonly FieldError[] {
  return [
    ...referenceErrors(binding, old, ["Role", "ClusterRole"]),
    ...eachItem("subjects", binding.subjects, (subject, at) => subjectErrors(subject, true, at)),
  ];
}

export function validateClusterRoleBinding(
  binding: ClusterRoleBinding,
  old: ClusterRoleBinding | undefined,
): readonly FieldError[] {
  return [
    ...referenceErrors(binding, old, ["ClusterRole"]),
    ...eachItem("subjects", binding.subjects, (subject, at) => subjectErrors(subject, false, at)),
  ];
}

type Binding = Pick<RoleBinding, "roleRef">;

function referenceErrors(
  { roleRef }: Binding,
  old: Binding | undefined,
  kinds: readonly string[],
): readonly FieldError[] {
  return [
    ...checkOneOf("roleRef.apiGroup", roleRef?.apiGroup ?? "", [group]),
    ...checkOneOf("roleRef.kind", roleRef?.kind ?? "", kinds),
    ...requireText("roleRef.name", roleRef?.name, checkPathSegment),
    ...(old && !jsonEqual(roleRef, old.roleRef)
      ? [fieldError.invalid("roleRef", roleRef, "cannot change roleRef")]
      : []),
  ];
}

function subjectErrors(subject: Subject, namespaced: boolean, field: string): readonly FieldError[] {
  const { kind, name, apiGroup = "", namespace } = subject;
  const errors: FieldError[] = name ? [] : [fieldError.required(`${field}.name`)];
  switch (kind) {
    case "ServiceAccount":
      if (name) errors.push(...complaints(`${field}.name`, name, checkDnsSubdomain(name)));
      errors.push(...checkOneOf(`${field}.apiGroup`, apiGroup, [""]));
      if (namespace) errors.push(...complaints(`${field}.namespace`, namespace, checkDnsLabel(namespace)));
      else if (!namespaced) errors.push(fieldError.required(`${field}.namespace`));
      return errors;
    case "User":
    case "Group":
      return [...errors, ...checkOneOf(`${field}.apiGroup`, apiGroup, [group])];
    default:
      return [...errors, fieldError.notSupported(`${field}.kind`, kind ?? "", ["Group", "ServiceAccount", "User"])];
  }
}
