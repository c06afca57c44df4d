/** EventTransform: an address whose events are changed by an expression (eventing pkg/reconciler/eventtransform). */
import type { SinkAction } from "../../api/eventing/sink-engine.ts";
import { EventTransformKind } from "../../api/eventing/kinds.ts";
import type { EventTransform } from "../../api/eventing/types.gen.ts";
import { isFalse, isTrue, nextConditions, type Verdict } from "../../api/serving/conditions.ts";
import type { ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import { selfKey, watching } from "../../client/keys.ts";
import { ownFacts, whenChanged } from "../serving/when-changed.ts";
import { observing, writeStatus } from "../serving/write.ts";
import { resolveDestination, watchAddresses, type Resolution } from "./addresses.ts";
import type { EventingDeps } from "./deps.ts";
import {
  addressableVerdict,
  addressStatus,
  closeSink,
  openSink,
  releaseSink,
  type Opened,
  type TakingKind,
} from "./sink-parts.ts";
import { askAgainMs, observedOf, sinkStatus, withoutPolicies } from "./status-parts.ts";

const taking: TakingKind<EventTransform> = {
  kind: EventTransformKind,
  host: "event-transform",
  finalizer: "eventtransforms.eventing.knative.dev",
};
const conditions = ["TransformationReady", "Addressable", "EventPoliciesReady"] as const;

export function eventTransformController(deps: EventingDeps): ControllerSpec {
  const transforms = deps.informers.of(EventTransformKind);
  return {
    name: "eventing-event-transform",
    watches: [
      watching(EventTransformKind, whenChanged(ownFacts, selfKey)),
      ...watchAddresses(transforms, "eventing-transform-sink", ({ spec }) => [spec.sink]),
    ],
    async reconcile(key) {
      const transform = transforms.get(key);
      if (!transform) return;
      if (transform.metadata.deletionTimestamp) return releaseSink(deps, taking, transform);
      return observing(deps, EventTransformKind, transform, () => reconcileTransform(deps, transform));
    },
  };
}

async function reconcileTransform(deps: EventingDeps, transform: EventTransform): Promise<ReconcileResult | void> {
  const { spec, metadata } = transform;
  const sink = spec.sink && resolveDestination(deps, spec.sink, metadata.namespace ?? "");
  const opened = await open(deps, transform, sink);
  const verdicts = {
    TransformationReady: sink?.kind === "failed" ? isFalse("SinkNotResolved", sink.message) : runs(opened),
    Addressable: addressableVerdict(opened),
    EventPoliciesReady: withoutPolicies,
  };
  const set = { dependents: conditions, info: [] };
  await writeStatus(deps, EventTransformKind, transform, {
    ...observedOf(transform),
    conditions: nextConditions(set, transform.status?.conditions, verdicts, deps.clock.now()),
    ...(sink ? sinkStatus(sink) : {}),
    ...addressStatus(opened),
  });
  if ("failure" in opened && (!sink || sink.kind === "resolved" || sink.retry)) return { requeueAfterMs: askAgainMs };
}

const runs = (opened: Opened): Verdict => ("failure" in opened ? isFalse("NotRunning", opened.failure) : isTrue);

/** Takes nothing while its sink is not there: its senders keep their events and try again. */
async function open(deps: EventingDeps, transform: EventTransform, sink: Resolution | undefined): Promise<Opened> {
  const action = actionOf(transform, sink);
  if (action) return openSink(deps, taking, transform, action);
  await closeSink(deps, taking, transform);
  return { failure: sink?.kind === "failed" ? sink.message : "it has no expression" };
}

function actionOf({ spec }: EventTransform, sink: Resolution | undefined): SinkAction | undefined {
  const expression = spec.jsonata?.expression;
  if (expression === undefined || sink?.kind === "failed") return undefined;
  const { reply } = spec;
  const replyExpression = reply?.jsonata?.expression;
  return {
    kind: "transform",
    expression,
    ...(sink ? { sink: sink.target } : {}),
    ...(reply?.discard ? { reply: "discard" as const } : {}),
    ...(replyExpression === undefined ? {} : { reply: { expression: replyExpression } }),
  };
}
