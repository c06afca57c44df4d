import { isDeepStrictEqual } from "node:util";
import { DeploymentKind, ReplicaSetKind } from "../../api/apps/kinds.ts";
import { JobKind } from "../../api/batch/kinds.ts";
import { PodKind } from "../../api/core/kinds.ts";
import type { Pod } from "../../api/core/types.gen.ts";
import { resolveIntOrPercent } from "../../api/meta/int-or-string.ts";
import { matchesLabelSelector } from "../../api/meta/label-selector.ts";
import { keyOf } from "../../api/meta/object.ts";
import { controllerOf } from "../../api/meta/owner.ts";
import { formatTime, parseTime } from "../../api/meta/time.ts";
import type { Condition } from "../../api/meta/types.gen.ts";
import { PodDisruptionBudgetKind } from "../../api/policy/kinds.ts";
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from "../../api/policy/types.gen.ts";
import type { ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import type { Informers } from "../../client/informer.ts";
import { selfKey, watching } from "../../client/keys.ts";
import type { CoreDeps } from "../core-deps.ts";
import { isPodReady } from "../pod-facts.ts";

/** An eviction that was allowed and whose pod still stands after this long does not count any more. */
const disruptionTimeoutMs = 120_000;

/** Says how many pods of a budget may be evicted now (kubernetes pkg/controller/disruption). */
export function disruptionController(deps: CoreDeps): ControllerSpec {
  const budgets = deps.informers.of(PodDisruptionBudgetKind);
  const pods = deps.informers.of(PodKind);
  const budgetsOver = (pod: Pod): readonly string[] =>
    budgets
      .list(pod.metadata.namespace)
      .filter(({ spec }) => matchesLabelSelector(spec.selector, pod.metadata.labels))
      .map((budget) => keyOf(budget.metadata));
  return {
    name: "disruption",
    watches: [
      watching(PodDisruptionBudgetKind, selfKey),
      watching(PodKind, (pod, old) => [...new Set([...budgetsOver(pod), ...(old ? budgetsOver(old) : [])])]),
    ],
    reconcile: async (key) => {
      const budget = budgets.get(key);
      if (!budget) return undefined;
      const selected = pods
        .list(budget.metadata.namespace)
        .filter(({ metadata }) => matchesLabelSelector(budget.spec.selector, metadata.labels));
      return reconcile(deps, budget, selected);
    },
  };
}

async function reconcile(
  { client, clock, informers }: CoreDeps,
  budget: PodDisruptionBudget,
  pods: readonly Pod[],
): Promise<ReconcileResult | void> {
  const expected = expectedScale(informers, pods);
  const { status, nextMs } = budgetStatus({ budget, pods, expected, now: clock.now() });
  if (!isDeepStrictEqual(budget.status, status)) {
    await client.update(PodDisruptionBudgetKind, { ...budget, status }, { subresource: "status" });
  }
  return nextMs === undefined ? undefined : { requeueAfterMs: nextMs };
}

/** How many pods their controllers want together; undefined when a pod has no controller with a size. */
function expectedScale(informers: Informers, pods: readonly Pod[]): number | undefined {
  const sizes = new Map<string, number>();
  for (const pod of pods) {
    const scale = controllerScale(informers, pod);
    if (!scale) return undefined;
    sizes.set(scale.uid, scale.replicas);
  }
  return [...sizes.values()].reduce((sum, replicas) => sum + replicas, 0);
}

function controllerScale(informers: Informers, pod: Pod): { uid: string; replicas: number } | undefined {
  const owner = controllerOf(pod);
  const { namespace = "" } = pod.metadata;
  if (owner?.kind === "ReplicaSet") {
    const set = informers.of(ReplicaSetKind).get(`${namespace}/${owner.name}`);
    const above = set && controllerOf(set);
    const deployment =
      above?.kind === "Deployment" ? informers.of(DeploymentKind).get(`${namespace}/${above.name}`) : undefined;
    const sized = deployment ?? set;
    return sized && { uid: sized.metadata.uid ?? "", replicas: sized.spec.replicas };
  }
  if (owner?.kind !== "Job") return undefined;
  const job = informers.of(JobKind).get(`${namespace}/${owner.name}`);
  return job && { uid: job.metadata.uid ?? "", replicas: job.spec.parallelism ?? 1 };
}

export interface BudgetInputs {
  readonly budget: PodDisruptionBudget;
  readonly pods: readonly Pod[];
  /** Pods their controllers want; undefined when that is not known. */
  readonly expected: number | undefined;
  readonly now: number;
}

/** The status, and when an evicted pod that stays stops being counted as on its way. Pure. */
export function budgetStatus({ budget, pods, expected, now }: BudgetInputs): {
  readonly status: PodDisruptionBudgetStatus;
  readonly nextMs?: number;
} {
  const { disruptedPods, nextMs } = stillDisrupted(budget, pods, now);
  const wanted = desired(budget, pods.length, expected);
  const healthy = pods.filter(
    (pod) => isPodReady(pod) && !pod.metadata.deletionTimestamp && disruptedPods[pod.metadata.name] === undefined,
  ).length;
  const allowed = wanted && wanted.expected > 0 ? Math.max(0, healthy - wanted.healthy) : 0;
  const { generation = 0 } = budget.metadata;
  return {
    status: {
      ...(Object.keys(disruptedPods).length > 0 ? { disruptedPods } : {}),
      observedGeneration: generation,
      disruptionsAllowed: allowed,
      currentHealthy: healthy,
      desiredHealthy: wanted?.healthy ?? 0,
      expectedPods: wanted?.expected ?? 0,
      conditions: [allowedCondition({ budget, allowed, known: wanted !== undefined, now })],
    },
    ...(nextMs === undefined ? {} : { nextMs }),
  };
}

/** Percentages and maxUnavailable are of what the controllers want; a plain minAvailable is of the pods there are. */
function desired(
  { spec }: PodDisruptionBudget,
  podCount: number,
  expected: number | undefined,
): { readonly expected: number; readonly healthy: number } | undefined {
  if (spec.maxUnavailable !== undefined) {
    if (expected === undefined) return undefined;
    const away = resolveIntOrPercent(spec.maxUnavailable, expected, "up") ?? 0;
    return { expected, healthy: Math.max(0, expected - away) };
  }
  const { minAvailable = 1 } = spec;
  if (typeof minAvailable === "number") return { expected: podCount, healthy: minAvailable };
  if (expected === undefined) return undefined;
  return { expected, healthy: resolveIntOrPercent(minAvailable, expected, "up") ?? 0 };
}

function stillDisrupted(
  { status }: PodDisruptionBudget,
  pods: readonly Pod[],
  now: number,
): { readonly disruptedPods: Readonly<Record<string, string>>; readonly nextMs?: number } {
  const standing = new Set(pods.filter((pod) => !pod.metadata.deletionTimestamp).map(({ metadata }) => metadata.name));
  const left: Record<string, string> = {};
  let nextMs: number | undefined;
  for (const [name, time] of Object.entries(status?.disruptedPods ?? {})) {
    const remainingMs = (parseTime(time) ?? 0) + disruptionTimeoutMs - now;
    if (!standing.has(name) || remainingMs <= 0) continue;
    left[name] = time;
    nextMs = Math.min(nextMs ?? remainingMs, remainingMs);
  }
  return { disruptedPods: left, ...(nextMs === undefined ? {} : { nextMs }) };
}

function allowedCondition(facts: {
  readonly budget: PodDisruptionBudget;
  readonly allowed: number;
  readonly known: boolean;
  readonly now: number;
}): Condition {
  const { budget, allowed, known, now } = facts;
  const type = "DisruptionAllowed";
  const status = allowed > 0 ? "True" : "False";
  const reason = !known ? "SyncFailed" : allowed > 0 ? "SufficientPods" : "InsufficientPods";
  const message = known ? "" : "found no controllers for the pods, so no number of expected pods can be known";
  const before = budget.status?.conditions?.find((condition) => condition.type === type);
  const lastTransitionTime = before?.status === status ? before.lastTransitionTime : formatTime(now);
  return { type, status, reason, message, lastTransitionTime, observedGeneration: budget.metadata.generation ?? 0 };
}
