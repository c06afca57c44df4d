/**
 * How many replicas one metric asks for (kubernetes pkg/controller/podautoscaler/replica_calculator.go). Amounts are
 * thousandths throughout, as upstream counts them: 100m cpu is 100, one byte is 1000. Pure; time comes as `now`.
 */

/** How far a ratio may be from 1 without a change: 0.1 up and down unless the HPA says otherwise. */
export interface Tolerances {
  readonly up: number;
  readonly down: number;
}

export const defaultTolerance = 0.1;

/** Names why a metric has no answer; the reason becomes condition ScalingActive's. */
export type MetricOutcome =
  | { readonly kind: "replicas"; readonly replicas: number; readonly current: MetricReading }
  | { readonly kind: "error"; readonly message: string };

/** What the metric was, for status.currentMetrics; amounts in thousandths. */
export interface MetricReading {
  readonly value?: number;
  readonly averageValue?: number;
  /** Percent of requests. */
  readonly averageUtilization?: number;
}

export const isWithinTolerance = (ratio: number, { up, down }: Tolerances): boolean =>
  1 - down <= ratio && ratio <= 1 + up;

const replicasOf = (replicas: number, current: MetricReading): MetricOutcome => ({
  kind: "replicas",
  replicas,
  current,
});

export interface TotalInputs {
  /** Sum over all values of the metric. */
  readonly total: number;
  readonly target: number;
  /** status.replicas of the scale target. */
  readonly statusReplicas: number;
  readonly tolerances: Tolerances;
}

/** External or Object metric with an AverageValue target. Worked number: 56 for a target of 10 asks for 6. */
export function averageOfTotal({ total, target, statusReplicas, tolerances }: TotalInputs): MetricOutcome {
  const ratio = total / (target * statusReplicas);
  const replicas = isWithinTolerance(ratio, tolerances) ? statusReplicas : Math.ceil(total / target);
  return replicasOf(replicas, { averageValue: statusReplicas > 0 ? Math.ceil(total / statusReplicas) : total });
}

export interface ValueInputs {
  readonly value: number;
  readonly target: number;
  readonly currentReplicas: number;
  readonly tolerances: Tolerances;
  /** Pods the target's selector finds: running and ready, of how many. */
  readonly readyPods: number;
  readonly pods: number;
}

/** External or Object metric with a Value target: the ratio is applied to the pods that are ready. */
export function ratioOfValue({
  value,
  target,
  currentReplicas,
  tolerances,
  readyPods,
  pods,
}: ValueInputs): MetricOutcome {
  const ratio = value / target;
  if (currentReplicas === 0) return replicasOf(Math.ceil(ratio), { value });
  if (isWithinTolerance(ratio, tolerances)) return replicasOf(currentReplicas, { value });
  if (pods === 0) {
    return {
      kind: "error",
      message: "unable to calculate ready pods: no pods returned by selector while calculating replica count",
    };
  }
  return replicasOf(Math.ceil(ratio * readyPods), { value });
}

/** One pod of the scale target, as the calculation sees it. */
export interface PodFacts {
  readonly name: string;
  readonly phase: string;
  readonly deleting: boolean;
  readonly startMs?: number;
  /** Condition Ready; absent when the pod has none. */
  readonly ready?: { readonly status: boolean; readonly sinceMs: number };
  /** Request of the resource over the containers that count; absent when one of them has none. */
  readonly request?: number;
  /** The container without a request. */
  readonly unrequested?: string;
}

export interface PodSample {
  readonly value: number;
  readonly timestampMs: number;
  readonly windowMs: number;
}

export interface PodMetricInputs {
  readonly pods: readonly PodFacts[];
  /** By pod name; a pod without a sample is missing. */
  readonly samples: ReadonlyMap<string, PodSample>;
  /** `cpu` is not believed of pods that are still starting. */
  readonly isCpu: boolean;
  readonly currentReplicas: number;
  readonly tolerances: Tolerances;
  readonly now: number;
}

/** Young pods burn cpu to start: --horizontal-pod-autoscaler-cpu-initialization-period and -initial-readiness-delay. */
const cpuInitializationMs = 300_000;
const initialReadinessMs = 30_000;

interface Groups {
  readonly readyCount: number;
  readonly unready: readonly PodFacts[];
  readonly missing: readonly PodFacts[];
  /** Samples of the pods that count. */
  readonly samples: Map<string, number>;
}

function groupPods({ pods, samples, isCpu, now }: PodMetricInputs): Groups {
  const unready: PodFacts[] = [];
  const missing: PodFacts[] = [];
  const counted = new Map<string, number>();
  for (const pod of pods) {
    if (pod.deleting || pod.phase === "Failed") continue;
    const sample = samples.get(pod.name);
    if (pod.phase === "Pending") unready.push(pod);
    else if (!sample) missing.push(pod);
    else if (isCpu && isStarting(pod, sample, now)) unready.push(pod);
    else counted.set(pod.name, sample.value);
  }
  return { readyCount: counted.size, unready, missing, samples: counted };
}

