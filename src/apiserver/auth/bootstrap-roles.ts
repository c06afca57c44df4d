/** The roles every cluster starts with (docs: kubernetes.io RBAC, "Default roles and role bindings"). */
import { eventsApiRules } from "../../api/eventing/events-api.ts";
import type { ClusterRole, ClusterRoleBinding, PolicyRule } from "../../api/rbac/types.gen.ts";

type Made<T> = Omit<T, "metadata"> & {
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
};

/** While "true", a start adds the rules and subjects that a newer ebb brings; users set "false" to keep a role as it is. */
export const autoUpdateAnnotation = "rbac.authorization.kubernetes.io/autoupdate";
const annotations = { [autoUpdateAnnotation]: "true" };

const read = ["get", "list", "watch"];
const write = ["create", "delete", "deletecollection", "patch", "update"];

const rule = (apiGroups: readonly string[], resources: readonly string[], verbs: readonly string[]): PolicyRule => ({
  apiGroups,
  resources,
  verbs,
});

const bootstrapping = { "kubernetes.io/bootstrapping": "rbac-defaults" };
const aggregateLabel = (to: string): string => `rbac.authorization.k8s.io/aggregate-to-${to}`;

const role = (name: string, rules: readonly PolicyRule[], aggregateTo?: string): Made<ClusterRole> => ({
  metadata: {
    name,
    annotations,
    labels: { ...bootstrapping, ...(aggregateTo ? { [aggregateLabel(aggregateTo)]: "true" } : {}) },
  },
  rules,
});

/** A role whose rules are those of all roles with its label. */
const aggregating = (name: string, further?: string): Made<ClusterRole> => ({
  metadata: {
    name,
    annotations,
    labels: { ...bootstrapping, ...(further ? { [aggregateLabel(further)]: "true" } : {}) },
  },
  aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [aggregateLabel(name)]: "true" } }] },
  rules: [],
});

const workloads = {
  core: ["configmaps", "endpoints", "persistentvolumeclaims", "pods", "replicationcontrollers", "services"],
  apps: [
    "daemonsets",
    "deployments",
    "deployments/scale",
    "replicasets",
    "replicasets/scale",
    "statefulsets",
    "statefulsets/scale",
  ],
} as const;

const viewRules: readonly PolicyRule[] = [
  rule(
    [""],
    [
      ...workloads.core,
      "serviceaccounts",
      "pods/log",
      "pods/status",
      "services/status",
      "bindings",
      "events",
      "limitranges",
      "namespaces",
      "namespaces/status",
      "resourcequotas",
      "resourcequotas/status",
    ],
    read,
  ),
  rule(["apps"], [...workloads.apps, "deployments/status", "replicasets/status"], read),
  rule(["autoscaling"], ["horizontalpodautoscalers", "horizontalpodautoscalers/status"], read),
  rule(["batch"], ["cronjobs", "cronjobs/status", "jobs", "jobs/status"], read),
  rule(["policy"], ["poddisruptionbudgets", "poddisruptionbudgets/status"], read),
  rule(["networking.k8s.io"], ["ingresses", "ingresses/status", "networkpolicies"], read),
  rule(["discovery.k8s.io"], ["endpointslices"], read),
];

/** What Knative's own aggregated roles give: namespaced editors work with Services, viewers see them. */
const knativeGroups = ["serving.knative.dev", "autoscaling.internal.knative.dev", "networking.internal.knative.dev"];
const eventingGroups = [
  "eventing.knative.dev",
  "messaging.knative.dev",
  "flows.knative.dev",
  "sources.knative.dev",
  "sinks.knative.dev",
];

