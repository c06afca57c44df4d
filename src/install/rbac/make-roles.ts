import { eventsApiRules } from "../../api/eventing/events-api.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import type { PolicyRule } from "../../api/rbac/types.gen.ts";
import { installLabels, nameOf, systemNamespace, type Component } from "../names.ts";
import { makeTokenPolicy } from "./make-token-policy.ts";
import { grantsOf, type Grant, type Permission } from "./permissions.ts";
import { customKinds } from "../crds/custom-kinds.ts";

const rbac = "rbac.authorization.k8s.io";
const apiVersion = `${rbac}/v1`;

/** ServiceAccounts, roles and bindings of all components, and what users get by the roles view and edit. */
export function makeAccess(events: boolean): readonly KubeObject[] {
  const accounts = (["controller", "router", ...(events ? (["events"] as const) : [])] as const).map((component) => ({
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: nameOf(component), namespace: systemNamespace, labels: installLabels },
    // The pods say themselves that they want a token.
    automountServiceAccountToken: false,
  }));
  return [
    ...accounts,
    // Before the role that it narrows.
    ...(events ? makeTokenPolicy() : []),
    ...grantsOf(events).flatMap(makeGrant),
    ...(events ? makeAddressResolver() : []),
    ...makeAuthenticationReader(),
    ...makeUserRoles(),
  ];
}

function makeGrant({ component, namespace, permissions }: Grant): readonly KubeObject[] {
  const name = nameOf(component);
  const scope = namespace === undefined ? "ClusterRole" : "Role";
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }), labels: installLabels };
  return [
    { apiVersion, kind: scope, metadata, rules: permissions.map(ruleOf) } as KubeObject,
    {
      apiVersion,
      kind: `${scope}Binding`,
      metadata,
      roleRef: { apiGroup: rbac, kind: scope, name },
      subjects: [subjectOf(component)],
    } as KubeObject,
  ];
}

const subjectOf = (component: Component): object => ({
  kind: "ServiceAccount",
  name: nameOf(component),
  namespace: systemNamespace,
});

const ruleOf = ({ group, resources, verbs, names }: Permission): PolicyRule => ({
  apiGroups: [group],
  resources,
  verbs,
  ...(names ? { resourceNames: names } : {}),
});

/**
 * Kinds of others may be destinations, too: what their installations grant by a ClusterRole with upstream's label is
 * granted to ebb-events as it is to Knative Eventing.
 */
function makeAddressResolver(): readonly KubeObject[] {
  const name = "ebb-events-addressable-resolver";
  const metadata = { name, labels: installLabels };
  const clusterRoleSelectors = [{ matchLabels: { "duck.knative.dev/addressable": "true" } }];
  return [
    { apiVersion, kind: "ClusterRole", metadata, aggregationRule: { clusterRoleSelectors } } as KubeObject,
    {
      apiVersion,
      kind: "ClusterRoleBinding",
      metadata,
      roleRef: { apiGroup: rbac, kind: "ClusterRole", name },
      subjects: [subjectOf("events")],
    } as KubeObject,
  ];
}

/** Servers of aggregated APIs read in kube-system by whom the API server's requests are signed. */
function makeAuthenticationReader(): readonly KubeObject[] {
  return [
    {
      apiVersion,
      kind: "RoleBinding",
      metadata: { name: "ebb-controller-authentication-reader", namespace: "kube-system", labels: installLabels },
      roleRef: { apiGroup: rbac, kind: "Role", name: "extension-apiserver-authentication-reader" },
      subjects: [subjectOf("controller")],
    } as KubeObject,
  ];
}

/** Whoever may view or edit a namespace may do so with ebb's kinds, by aggregation into Kubernetes' own roles. */
function makeUserRoles(): readonly KubeObject[] {
  const byGroup = Object.groupBy(
    customKinds().filter(({ stored }) => stored.kind.namespaced),
    ({ stored }) => stored.kind.group,
  );
  const rules = (verbs: readonly string[], isTheirs: (group: string) => boolean): readonly PolicyRule[] =>
    Object.entries(byGroup)
      .filter(([group]) => isTheirs(group))
      .map(([group, kinds = []]) => ({
        apiGroups: [group],
        resources: kinds.map(({ stored }) => stored.kind.plural),
        verbs,
      }));
  const everything = (): boolean => true;
  const role = (name: string, into: readonly string[], granted: readonly PolicyRule[]): KubeObject =>
    ({
      apiVersion,
      kind: "ClusterRole",
      metadata: {
        name,
        labels: {
          ...installLabels,
          ...Object.fromEntries(into.map((target) => [`${rbac}/aggregate-to-${target}`, "true"])),
        },
      },
      rules: granted,
    }) as KubeObject;
  const write = ["create", "update", "patch", "delete", "deletecollection"];
  return [
    role(
      "ebb-view",
      ["view", "edit", "admin"],
      [...rules(["get", "list", "watch"], everything), ...eventsApiRules("reads")],
    ),
    // Internal kinds are made by controllers; users look at them only.
    role(
      "ebb-edit",
      ["edit", "admin"],
      [...rules(write, (group) => !group.includes(".internal.")), ...eventsApiRules("writes")],
    ),
  ];
}
