import { isDeepStrictEqual } from "node:util";
import { HorizontalPodAutoscalerKind } from "../../api/autoscaling/kinds.ts";
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerCondition,
  HorizontalPodAutoscalerStatus,
  MetricStatus,
} from "../../api/autoscaling/types.gen.ts";
import { PodKind } from "../../api/core/kinds.ts";
import type { Pod } from "../../api/core/types.gen.ts";
import { resourceOf } from "../../api/meta/kind.ts";
import { keyOf } from "../../api/meta/object.ts";
import { formatTime } from "../../api/meta/time.ts";
import type { ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import { createEventRecorder, type EventRecorder } from "../../client/event-recorder.ts";
import { selfKey, watching } from "../../client/keys.ts";
import { combineProposals, decideHpa, initialHpaState, recordMove, type HpaState } from "../../scaling/hpa.ts";
import type { CoreDeps } from "../core-deps.ts";
import type { ServedKinds } from "../served-kinds.ts";
import { evaluateMetric, type Evaluated } from "./evaluate-metric.ts";
import { hpaLimits } from "./hpa-limits.ts";
import type { MetricsSource } from "./metrics-source.ts";
import { findScaleTarget, type ScaleTarget } from "./scale-target.ts";

/** --horizontal-pod-autoscaler-sync-period. */
const syncMs = 15_000;

export interface HpaDeps extends CoreDeps {
  readonly kinds: ServedKinds;
  readonly metrics?: MetricsSource;
}

interface Parts extends HpaDeps {
  readonly events: EventRecorder;
  readonly states: Map<string, HpaState>;
}

/** Sizes workloads by their metrics every 15 s (kubernetes pkg/controller/podautoscaler/horizontal.go). */
export function hpaController(deps: HpaDeps): ControllerSpec {
  const hpas = deps.informers.of(HorizontalPodAutoscalerKind);
  const parts: Parts = {
    ...deps,
    events: createEventRecorder(deps, "horizontal-pod-autoscaler"),
    states: new Map(),
  };
  return {
    name: "hpa",
    watches: [
      // Its own status writes must not make it run again.
      watching(HorizontalPodAutoscalerKind, (hpa, old) =>
        old && isDeepStrictEqual(hpa.spec, old.spec) ? [] : selfKey(hpa),
      ),
    ],
    reconcile: async (key) => {
      const hpa = hpas.get(key);
      if (hpa && !hpa.metadata.deletionTimestamp) return reconcile(parts, hpa);
      parts.states.delete(key);
      return undefined;
    },
  };
}

/** What one run found out; its status is written at the end whatever happened. */
interface Outcome {
  readonly current: number;
  readonly desired: number;
  readonly metrics?: readonly MetricStatus[];
  readonly conditions: readonly NewCondition[];
  readonly rescaled: boolean;
}

type NewCondition = Omit<HorizontalPodAutoscalerCondition, "lastTransitionTime">;

const condition = (type: string, status: boolean, reason: string, message: string): NewCondition => ({
  type,
  status: status ? "True" : "False",
  reason,
  message,
});

async function reconcile(parts: Parts, hpa: HorizontalPodAutoscaler): Promise<ReconcileResult> {
  const found = findScaleTarget(hpa, parts.kinds, parts.informers);
  const { currentReplicas = 0, desiredReplicas = 0 } = hpa.status ?? {};
  if (found.kind === "error") {
    const message = `the HPA controller was unable to get the target's current scale: ${found.message}`;
    tell(parts, hpa, { type: "Warning", reason: "FailedGetScale", message: found.message });
    const conditions = [condition("AbleToScale", false, "FailedGetScale", message)];
    await writeStatus(parts, hpa, { current: currentReplicas, desired: desiredReplicas, conditions, rescaled: false });
    return { requeueAfterMs: syncMs };
  }
  const outcome = await size(parts, hpa, found.target);
  const able = "the HPA controller was able to get the target's current scale";
  const conditions = [condition("AbleToScale", true, "SucceededGetScale", able), ...outcome.conditions];
  await writeStatus(parts, hpa, { ...outcome, conditions });
  return { requeueAfterMs: syncMs };
}

async function size(parts: Parts, hpa: HorizontalPodAutoscaler, target: ScaleTarget): Promise<Outcome> {
  const { minReplicas = 1, maxReplicas } = hpa.spec;
  const { replicas: current } = target;
  const key = keyOf(hpa.metadata);
  if (!parts.states.has(key)) parts.states.set(key, initialHpaState(current, parts.clock.steadyMs()));
  if (current === 0 && minReplicas !== 0) {
    const message = "scaling is disabled since the replica count of the target is zero";
    return {
      current,
      desired: 0,
      conditions: [condition("ScalingActive", false, "ScalingDisabled", message)],
      rescaled: false,
    };
  }
  if (current > maxReplicas) {
    return rescale(parts, hpa, target, {
      desired: maxReplicas,
      why: "Current number of replicas above Spec.MaxReplicas",
    });
  }
  if (current < minReplicas) {
    return rescale(parts, hpa, target, {
      desired: minReplicas,
      why: "Current number of replicas below Spec.MinReplicas",
    });
  }
  return sizeByMetrics(parts, hpa, target);
}

async function sizeByMetrics(parts: Parts, hpa: HorizontalPodAutoscaler, target: ScaleTarget): Promise<Outcome> {
  const { replicas: current } = target;
  const now = parts.clock.now();
  const key = keyOf(hpa.metadata);
  const blocked = (reason: string, message: string, told = message): Outcome => {
    tell(parts, hpa, { type: "Warning", reason: "FailedComputeMetricsReplicas", message: told });
    return {
      current,
      desired: hpa.status?.desiredReplicas ?? 0,
      conditions: [condition("ScalingActive", false, reason, message)],
      rescaled: false,
    };
  };
  const { selects } = target;
  if (!selects) return blocked("InvalidSelector", "the HPA target's scale is missing a selector");
  const pods = parts.informers
    .of(PodKind)
    .list(hpa.metadata.namespace)
    .filter(({ metadata }) => selects(metadata.labels));
  const rivals = sharingPods(parts, hpa, pods);
  if (rivals.length > 0) {
    const names = [hpa, ...rivals].map(({ metadata }) => keyOf(metadata)).sort();
    return blocked("AmbiguousSelector", `pods by selector are controlled by multiple HPAs: ${names.join(", ")}`);
  }
  const resourceNamed = (apiVersion: string, kindName: string): string | undefined => {
    const known = parts.kinds.find(apiVersion, kindName);
    return known && resourceOf(known);
  };
  const context = { hpa, target, pods, metrics: parts.metrics, resourceOf: resourceNamed, now };
  const evaluated: Evaluated[] = [];
  for (const metric of hpa.spec.metrics ?? []) evaluated.push(await evaluateMetric(metric, context));
  const combined = combineProposals(
    evaluated.map((found) => (found.kind === "replicas" ? found.replicas : undefined)),
    current,
  );
  if (combined.kind === "blocked") {
    const failed = evaluated.filter((found) => found.kind === "error");
    const [first] = failed;
    const head = `invalid metrics (${failed.length} invalid out of ${evaluated.length}), first error is:`;
    const { reason = "InvalidMetricSourceType", what = "", message = "no metric is given" } = first ?? {};
    const why = `the HPA was unable to compute the replica count: ${message}`;
    return blocked(reason, why, `${head} ${what}${message}`);
  }
  const winner = evaluated[combined.metric];
  const name = winner?.kind === "replicas" ? winner.name : "";
  const steadyMs = parts.clock.steadyMs();
  const state = parts.states.get(key) ?? initialHpaState(current, steadyMs);
  const decision = decideHpa({ limits: hpaLimits(hpa), state, current, wanted: combined.replicas, now: steadyMs });
  parts.states.set(key, decision.state);
  const valid = `the HPA was able to successfully calculate a replica count from ${name}`;
  const found = {
    metrics: evaluated.flatMap((metric) => (metric.kind === "replicas" ? [metric.status] : [])),
    conditions: [
      condition("ScalingActive", true, "ValidMetricFound", valid),
      ...decision.conditions.map(({ type, status, reason, message }) => condition(type, status, reason, message)),
    ],
  };
  if (decision.desired === current) return { current, desired: current, ...found, rescaled: false };
  const why = combined.replicas > current ? `${name} above target` : "All metrics below target";
  const scaled = await rescale(parts, hpa, target, { desired: decision.desired, why });
  return { ...scaled, metrics: found.metrics, conditions: [...found.conditions, ...scaled.conditions] };
}

/** Other HPAs whose targets select one of the same pods: each would undo the other's work. */
function sharingPods(
  { informers, kinds }: Parts,
  hpa: HorizontalPodAutoscaler,
  pods: readonly Pod[],
): readonly HorizontalPodAutoscaler[] {
  const others = informers.of(HorizontalPodAutoscalerKind).list(hpa.metadata.namespace);
  return others.filter((other) => {
    if (other.metadata.uid === hpa.metadata.uid || pods.length === 0) return false;
    const found = findScaleTarget(other, kinds, informers);
    const selects = found.kind === "found" ? found.target.selects : undefined;
    return selects !== undefined && pods.some(({ metadata }) => selects(metadata.labels));
  });
}

async function rescale(
  parts: Parts,
  hpa: HorizontalPodAutoscaler,
  { kind, key, replicas: current }: ScaleTarget,
  { desired, why }: { readonly desired: number; readonly why: string },
): Promise<Outcome> {
  try {
    const body = { spec: { replicas: desired } };
    await parts.client.patch(kind, key, { type: "merge", body }, { subresource: "scale" });
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    const message = `New size: ${desired}; reason: ${why}; error: ${problem}`;
    tell(parts, hpa, { type: "Warning", reason: "FailedRescale", message });
    const text = `the HPA controller was unable to update the target scale: ${problem}`;
    return {
      current,
      desired: current,
      conditions: [condition("AbleToScale", false, "FailedUpdateScale", text)],
      rescaled: false,
    };
  }
  tell(parts, hpa, { type: "Normal", reason: "SuccessfulRescale", message: `New size: ${desired}; reason: ${why}` });
  const now = parts.clock.steadyMs();
  const state = parts.states.get(keyOf(hpa.metadata)) ?? initialHpaState(current, now);
  parts.states.set(keyOf(hpa.metadata), recordMove(state, hpaLimits(hpa), { from: current, to: desired, now }));
  const message = `the HPA controller was able to update the target scale to ${desired}`;
  return {
    current,
    desired,
    conditions: [condition("AbleToScale", true, "SucceededRescale", message)],
    rescaled: true,
  };
}

async function writeStatus({ client, clock }: Parts, hpa: HorizontalPodAutoscaler, outcome: Outcome): Promise<void> {
  const now = formatTime(clock.now());
  const before = hpa.status;
  let conditions: readonly HorizontalPodAutoscalerCondition[] = before?.conditions ?? [];
  for (const next of outcome.conditions) conditions = withCondition(conditions, next, now);
  const status: HorizontalPodAutoscalerStatus = {
    ...(before?.lastScaleTime ? { lastScaleTime: before.lastScaleTime } : {}),
    ...(outcome.rescaled ? { lastScaleTime: now } : {}),
    currentReplicas: outcome.current,
    desiredReplicas: outcome.desired,
    ...(outcome.metrics ? { currentMetrics: outcome.metrics } : {}),
    conditions,
  };
  if (isDeepStrictEqual(before, status)) return;
  await client.update(HorizontalPodAutoscalerKind, { ...hpa, status }, { subresource: "status" });
}

function withCondition(
  conditions: readonly HorizontalPodAutoscalerCondition[],
  next: NewCondition,
  now: string,
): readonly HorizontalPodAutoscalerCondition[] {
  const known = conditions.find(({ type }) => type === next.type);
  const lastTransitionTime = known?.status === next.status ? (known.lastTransitionTime ?? now) : now;
  const written = { ...next, lastTransitionTime };
  return known ? conditions.map((old) => (old === known ? written : old)) : [...conditions, written];
}

function tell(
  { events }: Parts,
  hpa: HorizontalPodAutoscaler,
  note: { readonly type: "Normal" | "Warning"; readonly reason: string; readonly message: string },
): void {
  events.record({ kind: HorizontalPodAutoscalerKind, object: hpa, ...note });
}
