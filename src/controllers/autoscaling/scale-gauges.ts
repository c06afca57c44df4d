/**
 * The autoscaler's numbers under the names Knative Serving gives them (pkg/autoscaler/metrics, sheet §5.6): read when
 * somebody asks, so that nothing is counted for nobody.
 */
import { servingKeys } from "../../api/serving/keys.ts";
import type { KpaAutoscaler } from "./kpa-autoscaler.ts";
import type { RevisionScaler } from "./revision-scaler.ts";

export interface RevisionGauges {
  readonly attributes: Readonly<Record<string, string>>;
  /** By metric name, such as `kn.revision.pods.desired`. */
  readonly values: ReadonlyMap<string, number>;
}

/** One reading per revision of class kpa, sleeping ones included. */
export function* scaleGauges(autoscaler: KpaAutoscaler): Generator<RevisionGauges> {
  for (const scaler of autoscaler.all()) {
    yield {
      attributes: attributesOf(scaler),
      values: new Map([...podGauges(autoscaler, scaler), ...loadGauges(scaler)]),
    };
  }
}

function attributesOf({ pa }: RevisionScaler): Readonly<Record<string, string>> {
  const { namespace = "", name, labels = {} } = pa.metadata;
  return {
    "kn.service.name": labels[servingKeys.service] ?? "",
    "kn.configuration.name": labels[servingKeys.configuration] ?? "",
    "kn.revision.name": name,
    "k8s.namespace.name": namespace,
  };
}

type Reading = readonly [name: string, value: number];

function podGauges(autoscaler: KpaAutoscaler, { key, pa, decision }: RevisionScaler): readonly Reading[] {
  const pods = autoscaler.podsOf(key);
  return [
    ["kn.revision.pods.desired", Math.max(0, decision?.desired ?? 0)],
    ["kn.revision.pods.requested", autoscaler.deploymentOf(pa)?.spec.replicas ?? 0],
    ["kn.revision.pods.count", pods.ready],
    ["kn.revision.pods.not_ready.count", pods.notReady + pods.lost],
    ["kn.revision.pods.pending.count", pods.pending],
    ["kn.revision.pods.terminating.count", pods.terminating],
  ];
}

function loadGauges({ spec, seen, state, decision }: RevisionScaler): readonly Reading[] {
  const metric = `kn.revision.${spec.metric}`;
  return [
    [`${metric}.stable`, seen?.stable ?? 0],
    [`${metric}.panic`, seen?.panic ?? 0],
    [`${metric}.target`, spec.target],
    ["kn.revision.panic.mode", state.panicSinceMs === undefined ? 0 : 1],
    ["kn.revision.capacity.excess", decision?.reasons.excessBurstCapacity ?? 0],
  ];
}
