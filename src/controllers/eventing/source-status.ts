/** Statuses that sources share (knative.dev/pkg apis/duck/v1/source_types.go). */
import type { EventTarget } from "../../api/eventing/engine.ts";
import type { CloudEventAttributes, SourceSpec, SourceStatus } from "../../api/eventing/types-duck.gen.ts";
import type { Kind } from "../../api/meta/kind.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import { nextConditions, type Verdicts } from "../../api/serving/conditions.ts";
import type { Condition } from "../../api/serving/types.gen.ts";
import { resolveDestination, type Resolution } from "./addresses.ts";
import type { EventingDeps } from "./deps.ts";
import { senderOf, sentBy, type Identity } from "./identity.ts";
import { observedOf, sinkStatus, sinkVerdict } from "./status-parts.ts";

interface Source extends KubeObject {
  readonly spec: SourceSpec;
  readonly status?: { readonly conditions?: readonly Condition[] };
}

/** Where a source sends, and as whom. */
export function resolveSink(deps: Pick<EventingDeps, "informers" | "served">, kind: Kind, source: Source): Resolution {
  const found = resolveDestination(deps, source.spec.sink ?? {}, source.metadata.namespace ?? "");
  if (found.kind === "failed") return found;
  return { ...found, target: sentBy(found.target, senderOf(deps, kind, source)) };
}

export const targetOf = (sink: Resolution): EventTarget | undefined =>
  sink.kind === "resolved" ? sink.target : undefined;

export interface SourceFacts {
  readonly sink: Resolution;
  readonly identity: Identity;
  /** Conditions of the kind's own, in order, behind SinkProvided. */
  readonly conditions: readonly string[];
  readonly verdicts: Verdicts;
  readonly attributes: readonly CloudEventAttributes[];
  readonly now: number;
}

export function sourceStatus(
  source: Source,
  { sink, identity, conditions, verdicts, attributes, now }: SourceFacts,
): SourceStatus {
  const set = { dependents: ["SinkProvided", ...conditions, "OIDCIdentityCreated"], info: [] };
  const all: Verdicts = { SinkProvided: sinkVerdict(sink), OIDCIdentityCreated: identity.verdict, ...verdicts };
  return {
    ...observedOf(source),
    conditions: nextConditions(set, source.status?.conditions, all, now),
    ...sinkStatus(sink),
    ...identity.status,
    ...(attributes.length > 0 ? { ceAttributes: attributes } : {}),
  };
}
