/** Every permission ebb has on a cluster, each with its reason: roles and docs/reference/rbac.md are made from this. */
import { certificateAccessName } from "../../api/ebb-keys.ts";
import { servingNamespace } from "../../api/serving/keys.ts";
import {
  claimAuthoritySecret,
  routerPeersSecret,
  servingCaConfigMap,
  servingCertsSecret,
  systemNamespace,
  type Component,
} from "../names.ts";
import { convertedKinds } from "../crds/custom-kinds.ts";
import { apiServiceNames, webhookNames } from "../webhooks/names.ts";
import { eventGrants, eventSettings } from "./event-permissions.ts";

export interface Permission {
  readonly group: string;
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  /** Only objects of these names. */
  readonly names?: readonly string[];
  /** Ends a sentence that begins with "to". */
  readonly why: string;
}

export interface Grant {
  readonly component: Component;
  /** Absent: in all namespaces, and of what is in none. */
  readonly namespace?: string;
  readonly permissions: readonly Permission[];
}

const read = ["get", "list", "watch"] as const;
const serving = "serving.knative.dev";
const autoscaling = "autoscaling.internal.knative.dev";
const networking = "networking.internal.knative.dev";

const controllerEverywhere: readonly Permission[] = [
  {
    group: serving,
    resources: ["services", "domainmappings"],
    verbs: [...read, "update", "patch"],
    why: "read what users want, and hold an object until what was made for it is gone",
  },
  {
    group: serving,
    resources: ["configurations", "routes", "revisions"],
    verbs: [...read, "create", "update", "patch", "delete"],
    why: "make the Configuration, Route and Revisions of a Service, label them, and remove old Revisions",
  },
  {
    group: serving,
    resources: ["services", "configurations", "routes", "revisions", "domainmappings"].map((r) => `${r}/status`),
    verbs: ["update", "patch"],
    why: "tell how they are",
  },
  {
    group: serving,
    resources: ["services", "configurations", "routes", "revisions", "domainmappings"].map((r) => `${r}/finalizers`),
    verbs: ["update"],
    why: "own children where the cluster demands it of owners (OwnerReferencesPermissionEnforcement)",
  },
  {
    group: autoscaling,
    resources: ["podautoscalers"],
    verbs: [...read, "create", "update", "patch", "delete"],
    why: "scale Revisions",
  },
  {
    group: autoscaling,
    resources: ["podautoscalers/status", "podautoscalers/finalizers"],
    verbs: ["update", "patch"],
    why: "tell the decisions of the autoscaler, and own HorizontalPodAutoscalers",
  },
  {
    group: networking,
    resources: ["ingresses"],
    verbs: [...read, "create", "update", "patch", "delete"],
    why: "tell the routers what goes where",
  },
  {
    group: networking,
    resources: ["ingresses/status"],
    verbs: ["update", "patch"],
    why: "say that routes are live",
  },
  {
    group: networking,
    resources: ["certificates"],
    verbs: [...read, "create", "update", "delete"],
    why: "ask for a certificate of each host where external-domain-tls is on",
  },
  {
    group: networking,
    resources: ["certificates/status", "certificates/finalizers"],
    verbs: ["update", "patch"],
    why: "tell how far they are, and own cert-manager's Certificates",
  },
  {
    group: "cert-manager.io",
    resources: ["certificates"],
    verbs: [...read, "create", "update"],
    why: "have cert-manager make them, where it is installed",
  },
  {
    group: "acme.cert-manager.io",
    resources: ["challenges"],
    verbs: ["get"],
    why: "let an issuer's questions at a host through to cert-manager",
  },
  {
    group: networking,
    resources: ["clusterdomainclaims"],
    verbs: [...read, "create", "delete"],
    why: "give a domain to the namespace that mapped it first",
  },
  {
    group: "networking.k8s.io",
    resources: ["networkpolicies"],
    verbs: [...read, "create", "update", "delete"],
    why: "let only ebb's own pods reach the instances of a namespace, and whom its users allow",
  },
  {
    group: "apps",
    resources: ["deployments"],
    verbs: [...read, "create", "update", "patch", "delete"],
    why: "run Revisions",
  },
  {
    group: "apps",
    resources: ["deployments/scale"],
    verbs: ["get", "update", "patch"],
    why: "scale Revisions",
  },
  {
    group: "apps",
    resources: ["replicasets"],
    verbs: [...read],
    why: "find the ReplicaSet that adopts a pod which serves already, and why it cannot make more",
  },
  {
    group: "",
    resources: ["pods"],
    verbs: [...read, "create", "patch", "delete"],
    why: "keep warm pods, give them to the Revisions they serve, and tell why a pod does not start",
  },
  {
    group: "",
    resources: ["services"],
    verbs: [...read, "create", "update", "patch", "delete"],
    why: "make the Services of Revisions and the names of Routes",
  },
  {
    group: "discovery.k8s.io",
    resources: ["endpointslices"],
    verbs: [...read],
    why: "count the instances that are ready",
  },
  {
    group: "autoscaling",
    resources: ["horizontalpodautoscalers"],
    verbs: [...read, "create", "update", "patch", "delete"],
    why: "scale Revisions of class hpa",
  },
  {
    group: "",
    resources: ["namespaces", "nodes"],
    verbs: [...read],
    why: "leave namespaces alone that are being deleted, and tell of nodes under pressure",
  },
  {
    group: "",
    resources: ["secrets", "serviceaccounts"],
    verbs: ["get"],
    why: "find the login of a private registry, named by a Revision or its ServiceAccount, to pin its image by digest, and the values that a Revision's environment names, to bring them to a warm pod; never listed or watched",
  },
  {
    group: "",
    resources: ["configmaps"],
    verbs: ["get"],
    why: "bring the values that a Revision's environment names to a warm pod",
  },
  {
    group: "rbac.authorization.k8s.io",
    resources: ["roles", "rolebindings"],
    verbs: ["create"],
    why: "let routers read the Secrets that Ingresses have certificates in (a name cannot be demanded of what is created; nobody can grant what they may not do themselves)",
  },
  {
    group: "rbac.authorization.k8s.io",
    resources: ["roles", "rolebindings"],
    verbs: [...read, "update", "delete"],
    names: [certificateAccessName],
    why: "keep that to the Secrets that Ingresses of the namespace name",
  },
  {
    group: "sources.knative.dev",
    resources: ["sinkbindings"],
    verbs: [...read],
    why: "tell programs of their sink as they are written",
  },
  { group: "", resources: ["events"], verbs: ["create", "patch"], why: "tell users what happened to their objects" },
  {
    group: "authentication.k8s.io",
    resources: ["tokenreviews"],
    verbs: ["create"],
    why: "know that who reports load is a router, which pod a waiting host is, and who asks the metrics APIs",
  },
  {
    group: "authorization.k8s.io",
    resources: ["subjectaccessreviews"],
    verbs: ["create"],
    why: "know whether who asks the metrics APIs may",
  },
  {
    group: "admissionregistration.k8s.io",
    resources: ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
    verbs: [...read, "patch"],
    names: webhookNames,
    why: "write its own certificate authority into its own webhook configurations",
  },
  {
    group: "apiregistration.k8s.io",
    resources: ["apiservices"],
    verbs: [...read, "patch"],
    names: apiServiceNames,
    why: "write its own certificate authority into its own APIServices",
  },
  {
    group: "apiextensions.k8s.io",
    resources: ["customresourcedefinitions"],
    verbs: ["get", "patch"],
    names: convertedKinds(),
    why: "write its own certificate authority into the definitions of kinds whose older versions it converts",
  },
];