function isStarting({ startMs, ready }: PodFacts, sample: PodSample, now: number): boolean {
  if (!ready || startMs === undefined) return true;
  if (startMs + cpuInitializationMs > now) return !ready.status || sample.timestampMs < ready.sinceMs + sample.windowMs;
  return !ready.status && startMs + initialReadinessMs > ready.sinceMs;
}

interface Usage {
  readonly ratio: number;
  readonly current: MetricReading;
}

/**
 * Resource metric with a Utilization target: percent of what the pods request. Worked number: a target of 50 %, three
 * pods of 100m at 30m and one without a sample: 30 % alone, 47 % when the missing one counts as full, so nothing changes.
 */
export function utilizationOf(inputs: PodMetricInputs, targetPercent: number): MetricOutcome {
  const requests = new Map<string, number>();
  for (const { name, request, unrequested = "" } of inputs.pods) {
    if (request === undefined) {
      const resource = inputs.isCpu ? "cpu" : "memory";
      return { kind: "error", message: `missing request for ${resource} in container ${unrequested} of Pod ${name}` };
    }
    requests.set(name, request);
  }
  const measure = (samples: ReadonlyMap<string, number>): Usage | string => {
    let [used, requested, entries] = [0, 0, 0];
    for (const [name, value] of samples) {
      const request = requests.get(name);
      if (request === undefined) continue;
      used += value;
      requested += request;
      entries++;
    }
    if (requested === 0) return "no metrics returned matched known pods";
    const utilization = Math.trunc((used * 100) / requested);
    const current = { averageUtilization: utilization, averageValue: Math.trunc(used / entries) };
    return { ratio: utilization / targetPercent, current };
  };
  const fullPercent = Math.max(100, targetPercent);
  const whenMissing = ({ name }: PodFacts): number => Math.trunc(((requests.get(name) ?? 0) * fullPercent) / 100);
  return calculate(inputs, measure, whenMissing);
}

/** Resource or Pods metric with an AverageValue target. */
export function averageOfPods(inputs: PodMetricInputs, target: number): MetricOutcome {
  const measure = (samples: ReadonlyMap<string, number>): Usage => {
    let used = 0;
    for (const value of samples.values()) used += value;
    const averageValue = Math.trunc(used / samples.size);
    return { ratio: averageValue / target, current: { averageValue } };
  };
  return calculate(inputs, measure, () => target);
}

/** Doubt is resolved towards no change: missing pods count as busy when scaling down and idle when scaling up. */
function calculate(
  inputs: PodMetricInputs,
  measure: (samples: ReadonlyMap<string, number>) => Usage | string,
  whenMissing: (pod: PodFacts) => number,
): MetricOutcome {
  const { pods, currentReplicas, tolerances } = inputs;
  const error = (message: string): MetricOutcome => ({ kind: "error", message });
  if (pods.length === 0) return error("no pods returned by selector while calculating replica count");
  const { readyCount, unready, missing, samples } = groupPods(inputs);
  if (samples.size === 0) return error("did not receive metrics for targeted pods (pods might be unready)");
  const first = measure(samples);
  if (typeof first === "string") return error(first);
  const upWithUnready = unready.length > 0 && first.ratio > 1;
  if (!upWithUnready && missing.length === 0) {
    const stay = isWithinTolerance(first.ratio, tolerances);
    return replicasOf(stay ? currentReplicas : Math.ceil(first.ratio * readyCount), first.current);
  }
  for (const pod of missing) if (first.ratio !== 1) samples.set(pod.name, first.ratio < 1 ? whenMissing(pod) : 0);
  if (upWithUnready) for (const pod of unready) samples.set(pod.name, 0);
  const again = measure(samples);
  if (typeof again === "string") return error(again);
  return replicasOf(settle({ first: first.ratio, again: again.ratio, inputs, count: samples.size }), first.current);
}

interface Refilled {
  readonly first: number;
  readonly again: number;
  readonly inputs: PodMetricInputs;
  readonly count: number;
}

/** With doubtful pods filled in, a change must still point the same way. */
function settle({ first, again, inputs: { tolerances, currentReplicas }, count }: Refilled): number {
  const flipped = (first < 1 && again > 1) || (first > 1 && again < 1);
  if (flipped || isWithinTolerance(again, tolerances)) return currentReplicas;
  const replicas = Math.ceil(again * count);
  return again < 1 ? Math.min(replicas, currentReplicas) : Math.max(replicas, currentReplicas);
}
