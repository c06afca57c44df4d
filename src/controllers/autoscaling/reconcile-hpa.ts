/** Keeps the HorizontalPodAutoscaler of a PodAutoscaler of class hpa, and reads its numbers back. */
import { isDeepStrictEqual } from "node:util";
import type { AutoscalerConfig } from "../../api/autoscaling-internal/config-autoscaler.ts";
import type { PodAutoscaler } from "../../api/autoscaling-internal/types.gen.ts";
import { HorizontalPodAutoscalerKind } from "../../api/autoscaling/kinds.ts";
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec } from "../../api/autoscaling/types.gen.ts";
import { isControlledBy } from "../../api/meta/owner.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../client/clock.ts";
import type { Informer } from "../../client/informer.ts";
import { compileKpaSpec } from "../../scaling/kpa-spec.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { makeHpa } from "./make-hpa.ts";
import type { KpaAutoscaler } from "./kpa-autoscaler.ts";
import { activeThreshold, podAutoscalerStatus } from "./pa-status.ts";
import { writeStatus } from "./reconcile-kpa.ts";

export interface HpaClassDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
  readonly hpas: Informer<HorizontalPodAutoscaler>;
  readonly autoscaler: Pick<KpaAutoscaler, "podsOf" | "deploymentOf">;
  readonly config: AutoscalerConfig;
}

export async function reconcileHpa(deps: HpaClassDeps, pa: PodAutoscaler): Promise<void> {
  const { client, clock, autoscaler, config } = deps;
  const key = `${pa.metadata.namespace}/${pa.metadata.name}`;
  const hpa = await ensureHpa(deps, pa, deps.hpas.get(key));
  const { spec } = compileKpaSpec({ annotations: pa.metadata.annotations ?? {}, config, progressDeadlineMs: 0 });
  // Until the HPA has measured once it wants 0, which it never means.
  const want = hpa?.status?.desiredReplicas || autoscaler.deploymentOf(pa)?.spec.replicas || -1;
  const facts = { want, ready: autoscaler.podsOf(key).ready, minReady: activeThreshold(pa, spec) };
  const status = podAutoscalerStatus(pa, { ...facts, ...(hpa ? {} : { notOwned: notOwnedMessage(pa) }) }, clock.now());
  await writeStatus(client, pa, status);
}

const notOwnedMessage = ({ metadata }: PodAutoscaler): string =>
  `There is an existing HorizontalPodAutoscaler "${metadata.name}" that we do not own.`;

/** Undefined when somebody else has an HPA of that name: it is left alone. */
async function ensureHpa(
  { client, config, log }: HpaClassDeps,
  pa: PodAutoscaler,
  existing: HorizontalPodAutoscaler | undefined,
): Promise<HorizontalPodAutoscaler | undefined> {
  const wanted = makeHpa(pa, config);
  if (!existing) return client.create(HorizontalPodAutoscalerKind, wanted);
  if (!isControlledBy(existing, pa)) {
    log.warn("a HorizontalPodAutoscaler of this name belongs to somebody else", { name: pa.metadata.name });
    return undefined;
  }
  if (isDeepStrictEqual(withDefaults(wanted.spec), comparable(existing.spec))) return existing;
  return client.update(HorizontalPodAutoscalerKind, { ...existing, spec: wanted.spec });
}

/** What the API server makes of a spec that leaves parts out, as far as we write it (sheet §16). */
function withDefaults(spec: HorizontalPodAutoscalerSpec): HorizontalPodAutoscalerSpec {
  const cpu = { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } };
  return comparable({ minReplicas: 1, metrics: [{ type: "Resource", resource: cpu }], ...spec });
}

/** The parts of a spec that we decide; policies inside `behavior` are the server's defaults. */
function comparable({ behavior, ...spec }: HorizontalPodAutoscalerSpec): HorizontalPodAutoscalerSpec {
  const windowOf = (rules: { readonly stabilizationWindowSeconds?: number } | undefined) =>
    rules?.stabilizationWindowSeconds === undefined
      ? {}
      : { stabilizationWindowSeconds: rules.stabilizationWindowSeconds };
  if (!behavior) return spec;
  return { ...spec, behavior: { scaleUp: windowOf(behavior.scaleUp), scaleDown: windowOf(behavior.scaleDown) } };
}