const editRules: readonly PolicyRule[] = [
  rule([""], ["pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets", "services/proxy"], read),
  rule([""], ["serviceaccounts"], ["impersonate"]),
  rule([""], ["pods", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy"], write),
  rule([""], ["pods/eviction", "serviceaccounts/token", "events"], ["create"]),
  rule([""], ["configmaps", "endpoints", "secrets", "serviceaccounts", "services", "services/proxy"], write),
  rule(
    ["apps"],
    ["deployments", "deployments/rollback", "deployments/scale", "replicasets", "replicasets/scale"],
    write,
  ),
  rule(["autoscaling"], ["horizontalpodautoscalers"], write),
  rule(["batch"], ["cronjobs", "jobs"], write),
  rule(["policy"], ["poddisruptionbudgets"], write),
  rule(["networking.k8s.io"], ["ingresses", "networkpolicies"], write),
  rule(["coordination.k8s.io"], ["leases"], [...write, ...read]),
];

const adminRules: readonly PolicyRule[] = [
  rule(["authorization.k8s.io"], ["localsubjectaccessreviews"], ["create"]),
  rule(["rbac.authorization.k8s.io"], ["rolebindings", "roles"], [...write, ...read]),
];

const publicPaths = ["/healthz", "/livez", "/readyz", "/version", "/version/"];

export const bootstrapClusterRoles: readonly Made<ClusterRole>[] = [
  role("cluster-admin", [rule(["*"], ["*"], ["*"]), { nonResourceURLs: ["*"], verbs: ["*"] }]),
  aggregating("admin"),
  aggregating("edit", "admin"),
  aggregating("view", "edit"),
  role("system:aggregate-to-admin", adminRules, "admin"),
  role("system:aggregate-to-edit", editRules, "edit"),
  role("system:aggregate-to-view", viewRules, "view"),
  role("knative-serving-namespaced-edit", [rule(knativeGroups, ["*"], write)], "edit"),
  role("knative-serving-namespaced-view", [rule(knativeGroups, ["*"], read)], "view"),
  role("knative-eventing-namespaced-edit", [rule(eventingGroups, ["*"], write)], "edit"),
  role("knative-eventing-namespaced-view", [rule(eventingGroups, ["*"], read)], "view"),
  role("ebb-events-edit", eventsApiRules("writes"), "edit"),
  role("ebb-events-view", eventsApiRules("reads"), "view"),
  role("system:discovery", [
    {
      nonResourceURLs: ["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*", ...publicPaths],
      verbs: ["get"],
    },
  ]),
  role("system:basic-user", [
    rule(["authorization.k8s.io"], ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], ["create"]),
    rule(["authentication.k8s.io"], ["selfsubjectreviews"], ["create"]),
  ]),
  role("system:monitoring", [
    {
      nonResourceURLs: ["/healthz", "/livez", "/readyz", "/metrics"].flatMap((path) => [path, `${path}/*`]),
      verbs: ["get"],
    },
  ]),
  role("system:public-info-viewer", [{ nonResourceURLs: publicPaths, verbs: ["get"] }]),
  role("system:service-account-issuer-discovery", [
    { nonResourceURLs: ["/.well-known/openid-configuration", "/openid/v1/jwks"], verbs: ["get"] },
  ]),
  role("system:auth-delegator", [
    rule(["authentication.k8s.io"], ["tokenreviews"], ["create"]),
    rule(["authorization.k8s.io"], ["subjectaccessreviews"], ["create"]),
  ]),
];

const bind = (name: string, ...groups: readonly string[]): Made<ClusterRoleBinding> => ({
  metadata: { name, annotations, labels: bootstrapping },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
  subjects: groups.map((group) => ({ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: group })),
});

export const bootstrapClusterRoleBindings: readonly Made<ClusterRoleBinding>[] = [
  bind("cluster-admin", "system:masters"),
  bind("system:discovery", "system:authenticated"),
  bind("system:basic-user", "system:authenticated"),
  bind("system:monitoring", "system:monitoring"),
  bind("system:public-info-viewer", "system:authenticated", "system:unauthenticated"),
  bind("system:service-account-issuer-discovery", "system:serviceaccounts"),
];
