/** What ebb-events may do on a cluster, and why. */
import { eventingNamespace } from "../../api/eventing/keys.ts";
import { servingNamespace } from "../../api/serving/keys.ts";
import { customKinds } from "../crds/custom-kinds.ts";
import { natsSecret, systemNamespace } from "../names.ts";
import type { Grant, Permission } from "./permissions.ts";

/** Kinds of a group that ebb brings, whichever there are. */
const kindsOf = (group: string): readonly string[] =>
  customKinds()
    .filter(({ stored }) => stored.kind.group === group)
    .map(({ stored }) => stored.kind.plural);

const read = ["get", "list", "watch"] as const;
const eventing = "eventing.knative.dev";
const messaging = "messaging.knative.dev";
const flows = "flows.knative.dev";
const sources = "sources.knative.dev";
const ebbSources = "sources.ebb.dev";
const sinks = "sinks.knative.dev";

/** Reads what users want of a kind, holds it by a finalizer, and tells how it is. */
function serves(group: string, what: string): readonly Permission[] {
  const resources = kindsOf(group);
  if (resources.length === 0) return [];
  return [
    {
      group,
      resources,
      verbs: [...read, "update", "patch"],
      why: `read ${what}, and hold one until what was made for it is gone`,
    },
    {
      group,
      resources: resources.map((resource) => `${resource}/status`),
      verbs: ["update", "patch"],
      why: "tell how they are",
    },
    {
      group,
      resources: resources.map((resource) => `${resource}/finalizers`),
      verbs: ["update"],
      why: "own children where the cluster demands it of owners (OwnerReferencesPermissionEnforcement)",
    },
  ];
}

const everywhere: readonly Permission[] = [
  ...serves(eventing, "Brokers, Triggers and what goes with them"),
  {
    group: eventing,
    resources: ["triggers"],
    verbs: ["create"],
    why: "bring the replies of a RequestReply back to it",
  },
  ...serves(messaging, "channels and their Subscriptions"),
  {
    group: messaging,
    resources: ["channels", "inmemorychannels", "subscriptions"],
    verbs: ["create", "delete"],
    why: "make what a Channel, a Sequence or a Parallel is made of",
  },
  ...serves(flows, "Sequences and Parallels"),
  ...serves(sources, "sources"),
  ...serves(ebbSources, "sources of ebb's own"),
  {
    group: sources,
    resources: ["sinkbindings"],
    verbs: ["create", "delete"],
    why: "bind the pods of a ContainerSource to its sink",
  },
  ...serves(sinks, "sinks"),
  {
    group: eventing,
    resources: ["eventtypes"],
    verbs: ["create", "delete"],
    why: "note the types of events that came, where that is asked for",
  },
  {
    group: "serving.knative.dev",
    resources: ["services", "routes"],
    verbs: [...read],
    why: "find the addresses of subscribers and sinks",
  },
  {
    group: "serving.knative.dev",
    resources: ["services"],
    verbs: ["patch"],
    why: "tell the subject of a SinkBinding where its sink is",
  },
  {
    group: "",
    resources: ["services"],
    verbs: [...read, "create"],
    why: "find the addresses of subscribers, and give every channel its name",
  },
  {
    group: "apps",
    resources: ["deployments"],
    verbs: [...read, "create", "update", "patch", "delete"],
    why: "run ContainerSources, and tell the subjects of SinkBindings where their sink is",
  },
  {
    group: "apps",
    resources: ["replicasets", "statefulsets", "daemonsets"],
    verbs: [...read, "patch"],
    why: "tell the subjects of SinkBindings where their sink is",
  },
  {
    group: "batch",
    resources: ["jobs", "cronjobs"],
    verbs: [...read, "create", "patch"],
    why: "run the Jobs of JobSinks, and tell the subjects of SinkBindings where their sink is",
  },
  { group: "", resources: ["namespaces"], verbs: [...read], why: "find the namespaces a source selects by labels" },
  {
    group: "",
    resources: ["secrets"],
    verbs: ["get", "create", "update", "patch"],
    why: "log sources in where their objects name a Secret, bring events to the Jobs of JobSinks, and tokens for sinks to the programs of SinkBindings; never listed or watched",
  },
  {
    group: "apiextensions.k8s.io",
    resources: ["customresourcedefinitions"],
    verbs: [...read],
    why: "know the kinds that may be named as destinations",
  },
  {
    group: "authentication.k8s.io",
    resources: ["tokenreviews"],
    verbs: ["create"],
    why: "know who sends, where EventPolicies ask for it",
  },
  {
    group: "",
    resources: ["serviceaccounts"],
    verbs: [...read, "create"],
    why: "give senders of events an identity, where authentication-oidc is on",
  },
  {
    group: "networking.internal.knative.dev",
    resources: ["ingresses"],
    verbs: ["get", "create", "update", "delete"],
    why: "lead requests from outside to webhooks",
  },
  {
    group: "",
    resources: ["serviceaccounts/token"],
    verbs: ["create"],
    why: "send events as the identities it made, and watch objects as the accounts that ApiServerSources name; the ValidatingAdmissionPolicy ebb-events-tokens keeps it to those, and out of the system's namespaces",
  },
  { group: "", resources: ["events"], verbs: ["create", "patch"], why: "tell users what happened to their objects" },
];

const atHome: readonly Permission[] = [
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
    names: ["ebb-events"],
    why: "elect a leader",
  },
  {
    group: "",
    resources: ["secrets"],
    verbs: ["get", "update"],
    names: [natsSecret],
    why: "log in to ebb's own NATS server, and make the password where there is none yet",
  },
];

const settings: readonly Permission[] = [
  { group: "", resources: ["configmaps"], verbs: [...read], why: "read the settings of Eventing" },
];

const servingSettings: readonly Permission[] = [
  { group: "", resources: ["configmaps"], verbs: [...read], why: "know the domain under which webhooks are found" },
];

/** Left out of an installation without events. */
export const eventGrants: readonly Grant[] = [
  { component: "events", permissions: everywhere },
  { component: "events", namespace: systemNamespace, permissions: atHome },
  { component: "events", namespace: eventingNamespace, permissions: settings },
  { component: "events", namespace: servingNamespace, permissions: servingSettings },
];

/** What the controller needs to check what users write of Eventing's kinds. */
export const eventSettings: Grant = { component: "controller", namespace: eventingNamespace, permissions: settings };
