/** The Pod kind: defaults, first status and columns. */
import { ageColumn, nameColumn, textColumn, wideColumn } from "../meta/columns.ts";
import type { Column, KindDefinition, SubresourceFacts } from "../meta/definition.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import type { Mutable } from "../meta/object.ts";
import { schemaOf } from "../schemas.ts";
import { PodKind } from "./kinds.ts";
import { tolerateNodeProblems } from "./pod-admission.ts";
import { defaultPodOnly, defaultPodSpec } from "./pod-spec-defaults.ts";
import { hasCondition, restartsText, summarizePod } from "./pod-summary.ts";
import { validatePodSpec } from "./pod-spec-validation.ts";
import { validatePodStatus } from "./pod-status-validation.ts";
import { validatePodUpdate } from "./pod-update-validation.ts";
import { qosClassOf } from "./qos-class.ts";
import type { Pod } from "./types.gen.ts";

const v1 = (kind: string): SubresourceFacts["kind"] => ({ group: "", version: "v1", kind });

const columns: readonly Column<Pod>[] = [
  nameColumn,
  textColumn("Ready", "Containers that are ready, of all that should run.", (pod) => {
    const { ready, total } = summarizePod(pod);
    return `${ready}/${total}`;
  }),
  textColumn(
    "Status",
    "The pod's phase, or the reason that tells most about its state.",
    (pod) => summarizePod(pod).status,
  ),
  textColumn("Restarts", "How often containers were started again, and when last.", (pod, now) =>
    restartsText(summarizePod(pod), now),
  ),
  ageColumn,
  wideColumn("IP", "The pod's address.", (pod) => pod.status?.podIPs?.[0]?.ip || "<none>"),
  wideColumn("Node", "The node the pod runs on.", (pod) => pod.spec.nodeName || "<none>"),
  wideColumn(
    "Nominated Node",
    "The node that is being cleared for the pod.",
    (pod) => pod.status?.nominatedNodeName || "<none>",
  ),
  wideColumn("Readiness Gates", "Extra conditions that are True, of those the pod waits for.", readinessGates),
];

function readinessGates(pod: Pod): string {
  const gates = pod.spec.readinessGates ?? [];
  const open = gates.filter((gate) => hasCondition(pod, gate.conditionType));
  return gates.length === 0 ? "<none>" : `${open.length}/${gates.length}`;
}

export const podDefinition: KindDefinition<Pod> = {
  kind: PodKind,
  message: "core.v1.Pod",
  schema: () => schemaOf("core.v1.Pod"),
  statusSubresource: true,
  otherSubresources: [
    { name: "attach", kind: v1("PodAttachOptions"), verbs: ["create", "get"] },
    { name: "binding", kind: v1("Binding"), verbs: ["create"] },
    { name: "eviction", kind: { group: "policy", version: "v1", kind: "Eviction" }, verbs: ["create"] },
    { name: "exec", kind: v1("PodExecOptions"), verbs: ["create", "get"] },
    { name: "log", kind: v1("Pod"), verbs: ["get"] },
    { name: "portforward", kind: v1("PodPortForwardOptions"), verbs: ["create", "get"] },
  ],
  generation: "spec",
  columns,
  selectableFields: {
    "spec.nodeName": (pod) => pod.spec.nodeName ?? "",
    "spec.restartPolicy": (pod) => pod.spec.restartPolicy ?? "",
    "spec.schedulerName": (pod) => pod.spec.schedulerName ?? "",
    "spec.serviceAccountName": (pod) => pod.spec.serviceAccountName ?? "",
    "spec.hostNetwork": (pod) => String(pod.spec.hostNetwork ?? false),
    "status.phase": (pod) => pod.status?.phase ?? "",
    "status.podIP": (pod) => pod.status?.podIPs?.[0]?.ip ?? "",
    "status.podIPs": (pod) => (pod.status?.podIPs ?? []).map((address) => address.ip).join(","),
    "status.nominatedNodeName": (pod) => pod.status?.nominatedNodeName ?? "",
  },
  applyDefaults(pod, { operation }) {
    if (!pod.spec) return;
    defaultPodSpec(pod.spec);
    defaultPodOnly(pod.spec);
    if (operation !== "create") return;
    pod.spec.serviceAccountName ||= "default";
    pod.spec.serviceAccount = pod.spec.serviceAccountName;
    pod.spec.preemptionPolicy ??= "PreemptLowerPriority";
    if (!pod.spec.priorityClassName) pod.spec.priority ??= 0;
    tolerateNodeProblems(pod);
  },
  prepare(pod, old) {
    if (!old) pod.status = { phase: "Pending", ...(pod.spec ? { qosClass: qosClassOf(pod.spec) } : {}) };
    else if (pod.spec && old.spec) keepAdmitted(pod, old);
  },
  prepareStatus(pod, old) {
    if (pod.status && old.status?.qosClass) pod.status.qosClass ||= old.status.qosClass;
  },
  validate(pod, old) {
    const errors = validatePodSpec(pod.spec, "spec", "pod");
    return old ? [...errors, ...validatePodUpdate(pod, old)] : [...errors, ...createErrors(pod)];
  },
  validateStatus: validatePodStatus,
  unconditionalUpdate: true,
};

/**
 * A replace by the manifest that a Pod was made from lacks what admission added; upstream adds these on updates too
 * (plugin/pkg/admission/{priority,defaulttolerationseconds}).
 */
function keepAdmitted(pod: Mutable<Pod>, old: Pod): void {
  if (old.spec.priority !== undefined) pod.spec.priority ??= old.spec.priority;
  if (old.spec.preemptionPolicy !== undefined) pod.spec.preemptionPolicy ??= old.spec.preemptionPolicy;
  tolerateNodeProblems(pod);
}

function createErrors({ spec }: Pod): readonly FieldError[] {
  if (!spec) return [];
  const gated = "cannot be set until all schedulingGates have been cleared";
  return [
    ...(spec.ephemeralContainers?.length
      ? [fieldError.forbidden("spec.ephemeralContainers", "cannot be set on create")]
      : []),
    ...(spec.nodeName && spec.schedulingGates?.length ? [fieldError.forbidden("spec.nodeName", gated)] : []),
  ];
}
