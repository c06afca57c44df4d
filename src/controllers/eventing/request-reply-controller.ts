/** RequestReply: an address in front of a Broker, and a Trigger that brings replies back (eventing pkg/reconciler/requestreply). */
import { BrokerKind, RequestReplyKind, TriggerKind } from "../../api/eventing/kinds.ts";
import { parseIsoDuration } from "../../api/eventing/iso-duration.ts";
import type { Broker, RequestReply, Trigger } from "../../api/eventing/types.gen.ts";
import type { EventTarget } from "../../api/eventing/engine.ts";
import type { SinkAction } from "../../api/eventing/sink-engine.ts";
import { keyOf } from "../../api/meta/object.ts";
import { controllerReference, isControlledBy } from "../../api/meta/owner.ts";
import { childName } from "../../api/serving/child-name.ts";
import {
  conditionOf,
  isFalse,
  isUnknown,
  nextConditions,
  verdictOf,
  type Verdict,
} from "../../api/serving/conditions.ts";
import type { Addressable } from "../../api/serving/types.gen.ts";
import type { ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import { controllerKey, selfKey, watching } from "../../client/keys.ts";
import { ownFacts, whenChanged } from "../serving/when-changed.ts";
import { covers, createOrGet, lookAgain, observing, writeStatus } from "../serving/write.ts";
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
import { observedOf } from "./status-parts.ts";

const taking: TakingKind<RequestReply> = {
  kind: RequestReplyKind,
  host: "request-reply",
  finalizer: "requestreplies.eventing.knative.dev",
};
const conditions = ["BrokerReady", "TriggersReady", "Addressable", "EventPoliciesReady"] as const;
const byBroker = "eventing-request-reply-broker";
const defaultTimeoutMs = 30_000;

export function requestReplyController(deps: EventingDeps): ControllerSpec {
  const all = deps.informers.of(RequestReplyKind);
  all.addIndex(byBroker, ({ metadata, spec }) => [`${metadata.namespace}/${spec.brokerRef.name}`]);
  return {
    name: "eventing-request-reply",
    watches: [
      watching(RequestReplyKind, whenChanged(ownFacts, selfKey)),
      ...watchPolicies(all),
      watching(TriggerKind, controllerKey(RequestReplyKind)),
      watching(BrokerKind, (broker) =>
        all.byIndex(byBroker, keyOf(broker.metadata)).map(({ metadata }) => keyOf(metadata)),
      ),
    ],
    async reconcile(key) {
      const object = all.get(key);
      if (!object) return;
      if (object.metadata.deletionTimestamp) return releaseSink(deps, taking, object);
      return observing(deps, RequestReplyKind, object, () => reconcileRequestReply(deps, object));
    },
  };
}

async function reconcileRequestReply(deps: EventingDeps, object: RequestReply): Promise<ReconcileResult | void> {
  const { namespace = "" } = object.metadata;
  const broker = deps.informers.of(BrokerKind).get(`${namespace}/${object.spec.brokerRef.name}`);
  const policies = policiesOf(deps, RequestReplyKind, object);
  const { as } = await identityOf(deps, RequestReplyKind, object);
  const address = broker?.status?.address;
  const to = address?.url ? sentBy(brokerTarget(address, address.url), as) : undefined;
  const opened = await open(deps, object, { to, policies });
  const trigger = "failure" in opened ? undefined : await ensureTrigger(deps, object, opened.url);
  const verdicts = {
    BrokerReady: brokerVerdict(object, broker),
    TriggersReady: triggerVerdict(object, trigger),
    Addressable: addressableVerdict(opened),
    EventPoliciesReady: policies.verdict,
  };
  const set = { dependents: conditions, info: [] };
  await writeStatus(deps, RequestReplyKind, object, {
    ...observedOf(object),
    conditions: nextConditions(set, object.status?.conditions, verdicts, deps.clock.now()),
    ...addressStatus(opened),
    ...policies.status,
    desiredReplicas: 1,
    readyReplicas: "failure" in opened ? 0 : 1,
  });
  if (trigger && !isControlledBy(trigger, object)) return lookAgain;
}

async function open(
  deps: EventingDeps,
  object: RequestReply,
  { to, policies }: { readonly to: EventTarget | undefined; readonly policies: PolicyFacts },
): Promise<Opened> {
  if (to) return openSink(deps, taking, object, { action: actionOf(object, to), policies });
  await closeSink(deps, taking, object);
  return { failure: `Broker "${object.spec.brokerRef.name}" has no address yet` };
}

const brokerTarget = ({ CACerts, audience }: Addressable, url: string): EventTarget => ({
  url,
  ...(CACerts ? { caCerts: CACerts } : {}),
  ...(audience ? { audience } : {}),
});

function actionOf({ spec }: RequestReply, broker: EventTarget): SinkAction {
  return {
    kind: "request-reply",
    broker,
    correlationAttribute: spec.correlationAttribute ?? "correlationid",
    replyAttribute: spec.replyAttribute ?? "replyid",
    timeoutMs: parseIsoDuration(spec.timeout ?? "") ?? defaultTimeoutMs,
  };
}

function brokerVerdict({ spec }: RequestReply, broker: Broker | undefined): Verdict {
  if (!broker) return isFalse("BrokerDoesNotExist", `Broker "${spec.brokerRef.name}" does not exist`);
  const ready = conditionOf(broker, "Ready");
  return ready ? verdictOf(ready) : isUnknown("BrokerNotConfigured", "Broker has not yet been reconciled.");
}

function triggerVerdict(object: RequestReply, trigger: Trigger | undefined): Verdict {
  if (!trigger) return isUnknown("TriggersNotReady", "there is no Trigger for replies yet");
  if (!isControlledBy(trigger, object))
    return isFalse("NotOwned", `a Trigger "${trigger.metadata.name}" is there that is not this RequestReply's`);
  const ready = conditionOf(trigger, "Ready");
  return ready ? verdictOf(ready) : isUnknown("TriggersNotReady", "the Trigger for replies is not yet reconciled");
}

/** Replies are told by the end of what they bring back. */
async function ensureTrigger({ client, informers }: EventingDeps, object: RequestReply, url: string): Promise<Trigger> {
  const { name, namespace = "", uid = "" } = object.metadata;
  const { brokerRef, delivery, replyAttribute = "replyid" } = object.spec;
  const spec = {
    broker: brokerRef.name ?? "",
    filters: [{ suffix: { [replyAttribute]: `:${uid}` } }],
    subscriber: { uri: `${url}/replies` },
    ...(delivery ? { delivery } : {}),
  };
  const metadata = {
    name: childName(name, "-replies"),
    namespace,
    ownerReferences: [controllerReference(RequestReplyKind, object)],
  };
  const known = informers.of(TriggerKind).get(`${namespace}/${metadata.name}`);
  const have = known ?? (await createOrGet(client, TriggerKind, { metadata, spec }));
  const isSame = covers(have.spec, spec) && Boolean(have.spec.delivery) === Boolean(delivery);
  if (!isControlledBy(have, object) || isSame) return have;
  return client.update(TriggerKind, { ...have, spec });
}
