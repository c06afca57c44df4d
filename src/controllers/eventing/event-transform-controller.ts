/** EventTransform: an address whose events are changed by an expression (eventing pkg/reconciler/eventtransform). */
import type { SenderIdentity } from "../../api/eventing/access.ts";
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
import { identityOf, sentBy } from "./identity.ts";
import {
  addressableVerdict,
  addressStatus,
  closeSink,
  openSink,
  releaseSink,
  type Opened,
  type TakingKind,
} from "./sink-parts.ts";
import { policiesOf, watchPolicies, type PolicyFacts } from "./policies.ts";
import { askAgainMs, observedOf, sinkStatus } from "./status-parts.ts";

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
      ...watchPolicies(transforms),
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
  const policies = policiesOf(deps, EventTransformKind, transform);
  // Without a sink it sends to nobody.
  const identity = sink && (await identityOf(deps, EventTransformKind, transform));
  const action = actionOf(transform, sink, identity?.as);
  const opened = await open(deps, transform, { action, sink, policies });
  const verdicts = {
    TransformationReady: sink?.kind === "failed" ? isFalse("SinkNotResolved", sink.message) : runs(opened),
    Addressable: addressableVerdict(opened),
    EventPoliciesReady: policies.verdict,
  };
  const set = { dependents: conditions, info: [] };
  await writeStatus(deps, EventTransformKind, transform, {
    ...observedOf(transform),
    conditions: nextConditions(set, transform.status?.conditions, verdicts, deps.clock.now()),
    ...(sink ? sinkStatus(sink) : {}),
    ...identity?.status,
    ...addressStatus(opened),
    ...policies.status,
  });
  if ("failure" in opened && (!sink || sink.kind === "resolved" || sink.retry)) return { requeueAfterMs: askAgainMs };
}

const runs = (opened: Opened): Verdict => ("failure" in opened ? isFalse("NotRunning", opened.failure) : isTrue);

/** Takes nothing while its sink is not there: its senders keep their events and try again. */
async function open(
  deps: EventingDeps,
  transform: EventTransform,
  {
    action,
    sink,
    policies,
  }: {
    readonly action: SinkAction | undefined;
    readonly sink: Resolution | undefined;
    readonly policies: PolicyFacts;
  },
): Promise<Opened> {
  if (action) return openSink(deps, taking, transform, { action, policies });
  await closeSink(deps, taking, transform);
  return { failure: sink?.kind === "failed" ? sink.message : "it has no expression" };
}

function actionOf(
  { spec }: EventTransform,
  sink: Resolution | undefined,
  as: SenderIdentity | undefined,
): SinkAction | undefined {
  const expression = spec.jsonata?.expression;
  if (expression === undefined || sink?.kind === "failed") return undefined;
  const { reply } = spec;
  const replyExpression = reply?.jsonata?.expression;
  return {
    kind: "transform",
    expression,
    ...(sink ? { sink: sentBy(sink.target, as) } : {}),
    ...(reply?.discard ? { reply: "discard" as const } : {}),
    ...(replyExpression === undefined ? {} : { reply: { expression: replyExpression } }),
  };
}
