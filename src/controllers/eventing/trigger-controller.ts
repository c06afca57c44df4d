/** Trigger: a consumer of its Broker's stream (eventing pkg/reconciler/broker/trigger). */
import { brokerNameOf, brokerNamespaceOf, parseDependency } from "../../api/eventing/trigger-definition.ts";
import { BrokerKind, TriggerKind } from "../../api/eventing/kinds.ts";
import { eventingKeys } from "../../api/eventing/keys.ts";
import type { Broker, Trigger } from "../../api/eventing/types.gen.ts";
import type { Kind } from "../../api/meta/kind.ts";
import { keyOf, type KubeObject } from "../../api/meta/object.ts";
import {
  conditionOf,
  isFalse,
  isTrue,
  isUnknown,
  nextConditions,
  verdictOf,
  type Verdict,
  type Verdicts,
} from "../../api/serving/conditions.ts";
import type { Condition } from "../../api/serving/types.gen.ts";
import type { ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import { selfKey, watching } from "../../client/keys.ts";
import { ownFacts, whenChanged } from "../serving/when-changed.ts";
import { observing, writeStatus } from "../serving/write.ts";
import { resolveDestination, watchAddresses, type Resolution } from "./addresses.ts";
import { isServed } from "./broker-controller.ts";
import type { EventingDeps } from "./deps.ts";
import { addFinalizer, dropFinalizer } from "./finalizer.ts";
import { watchFeatures } from "./features.ts";
import { identityOf, type Identity } from "./identity.ts";
import { makeTriggerConsumer } from "./make-consumer.ts";
import { askAgainMs, deadLetterOf, observedOf, type DeadLetterFacts } from "./status-parts.ts";
import { findCircle } from "./trigger-circle.ts";

const finalizer = "triggers.eventing.knative.dev";
const byBroker = "eventing-trigger-broker";
const conditions = [
  "BrokerReady",
  "DependencyReady",
  "SubscriberResolved",
  "DeadLetterSinkResolved",
  "OIDCIdentityCreated",
  "SubscriptionReady",
] as const;

export function triggerController(deps: EventingDeps): ControllerSpec {
  const triggers = deps.informers.of(TriggerKind);
  triggers.addIndex(byBroker, (trigger) => [`${brokerNamespaceOf(trigger)}/${brokerNameOf(trigger)}`]);
  return {
    name: "eventing-trigger",
    watches: [
      watching(TriggerKind, whenChanged(ownFacts, selfKey)),
      watching(BrokerKind, (broker) =>
        triggers.byIndex(byBroker, keyOf(broker.metadata)).map(({ metadata }) => keyOf(metadata)),
      ),
      watchFeatures(triggers),
      ...watchAddresses(triggers, "eventing-trigger-destination", ({ spec }) => [
        spec.subscriber,
        spec.delivery?.deadLetterSink,
      ]),
    ],
    async reconcile(key) {
      const trigger = triggers.get(key);
      if (!trigger) return;
      if (trigger.metadata.deletionTimestamp) return release(deps, trigger);
      const broker = brokerOf(deps, trigger);
      if (broker && !isServed(broker)) return;
      return observing(deps, TriggerKind, trigger, () => reconcileTrigger(deps, trigger, broker));
    },
  };
}

const brokerOf = ({ informers }: EventingDeps, trigger: Trigger): Broker | undefined =>
  informers.of(BrokerKind).get(`${brokerNamespaceOf(trigger)}/${brokerNameOf(trigger)}`);

async function release({ client, engine }: EventingDeps, trigger: Trigger): Promise<void> {
  const { name, namespace = "", uid = "" } = trigger.metadata;
  await engine.removeConsumer(`trigger/${namespace}/${name}`, uid);
  await dropFinalizer(client, TriggerKind, trigger, finalizer);
}

/** All that is known of a Trigger's surroundings. */
export interface TriggerFacts {
  readonly broker: Broker | undefined;
  readonly subscriber: Resolution;
  /** The Trigger's own, or else its Broker's. */
  readonly deadLetter: DeadLetterFacts;
  readonly dependency: Verdict;
  readonly identity: Identity;
}

async function reconcileTrigger(
  deps: EventingDeps,
  trigger: Trigger,
  broker: Broker | undefined,
): Promise<ReconcileResult | void> {
  const { namespace = "" } = trigger.metadata;
  const { delivery } = trigger.spec;
  const own = deadLetterOf(deps, delivery, namespace);
  const facts: TriggerFacts = {
    broker,
    subscriber: resolveDestination(deps, trigger.spec.subscriber, namespace),
    deadLetter:
      delivery?.deadLetterSink || !broker ? own : deadLetterOf(deps, broker.spec.delivery, brokerNamespaceOf(trigger)),
    dependency: dependencyVerdict(deps, trigger),
    identity: await identityOf(deps, TriggerKind, trigger),
  };
  const subscribed = broker ? await subscribe(deps, trigger, facts) : isUnknown("BrokerDoesNotExist", "no Broker yet");
  const status = triggerStatus(trigger, facts, subscribed, deps.clock.now());
  await writeStatus(deps, TriggerKind, trigger, status);
  warnOfCircle(deps, trigger);
  const isUnwatched = facts.subscriber.kind === "failed" && facts.subscriber.retry;
  const waits = facts.dependency.status !== "True" || subscribed.status === "False";
  if (isUnwatched || facts.deadLetter.retry || waits) return { requeueAfterMs: askAgainMs };
}

async function subscribe(deps: EventingDeps, trigger: Trigger, facts: TriggerFacts): Promise<Verdict> {
  await addFinalizer(deps.client, TriggerKind, trigger, finalizer);
  try {
    await deps.engine.setConsumer(makeTriggerConsumer(trigger, facts));
    return isTrue;
  } catch (error) {
    return isFalse("NotSubscribed", error instanceof Error ? error.message : String(error));
  }
}

interface Judged extends KubeObject {
  readonly status?: { readonly conditions?: readonly Condition[] };
}

/** The object that the dependency annotation names must be Ready. */
function dependencyVerdict({ informers, served }: EventingDeps, { metadata }: Trigger): Verdict {
  const text = metadata.annotations?.[eventingKeys.dependency];
  if (text === undefined) return isTrue;
  const { apiVersion = "", kind: kindName = "", name = "" } = parseDependency(text) ?? {};
  const kind = served.find(apiVersion, kindName);
  const object = kind && informers.of(kind as Kind<Judged>).get(`${metadata.namespace}/${name}`);
  if (!object) return isFalse("DependencyDoesNotExist", `Dependency does not exist: ${kindName} "${name}" not found`);
  const ready = conditionOf(object, "Ready");
  return ready ? verdictOf(ready) : isUnknown("DependencyNotConfigured", "Dependency has not yet been reconciled.");
}

/** A subscription is worth nothing before its Broker takes events. */
function triggerStatus(
  trigger: Trigger,
  { broker, subscriber, deadLetter, dependency, identity }: TriggerFacts,
  subscribed: Verdict,
  now: number,
): NonNullable<Trigger["status"]> {
  const name = brokerNameOf(trigger);
  const ready = broker && conditionOf(broker, "Ready");
  const brokerReady = ready
    ? verdictOf(ready)
    : isUnknown("BrokerNotConfigured", "Broker has not yet been reconciled.");
  const verdicts: Verdicts = {
    BrokerReady: broker ? brokerReady : isFalse("BrokerDoesNotExist", `Broker "${name}" does not exist`),
    DependencyReady: dependency,
    SubscriberResolved:
      subscriber.kind === "resolved" ? isTrue : isFalse("Unable to get the Subscriber's URI", subscriber.message),
    DeadLetterSinkResolved: deadLetter.verdict,
    OIDCIdentityCreated: identity.verdict,
    SubscriptionReady: subscribed,
  };
  const set = { dependents: conditions, info: [] };
  return {
    ...observedOf(trigger),
    // Who delivers for it tells what waits (trigger-lag-controller.ts).
    ...(trigger.status?.annotations ? { annotations: trigger.status.annotations } : {}),
    conditions: nextConditions(set, trigger.status?.conditions, verdicts, now),
    ...(subscriber.kind === "resolved" ? subscriberStatus(subscriber) : {}),
    ...deadLetter.status,
    ...identity.status,
  };
}

const subscriberStatus = ({ target }: Extract<Resolution, { readonly kind: "resolved" }>): object => ({
  subscriberUri: target.url,
  ...(target.caCerts ? { subscriberCACerts: target.caCerts } : {}),
  ...(target.audience ? { subscriberAudience: target.audience } : {}),
});

function warnOfCircle({ informers, recorder }: EventingDeps, trigger: Trigger): void {
  const circle = findCircle(trigger, informers.of(TriggerKind).list());
  if (circle.length === 0) return;
  const message = `events go round for ever, until their hops are used up: ${circle.join(" → ")}`;
  recorder.record({ kind: TriggerKind, object: trigger, type: "Warning", reason: "EventLoop", message });
}
