import { forbidden, invalid } from "../../api/meta/errors.ts";
import { fieldError } from "../../api/meta/field-error.ts";
import type { ClusterRole, PolicyRule, RoleBinding } from "../../api/rbac/types.gen.ts";
import type { AdmissionRequest, AdmissionStep } from "../admission/admission.ts";
import { jsonEqual } from "../schema/json-value.ts";
import { isSuperuser, type Authorizer } from "./authorizer.ts";
import { printRule, uncovered } from "./rules.ts";

const group = "rbac.authorization.k8s.io";

/**
 * Nobody grants what they do not hold: writing a role takes holding its rules or the verb `escalate` on it, writing a
 * binding takes holding the rules of its role or the verb `bind` on that role.
 */
export function escalationCheck(authorizer: Authorizer): AdmissionStep {
  return {
    name: "PrivilegeEscalation",
    validate(request) {
      if (request.operation === "delete" || !request.object || request.served.definition.kind.group !== group) return;
      const { plural } = request.served.definition.kind;
      if (plural === "rolebindings" || plural === "clusterrolebindings") checkBinding(authorizer, request);
      else if (!isSuperuser(request.user)) checkRole(authorizer, request);
    },
  };
}

function checkRole(authorizer: Authorizer, request: AdmissionRequest): void {
  const { rules = [], aggregationRule } = request.object as unknown as ClusterRole;
  const old = request.old as ClusterRole | undefined;
  if (old && jsonEqual(old.rules ?? [], rules) && jsonEqual(old.aggregationRule, aggregationRule)) return;
  if (asks(authorizer, request, "escalate", request.served.definition.kind.plural, request.name)) return;
  // Aggregation hands out rules nobody has written yet.
  const wanted = aggregationRule ? [...rules, { apiGroups: ["*"], resources: ["*"], verbs: ["*"] }] : rules;
  refuseUncovered(authorizer, request, wanted);
}

function checkBinding(authorizer: Authorizer, request: AdmissionRequest): void {
  const binding = request.object as unknown as RoleBinding;
  const old = request.old as RoleBinding | undefined;
  const { kind } = request.served.definition;
  if (old && !jsonEqual(old.roleRef, binding.roleRef))
    throw invalid(kind, request.name, [fieldError.invalid("roleRef", binding.roleRef, "cannot change roleRef")]);
  if (isSuperuser(request.user) || (old && jsonEqual(old.subjects ?? [], binding.subjects ?? []))) return;
  const { roleRef } = binding;
  const plural = roleRef.kind === "ClusterRole" ? "clusterroles" : "roles";
  if (asks(authorizer, request, "bind", plural, roleRef.name)) return;
  const rules = authorizer.rulesOfRole(roleRef, request.namespace ?? "");
  if (!rules) throw forbidden(kind, request.name, `${plural}.${group} "${roleRef.name}" not found`);
  refuseUncovered(authorizer, request, rules);
}

function asks(
  authorizer: Authorizer,
  request: AdmissionRequest,
  verb: string,
  resource: string,
  name: string,
): boolean {
  const { namespace } = request;
  return authorizer.allows(request.user, {
    kind: "resource",
    verb,
    group,
    resource,
    name,
    ...(namespace ? { namespace } : {}),
  });
}

function refuseUncovered(authorizer: Authorizer, request: AdmissionRequest, wanted: readonly PolicyRule[]): void {
  const missing = uncovered(authorizer.rulesOf(request.user, request.namespace ?? ""), wanted);
  if (missing.length === 0) return;
  const { name, groups } = request.user;
  const list = groups.map((one) => JSON.stringify(one)).join(" ");
  throw forbidden(
    request.served.definition.kind,
    request.name,
    `user "${name}" (groups=[${list}]) is attempting to grant RBAC permissions not currently held:\n${missing.map(printRule).join("\n")}`,
  );
}
