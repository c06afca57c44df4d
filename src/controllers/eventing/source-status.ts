/** Statuses that sources share (knative.dev/pkg apis/duck/v1/source_types.go). */
import type { EventTarget } from "../../api/eventing/engine.ts";
import type { CloudEventAttributes, SourceSpec, SourceStatus } from "../../api/eventing/types-duck.gen.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import { nextConditions, type Verdicts } from "../../api/serving/conditions.ts";
import type { Condition } from "../../api/serving/types.gen.ts";
import { resolveDestination, type Resolution } from "./addresses.ts";
import type { EventingDeps } from "./deps.ts";
import { observedOf, sinkStatus, sinkVerdict, withoutIdentity } from "./status-parts.ts";

interface Source extends KubeObject {
  readonly spec: SourceSpec;
  readonly status?: { readonly conditions?: readonly Condition[] };
}

export const resolveSink = (deps: Pick<EventingDeps, "informers" | "served">, { metadata, spec }: Source): Resolution =>
  resolveDestination(deps, spec.sink ?? {}, metadata.namespace ?? "");

export const targetOf = (sink: Resolution): EventTarget | undefined =>
  sink.kind === "resolved" ? sink.target : undefined;

export interface SourceFacts {
  readonly sink: Resolution;
  /** Conditions of the kind's own, in order, behind SinkProvided. */
  readonly conditions: readonly string[];
  readonly verdicts: Verdicts;
  readonly attributes: readonly CloudEventAttributes[];
  readonly now: number;
}

export function sourceStatus(
  source: Source,
  { sink, conditions, verdicts, attributes, now }: SourceFacts,
): SourceStatus {
  const set = { dependents: ["SinkProvided", ...conditions, "OIDCIdentityCreated"], info: [] };
  const all: Verdicts = { SinkProvided: sinkVerdict(sink), OIDCIdentityCreated: withoutIdentity, ...verdicts };
  return {
    ...observedOf(source),
    conditions: nextConditions(set, source.status?.conditions, all, now),
    ...sinkStatus(sink),
    ...(attributes.length > 0 ? { ceAttributes: attributes } : {}),
  };
}
