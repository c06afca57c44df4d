import type { RequestUser } from "../../api/meta/definition.ts";
import { failure, forbidden, type ApiError } from "../../api/meta/errors.ts";
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
  RoleRef,
  Subject,
} from "../../api/rbac/types.gen.ts";
import type { Store } from "../storage/store.ts";
import { ruleAllows, type AccessQuestion } from "./rules.ts";

const group = "rbac.authorization.k8s.io";
const resources = {
  roles: `${group}/roles`,
  roleBindings: `${group}/rolebindings`,
  clusterRoles: `${group}/clusterroles`,
  clusterRoleBindings: `${group}/clusterrolebindings`,
} as const;

/** Members may do everything, whatever the roles say. */
const superuserGroup = "system:masters";

/** Users whose rules are remembered until a role or binding changes. */
const maxRemembered = 1000;

/** Decides by the roles and bindings in the store: allowed when any rule allows, there is no denying. */
export interface Authorizer {
  allows(user: RequestUser, question: AccessQuestion): boolean;
  /** Everything a user holds in a namespace, or cluster-wide when it is "". */
  rulesOf(user: RequestUser, namespace: string): readonly PolicyRule[];
  /** The rules behind a roleRef; undefined when the role does not exist. */
  rulesOfRole(roleRef: Pick<RoleRef, "kind" | "name">, namespace: string): readonly PolicyRule[] | undefined;
}

export const isSuperuser = (user: RequestUser): boolean => user.groups.includes(superuserGroup);

const everything: readonly PolicyRule[] = [
  { apiGroups: ["*"], resources: ["*"], verbs: ["*"] },
  { nonResourceURLs: ["*"], verbs: ["*"] },
];

export function createAuthorizer(store: Store): Authorizer {
  const remembered = new Map<string, readonly PolicyRule[]>();
  let seen = -1;
  const rulesOf = (user: RequestUser, namespace: string): readonly PolicyRule[] => {
    if (isSuperuser(user)) return everything;
    const version = Object.values(resources).reduce((sum, resource) => sum + store.lastRevisionOf(resource), 0);
    if (version !== seen) remembered.clear();
    seen = version;
    const key = JSON.stringify([namespace, user.name, user.groups]);
    let rules = remembered.get(key);
    if (!rules) {
      if (remembered.size >= maxRemembered) remembered.clear();
      remembered.set(key, (rules = collectRules(store, user, namespace)));
    }
    return rules;
  };
  return {
    rulesOf,
    rulesOfRole: (roleRef, namespace) => roleRules(store, roleRef, namespace),
    allows: (user, question) => {
      if (isSuperuser(user)) return true;
      const namespace = question.kind === "resource" ? (question.namespace ?? "") : "";
      return rulesOf(user, namespace).some((rule) => ruleAllows(rule, question));
    },
  };
}

function collectRules(store: Store, user: RequestUser, namespace: string): PolicyRule[] {
  const found: PolicyRule[] = [];
  for (const { object } of store.list(resources.clusterRoleBindings)) {
    const { subjects, roleRef } = object as ClusterRoleBinding;
    if (isSubject(subjects, user, "")) found.push(...(roleRules(store, roleRef, "") ?? []));
  }
  if (namespace === "") return found;
  for (const { object } of store.list(resources.roleBindings, namespace)) {
    const { subjects, roleRef } = object as RoleBinding;
    if (isSubject(subjects, user, namespace)) found.push(...(roleRules(store, roleRef, namespace) ?? []));
  }
  return found;
}

function roleRules(
  store: Store,
  { kind, name }: Pick<RoleRef, "kind" | "name">,
  namespace: string,
): readonly PolicyRule[] | undefined {
  const entry =
    kind === "ClusterRole"
      ? store.get(resources.clusterRoles, name)
      : store.get(resources.roles, `${namespace}/${name}`);
  const role = entry?.object as ClusterRole | Role | undefined;
  return role && (role.rules ?? []);
}

function isSubject(subjects: readonly Subject[] | undefined, user: RequestUser, namespace: string): boolean {
  return (subjects ?? []).some((subject) => {
    switch (subject.kind) {
      case "User":
        return subject.name === user.name;
      case "Group":
        return user.groups.includes(subject.name);
      case "ServiceAccount":
        return user.name === `system:serviceaccount:${subject.namespace || namespace}:${subject.name}`;
      default:
        return false;
    }
  });
}

/** The 403 that tells who may not do what. */
export function accessDenied(user: RequestUser, question: AccessQuestion): ApiError {
  if (question.kind === "path")
    return failure(
      403,
      "Forbidden",
      `forbidden: User "${user.name}" cannot ${question.verb} path "${question.path}"`,
      {},
    );
  const { verb, group: apiGroup, resource, subresource, namespace, name = "" } = question;
  const full = subresource ? `${resource}/${subresource}` : resource;
  const where = namespace ? `in the namespace "${namespace}"` : "at the cluster scope";
  const why = `User "${user.name}" cannot ${verb} resource "${full}" in API group "${apiGroup}" ${where}`;
  return forbidden({ group: apiGroup, plural: resource }, name, why);
}
