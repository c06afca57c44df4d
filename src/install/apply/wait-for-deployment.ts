import { DeploymentKind, ReplicaSetKind } from "../../api/apps/kinds.ts";
import type { Deployment } from "../../api/apps/types.gen.ts";
import { EventKind, PodKind } from "../../api/core/kinds.ts";
import type { ObjectMeta } from "../../api/meta/types.gen.ts";
import type { Client } from "../../client/client.ts";
import { nameOf, systemNamespace, type Component } from "../names.ts";
import { selectorOf } from "../workloads/make-deployment.ts";
import { explainPods } from "./explain-pods.ts";

export interface Waiting {
  /** Aborts with the user's wish; a deadline is `deadlineMs`. */
  readonly signal: AbortSignal;
  readonly now: () => number;
  /** Resolves after so many milliseconds, rejects when the signal fires. */
  readonly pause: (ms: number) => Promise<void>;
  /** Milliseconds since the epoch. */
  readonly deadlineMs: number;
  readonly tell: (line: string) => void;
}

/** Something did not become ready in time; the message says what is known about why. */
export class NotReadyError extends Error {
  override readonly name = "NotReadyError";
}

const lookMs = 300;

/** Resolves when every replica of a component runs what its Deployment says. Throws {@link NotReadyError}. */
export function waitForDeployment(client: Client, component: Component, waiting: Waiting): Promise<void> {
  return untilNothingIsMissing(waiting, nameOf(component), async () => {
    const deployment = await client.get(DeploymentKind, { namespace: systemNamespace, name: nameOf(component) });
    const missing = missingOf(deployment);
    return missing === undefined ? undefined : [missing, ...(await reasonsOf(client, component, deployment))];
  });
}

/** Asks again and again, and tells what is missing. Throws {@link NotReadyError} when the time is up. */
export async function untilNothingIsMissing(
  waiting: Waiting,
  what: string,
  look: () => Promise<readonly string[] | undefined>,
): Promise<void> {
  // What comes and goes, such as the two names of a failing pull, is told once.
  const told = new Set<string>();
  for (;;) {
    const missing = await look();
    if (missing === undefined) return;
    const now = missing.join("; ");
    if (!told.has(now)) waiting.tell(`${what}: ${now}`);
    told.add(now);
    if (waiting.now() >= waiting.deadlineMs) throw new NotReadyError(`${what} is not ready: ${now}`);
    await waiting.pause(lookMs);
  }
}

/** What kubectl rollout status waits for; undefined when nothing is missing. */
export function missingOf({ metadata, spec, status = {} }: Deployment): string | undefined {
  const wanted = spec.replicas ?? 1;
  const { updatedReplicas = 0, availableReplicas = 0, replicas = 0 } = status;
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) return "not seen by Kubernetes yet";
  if (updatedReplicas < wanted) return `${updatedReplicas} of ${wanted} pods are new`;
  if (availableReplicas < wanted) return `${availableReplicas} of ${wanted} pods are ready`;
  if (replicas > updatedReplicas) return `${replicas - updatedReplicas} old pods are still there`;
  return undefined;
}

/** What is known of why pods of a component are not ready. */
export async function reasonsOf(
  client: Client,
  component: Component,
  deployment: Deployment,
): Promise<readonly string[]> {
  const labelSelector = Object.entries(selectorOf(component))
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  const [sets, pods, events] = await Promise.all([
    client.list(ReplicaSetKind, { namespace: systemNamespace, labelSelector }),
    client.list(PodKind, { namespace: systemNamespace, labelSelector }),
    client.list(EventKind, { namespace: systemNamespace, fieldSelector: "type=Warning" }),
  ]);
  // A quota or an admission webhook that lets no pod in.
  const refused = deployment.status?.conditions?.find(
    ({ type, status }) => type === "ReplicaFailure" && status === "True",
  );
  const newest = sets.items.find(({ metadata }) => revisionOf(metadata) === revisionOf(deployment.metadata));
  // Why older pods fail is no news: they are being replaced.
  const ours = pods.items.filter(({ metadata }) =>
    metadata.ownerReferences?.some(({ uid }) => uid === newest?.metadata.uid),
  );
  const found = explainPods(ours, events.items);
  return refused?.message ? [refused.message, ...found] : found;
}

const revisionOf = ({ annotations }: ObjectMeta): string | undefined =>
  annotations?.["deployment.kubernetes.io/revision"];