const controllerAtHome: readonly Permission[] = [
  {
    group: "coordination.k8s.io",
    resources: ["leases"],
    verbs: ["create"],
    why: "begin the election of a leader (a name cannot be demanded of what is created)",
  },
  {
    group: "coordination.k8s.io",
    resources: ["leases"],
    verbs: ["get", "update", "patch"],
    names: ["ebb-controller"],
    why: "elect a leader",
  },
  {
    group: "",
    resources: ["secrets"],
    verbs: ["create"],
    why: "keep its own keys (a name cannot be demanded of what is created)",
  },
  {
    group: "",
    resources: ["secrets"],
    verbs: [...read, "update", "patch"],
    names: [servingCertsSecret, claimAuthoritySecret],
    why: "renew its serving certificate, vouch for itself to warm pods, and know these again",
  },
  { group: "", resources: ["pods"], verbs: [...read], why: "know the routers there are" },
  {
    group: "",
    resources: ["configmaps"],
    verbs: ["create"],
    why: "publish its certificate authority (a name cannot be demanded of what is created)",
  },
  {
    group: "",
    resources: ["configmaps"],
    verbs: ["get", "update"],
    names: [servingCaConfigMap],
    why: "publish its certificate authority",
  },
];

const settings: readonly Permission[] = [
  { group: "", resources: ["configmaps"], verbs: [...read], why: "read the settings of Serving" },
];

const routerEverywhere: readonly Permission[] = [
  {
    group: serving,
    resources: ["revisions", "services", "domainmappings"],
    verbs: [...read],
    why: "know limits and time-outs of Revisions, and what to say where nothing answers",
  },
  { group: networking, resources: ["ingresses"], verbs: [...read], why: "know what goes where" },
  {
    group: networking,
    resources: ["ingresses/status"],
    verbs: ["update", "patch"],
    why: "say that a route is live",
  },
  {
    group: autoscaling,
    resources: ["podautoscalers"],
    verbs: [...read],
    why: "know how many instances a Revision is going to have",
  },
  { group: "", resources: ["services"], verbs: [...read], why: "find the ports of instances" },
  {
    group: "",
    resources: ["pods"],
    verbs: [...read],
    why: "find warm pods, and instances before Kubernetes lists them",
  },
  {
    group: "discovery.k8s.io",
    resources: ["endpointslices"],
    verbs: [...read],
    why: "find instances and other routers",
  },
  { group: "", resources: ["events"], verbs: ["create", "patch"], why: "tell users what happened to their objects" },
];

const routerAtHome: readonly Permission[] = [
  {
    group: "coordination.k8s.io",
    resources: ["leases"],
    verbs: [...read],
    names: ["ebb-controller"],
    why: "find the leader, to report load to it",
  },
  {
    group: "",
    resources: ["configmaps"],
    verbs: ["get"],
    names: [servingCaConfigMap],
    why: "know the leader by its certificate",
  },
  {
    group: "",
    resources: ["secrets"],
    verbs: ["get", "update"],
    names: [routerPeersSecret],
    why: "have a key in common with the other routers, and make it where there is none yet",
  },
];

/** Those of every installation come first. */
export const grants: readonly Grant[] = [
  { component: "controller", permissions: controllerEverywhere },
  { component: "controller", namespace: systemNamespace, permissions: controllerAtHome },
  { component: "controller", namespace: servingNamespace, permissions: settings },
  { component: "router", permissions: routerEverywhere },
  { component: "router", namespace: systemNamespace, permissions: routerAtHome },
  { component: "router", namespace: servingNamespace, permissions: settings },
  eventSettings,
  ...eventGrants,
];

/** Those of an installation with or without events. */
export const grantsOf = (events: boolean): readonly Grant[] =>
  grants.filter(({ component }) => events || component !== "events");
