/** What a Job asks of its pods, and how it makes them. Pure. */
import { completionIndexLabel, jobTrackingFinalizer } from "../../api/batch/job-labels.ts";
import { JobKind } from "../../api/batch/kinds.ts";
import type { Job } from "../../api/batch/types.gen.ts";
import type { Container, Pod } from "../../api/core/types.gen.ts";
import type { Draft } from "../../api/meta/object.ts";
import { controllerReference } from "../../api/meta/owner.ts";
import { parseTime } from "../../api/meta/time.ts";
import { makePod } from "../make-pod.ts";
import { podCondition } from "../pod-facts.ts";

const failureCountAnnotation = "batch.kubernetes.io/job-index-failure-count";
/** Longest generateName that leaves room for five random characters in a 63-character host name. */
const maxNamePrefix = 58;

export const isIndexed = ({ spec }: Job): boolean => spec.completionMode === "Indexed";

export const isTracked = ({ metadata }: Pod): boolean => (metadata.finalizers ?? []).includes(jobTrackingFinalizer);

/** Only pods that ended as failed are replaced; otherwise one that is being deleted is, too. */
export const replacesOnlyFailed = ({ spec }: Job): boolean => spec.podReplacementPolicy === "Failed";

export const hasSucceeded = ({ status }: Pod): boolean => status?.phase === "Succeeded";

/** Failed, or going without a chance to end. */
export function hasFailed(pod: Pod, job: Job): boolean {
  if (pod.status?.phase === "Failed") return true;
  return !replacesOnlyFailed(job) && pod.metadata.deletionTimestamp !== undefined && !hasSucceeded(pod);
}

/** Undefined for a pod without a usable index. */
export function completionIndex({ metadata }: Pod): number | undefined {
  const text = metadata.annotations?.[completionIndexLabel];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Failures of the pod's index before this pod. */
export function earlierFailures({ metadata }: Pod): number {
  const text = metadata.annotations?.[failureCountAnnotation] ?? "";
  return /^\d+$/.test(text) ? Number(text) : 0;
}

/** When the pod's last container ended; for one that never ran, when it stopped being ready, was deleted or made. */
export function finishedAt(pod: Pod): number {
  const ends = (pod.status?.containerStatuses ?? []).map(
    ({ state }) => parseTime(state?.terminated?.finishedAt ?? "") ?? 0,
  );
  const latest = Math.max(0, ...ends);
  if (latest > 0) return latest;
  const { deletionTimestamp, creationTimestamp } = pod.metadata;
  const since = podCondition(pod, "Ready")?.lastTransitionTime ?? deletionTimestamp ?? creationTimestamp ?? "";
  return parseTime(since) ?? 0;
}

/** A pod for one completion; `index` for Indexed jobs, with the failures the index had. */
export function makeJobPod(job: Job, index?: { readonly number: number; readonly failures?: number }): Draft<Pod> {
  const { name, namespace = "" } = job.metadata;
  const owner = controllerReference(JobKind, job);
  const pod = makePod({ template: job.spec.template, namespace, ownerName: name, owner });
  const finalizers = [...(pod.metadata.finalizers ?? []), jobTrackingFinalizer];
  if (!index) return { ...pod, metadata: { ...pod.metadata, finalizers } };
  const text = String(index.number);
  const annotations = {
    ...pod.metadata.annotations,
    [completionIndexLabel]: text,
    ...(index.failures === undefined ? {} : { [failureCountAnnotation]: String(index.failures) }),
  };
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      generateName: `${`${name}-${text}`.slice(0, maxNamePrefix - 1)}-`,
      labels: { ...pod.metadata.labels, [completionIndexLabel]: text },
      annotations,
      finalizers,
    },
    spec: {
      ...pod.spec,
      hostname: `${name}-${text}`.slice(0, 63),
      containers: pod.spec.containers.map(withIndexVariable),
      ...(pod.spec.initContainers ? { initContainers: pod.spec.initContainers.map(withIndexVariable) } : {}),
    },
  };
}

const indexVariable = "JOB_COMPLETION_INDEX";

function withIndexVariable(container: Container): Container {
  if (container.env?.some(({ name }) => name === indexVariable)) return container;
  const fieldPath = `metadata.labels['${completionIndexLabel}']`;
  return {
    ...container,
    env: [...(container.env ?? []), { name: indexVariable, valueFrom: { fieldRef: { fieldPath } } }],
  };
}
