import type { Container, Pod, PodStatus, Probe } from "../api/core/types.gen.ts";
import type { KubeObject } from "../api/meta/object.ts";
import { servingKeys } from "../api/serving/keys.ts";
import { canProbe } from "./readiness-probe.ts";

/** Name of the port that requests come in by, on every Revision's pods. */
const userPortName = "user-port";

/** What the data plane reads of a Revision's Pod. */
export interface PodFacts {
  readonly uid: string;
  /** `namespace/name` of its Revision. */
  readonly revision: string;
  /** Empty until the pod has an address. */
  readonly host: string;
  /** Empty until it has a node. */
  readonly node: string;
  readonly port: number;
  readonly isReady: boolean;
  /** It is being deleted: what it runs is told to stop, or soon will be. */
  readonly isEnding: boolean;
  /** All of its containers have ended for good. */
  readonly hasEnded: boolean;
  /** Grows when a container is started again: what was found out about the one before no longer holds. */
  readonly restarts: number;
  /** What must succeed before it takes requests; undefined when only the kubelet can find out. */
  readonly probes: readonly Probe[] | undefined;
  /** Why it does not start, in one line. */
  readonly failure: string | undefined;
}

/** Undefined for a pod that is no Revision's, or has no port for requests. */
export function readPod(pod: Pod): PodFacts | undefined {
  const { metadata, spec, status = {} } = pod;
  const revision = metadata.labels?.[servingKeys.revision];
  const port = servingPortOf(spec.containers ?? []);
  if (revision === undefined || port === undefined || metadata.uid === undefined) return undefined;
  return {
    uid: metadata.uid,
    revision: `${metadata.namespace ?? ""}/${revision}`,
    host: status.podIP ?? "",
    node: spec.nodeName ?? "",
    port,
    isReady: status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false,
    isEnding: metadata.deletionTimestamp !== undefined,
    hasEnded: status.phase === "Succeeded" || status.phase === "Failed",
    restarts: (status.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0),
    probes: probesOf(spec.containers ?? [], port),
    failure: failureOf(status),
  };
}

const userPort = ({ ports = [] }: Container): number | undefined =>
  ports.find(({ name }) => name === userPortName)?.containerPort;

const servingPortOf = (containers: readonly Container[]): number | undefined =>
  containers.map(userPort).find((port) => port !== undefined);

function probesOf(containers: readonly Container[], port: number): readonly Probe[] | undefined {
  const probes = containers.flatMap(({ startupProbe, readinessProbe }) =>
    [startupProbe, readinessProbe].filter((probe) => probe !== undefined),
  );
  if (!probes.every(canProbe)) return undefined;
  const serving = containers.find((container) => userPort(container) !== undefined);
  // Without a probe of its own, listening is all that can be known of it.
  return serving?.readinessProbe === undefined ? [...probes, { tcpSocket: { port } }] : probes;
}

/** Reasons to wait that do not pass by themselves in a moment. */
const stuck: ReadonlySet<string> = new Set([
  "CrashLoopBackOff",
  "CreateContainerConfigError",
  "CreateContainerError",
  "ErrImageNeverPull",
  "ErrImagePull",
  "ImagePullBackOff",
  "InvalidImageName",
  "RunContainerError",
]);

function failureOf({ conditions = [], containerStatuses = [], initContainerStatuses = [] }: PodStatus) {
  const scheduled = conditions.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status === "False" && scheduled.reason === "Unschedulable") {
    return oneLine(scheduled.reason, scheduled.message);
  }
  for (const { state } of [...initContainerStatuses, ...containerStatuses]) {
    const { reason = "", message } = state?.waiting ?? {};
    if (stuck.has(reason)) return oneLine(reason, message);
  }
  return undefined;
}

function oneLine(reason: string, message: string | undefined): string {
  const first = message?.trim().split("\n")[0] ?? "";
  return first === "" ? reason : `${reason}: ${first.slice(0, 300)}`;
}

/** Leaves of a Pod what {@link readPod} reads: a router keeps every Revision's pods of a cluster. */
export function trimPod(object: KubeObject): KubeObject {
  const { apiVersion, kind, metadata, spec, status = {} } = object as Pod;
  const { name, namespace, uid, resourceVersion, deletionTimestamp, labels } = metadata;
  const revision = labels?.[servingKeys.revision];
  const { phase, podIP, conditions, containerStatuses, initContainerStatuses } = status;
  const trimmed: Pod = {
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(kind === undefined ? {} : { kind }),
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
      labels: revision === undefined ? {} : { [servingKeys.revision]: revision },
    },
    spec: {
      containers: (spec.containers ?? []).map(trimContainer),
      ...(spec.nodeName === undefined ? {} : { nodeName: spec.nodeName }),
    },
    status: {
      ...(phase === undefined ? {} : { phase }),
      ...(podIP === undefined ? {} : { podIP }),
      ...(conditions === undefined
        ? {}
        : { conditions: conditions.filter(({ type }) => type === "Ready" || type === "PodScheduled") }),
      ...(containerStatuses === undefined ? {} : { containerStatuses }),
      ...(initContainerStatuses === undefined ? {} : { initContainerStatuses }),
    },
  };
  return trimmed;
}

function trimContainer({ name, ports, readinessProbe, startupProbe }: Container): Container {
  return {
    name,
    ...(ports === undefined ? {} : { ports }),
    ...(readinessProbe === undefined ? {} : { readinessProbe }),
    ...(startupProbe === undefined ? {} : { startupProbe }),
  };
}
