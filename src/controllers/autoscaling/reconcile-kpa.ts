/** Brings the cluster to the KPA's decision: the Deployment's scale, then the PodAutoscaler's status and record. */
import { isDeepStrictEqual } from "node:util";
import { DeploymentKind } from "../../api/apps/kinds.ts";
import { PodAutoscalerKind } from "../../api/autoscaling-internal/kinds.ts";
import type { PodAutoscaler, PodAutoscalerStatus } from "../../api/autoscaling-internal/types.gen.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import type { ReconcileResult } from "../../client/controller.ts";
import type { Client } from "../../client/client.ts";
import { lastDecisionAnnotation } from "../../scaling/recorded-decision.ts";
import type { KpaAutoscaler, KpaDeps } from "./kpa-autoscaler.ts";
import { recordIsDue, renewedRecord } from "./last-decision.ts";
import { activeThreshold, activityOf, podAutoscalerStatus, type ScaleFacts } from "./pa-status.ts";
import type { PodCounts } from "./revision-pods.ts";
import { replicasFor, type RevisionScaler } from "./revision-scaler.ts";

/**
 * How long a revision that was just woken may take to be ready before its status says that it is not. Most are up in a
 * few milliseconds: their status goes from inactive to active in one write, and nothing that follows a status has work
 * while the first requests are answered.
 */
const quietWakeMs = 1000;

export async function reconcileKpa(
  { client, clock }: Pick<KpaDeps, "client" | "clock">,
  autoscaler: KpaAutoscaler,
  pa: PodAutoscaler,
): Promise<ReconcileResult | void> {
  const key = `${pa.metadata.namespace}/${pa.metadata.name}`;
  const pods = autoscaler.podsOf(key);
  let seen = look(autoscaler, pa, pods, clock.now());
  // One that begins with no instances is inactive from the first look on, by which the second one knows what it wants.
  const settled = { ...pa, status: seen.status };
  if (pa.status?.conditions === undefined && activityOf(settled, 0).phase === "inactive")
    seen = look(autoscaler, settled, pods, clock.now());
  const { scaler, facts, status } = seen;
  await applyScale(client, autoscaler, scaler);
  const quietMs = scaler.edgeMs + quietWakeMs - clock.steadyMs();
  if (quietMs > 0 && facts.want > 0 && pods.ready < facts.minReady) return { requeueAfterMs: quietMs };
  await writeStatus(client, pa, status);
  await writeRecord(client, scaler, autoscaler.isAtRest(scaler), clock.now());
}

interface Look {
  readonly scaler: RevisionScaler;
  readonly facts: ScaleFacts;
  readonly status: PodAutoscalerStatus;
}

function look(autoscaler: KpaAutoscaler, pa: PodAutoscaler, pods: PodCounts, nowMs: number): Look {
  const scaler = autoscaler.observe(pa, pods);
  const want = scaler.decision?.desired ?? -1;
  const facts = { want, ready: pods.ready, minReady: activeThreshold(pa, scaler.spec) };
  return { scaler, facts, status: podAutoscalerStatus(pa, facts, nowMs) };
}

async function applyScale(client: Client, autoscaler: KpaAutoscaler, scaler: RevisionScaler): Promise<void> {
  const { pa, decision, scaled } = scaler;
  const deployment = autoscaler.deploymentOf(pa);
  if (!deployment || !decision?.apply || decision.desired < 0) return;
  const replicas = replicasFor(scaler, decision.desired);
  // What a write to /scale answers is no Deployment, so the informer cannot learn its new size from it.
  const has = scaled?.deployment === deployment ? scaled.replicas : (deployment.spec.replicas ?? 1);
  if (has === replicas) return;
  const { namespace = "", name } = deployment.metadata;
  const patch = { type: "merge", body: { spec: { replicas } } } as const;
  await client.patch(DeploymentKind, { namespace, name }, patch, { subresource: "scale" });
  scaler.scaled = { deployment, replicas };
}

/** Writes the status when it differs; a PodAutoscaler that went away meanwhile needs none. */
export async function writeStatus(client: Client, pa: PodAutoscaler, status: PodAutoscalerStatus): Promise<void> {
  if (isDeepStrictEqual(pa.status, status)) return;
  try {
    await client.update(PodAutoscalerKind, { ...pa, status }, { subresource: "status" });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

async function writeRecord(client: Client, scaler: RevisionScaler, resting: boolean, nowMs: number): Promise<void> {
  const record = recordIsDue(scaler, resting, nowMs) ? renewedRecord(scaler, nowMs) : undefined;
  if (record === undefined) return;
  const { namespace = "", name } = scaler.pa.metadata;
  const body = { metadata: { annotations: { [lastDecisionAnnotation]: record } } };
  try {
    await client.patch(PodAutoscalerKind, { namespace, name }, { type: "merge", body });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
