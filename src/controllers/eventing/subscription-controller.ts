/** Subscription: a consumer of its channel's stream (eventing pkg/reconciler/subscription). */
import { streamKeyOf } from "../../api/eventing/engine.ts";
import type { DeliverySpec, SubscriberSpec } from "../../api/eventing/types-duck.gen.ts";
import { ChannelKind, InMemoryChannelKind, SubscriptionKind } from "../../api/messaging/kinds.ts";
import type { InMemoryChannel, Subscription } from "../../api/messaging/types.gen.ts";
import { isNotFound } from "../../api/meta/errors.ts";
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
import type { ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import { selfKey, watching } from "../../client/keys.ts";
import { ownFacts, whenChanged } from "../serving/when-changed.ts";
import { covers, observing, writeStatus } from "../serving/write.ts";
import { groupOf, resolveDestination, watchAddresses, type Resolution } from "./addresses.ts";
import type { EventingDeps } from "./deps.ts";
import { addFinalizer, dropFinalizer } from "./finalizer.ts";
import { watchFeatures } from "./features.ts";
import { identityOf, sentBy, type Identity } from "./identity.ts";
import { makeSubscriptionConsumer } from "./make-consumer.ts";
import { askAgainMs, deadLetterOf, observedOf, type DeadLetterFacts } from "./status-parts.ts";

const finalizer = "subscriptions.messaging.knative.dev";
const byChannel = "eventing-subscription-channel";
const conditions = ["ReferencesResolved", "AddedToChannel", "ChannelReady", "OIDCIdentityCreated"] as const;

export function subscriptionController(deps: EventingDeps): ControllerSpec {
  const subscriptions = deps.informers.of(SubscriptionKind);
  subscriptions.addIndex(byChannel, ({ metadata, spec }) => [
    `${spec.channel.namespace || metadata.namespace}/${spec.channel.name}`,
  ]);
  const ofChannel = ({ metadata }: KubeObject): readonly string[] =>
    subscriptions.byIndex(byChannel, keyOf(metadata)).map((one) => keyOf(one.metadata));
  return {
    name: "eventing-subscription",
    watches: [
      watching(SubscriptionKind, whenChanged(ownFacts, selfKey)),
      watching(ChannelKind, ofChannel),
      watching(InMemoryChannelKind, ofChannel),
      watchFeatures(subscriptions),
      ...watchAddresses(subscriptions, "eventing-subscription-destination", ({ spec }) => [
        spec.subscriber,
        spec.reply,
        spec.delivery?.deadLetterSink,
      ]),
    ],
    async reconcile(key) {
      const subscription = subscriptions.get(key);
      if (!subscription) return;
      if (subscription.metadata.deletionTimestamp) return release(deps, subscription);
      return observing(deps, SubscriptionKind, subscription, () => reconcileSubscription(deps, subscription));
    },
  };
}

async function release(deps: EventingDeps, subscription: Subscription): Promise<void> {
  const { name, namespace = "", uid = "" } = subscription.metadata;
  await deps.engine.removeConsumer(`subscription/${namespace}/${name}`, uid);
  const channel = channelOf(deps, subscription);
  if (channel) await setSubscriber(deps, channel, uid, undefined);
  await dropFinalizer(deps.client, SubscriptionKind, subscription, finalizer);
}

/** The InMemoryChannel behind what the Subscription names: itself, or a Channel's of the same name. */
function channelOf({ informers }: EventingDeps, { metadata, spec }: Subscription): InMemoryChannel | undefined {
  const { kind, apiVersion = "", name } = spec.channel;
  if (groupOf(apiVersion) !== InMemoryChannelKind.group) return undefined;
  if (kind !== ChannelKind.kind && kind !== InMemoryChannelKind.kind) return undefined;
  const key = `${spec.channel.namespace || metadata.namespace}/${name}`;
  if (kind === ChannelKind.kind && !informers.of(ChannelKind).get(key)) return undefined;
  return informers.of(InMemoryChannelKind).get(key);
}

interface SubscriptionFacts {
  readonly channel: InMemoryChannel | undefined;
  readonly subscriber: Resolution | undefined;
  readonly reply: Resolution | undefined;
  readonly deadLetter: DeadLetterFacts;
  readonly delivery: DeliverySpec | undefined;
  readonly identity: Identity;
}

async function reconcileSubscription(deps: EventingDeps, subscription: Subscription): Promise<ReconcileResult | void> {
  const { namespace = "" } = subscription.metadata;
  const { spec } = subscription;
  const channel = channelOf(deps, subscription);
  const resolve = (destination: typeof spec.reply): Resolution | undefined =>
    destination && resolveDestination(deps, destination, namespace);
  const fallback = spec.delivery?.deadLetterSink ? spec.delivery : (channel?.spec.delivery ?? spec.delivery);
  const facts: SubscriptionFacts = {
    channel,
    subscriber: resolve(spec.subscriber),
    reply: resolve(spec.reply),
    deadLetter: deadLetterOf(deps, fallback, namespace),
    delivery: spec.delivery ?? channel?.spec.delivery,
    identity: await identityOf(deps, SubscriptionKind, subscription),
  };
  const added = await subscribe(deps, subscription, facts);
  await writeStatus(
    deps,
    SubscriptionKind,
    subscription,
    subscriptionStatus(subscription, facts, added, deps.clock.now()),
  );
  const unresolved = [facts.subscriber, facts.reply].some((found) => found?.kind === "failed" && found.retry);
  if (unresolved || facts.deadLetter.retry || added.status === "False") return { requeueAfterMs: askAgainMs };
}

const targetOf = (found: Resolution | undefined) => (found?.kind === "resolved" ? found.target : undefined);

async function subscribe(deps: EventingDeps, subscription: Subscription, facts: SubscriptionFacts): Promise<Verdict> {
  const { channel, delivery } = facts;
  const { as } = facts.identity;
  if (!channel) return isUnknown("SubscriptionNotAddedToChannel", "the channel is not there yet");
  await addFinalizer(deps.client, SubscriptionKind, subscription, finalizer);
  const { name, namespace = "" } = channel.metadata;
  const reply = targetOf(facts.reply);
  // Answers must not be lost because their receiver is not there yet: events wait for it.
  const subscriber = facts.reply && !reply ? undefined : targetOf(facts.subscriber);
  const deadLetter = facts.deadLetter.target;
  try {
    await deps.engine.setConsumer(
      makeSubscriptionConsumer(subscription, {
        stream: streamKeyOf({ kind: "channel", namespace, name }),
        ...(subscriber ? { subscriber: sentBy(subscriber, as) } : {}),
        ...(reply ? { reply: sentBy(reply, as) } : {}),
        ...(deadLetter ? { deadLetter: sentBy(deadLetter, as) } : {}),
        ...(delivery ? { delivery } : {}),
      }),
    );
    await setSubscriber(deps, channel, subscription.metadata.uid ?? "", subscriberSpec(subscription, facts));
    return isTrue;
  } catch (error) {
    return isFalse("SubscriptionNotAddedToChannel", error instanceof Error ? error.message : String(error));
  }
}

function subscriberSpec(
  { metadata }: Subscription,
  { subscriber, reply, delivery }: SubscriptionFacts,
): SubscriberSpec {
  const [to, answers] = [targetOf(subscriber), targetOf(reply)];
  return {
    name: metadata.name,
    ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
    ...(metadata.generation === undefined ? {} : { generation: metadata.generation }),
    ...(to ? { subscriberUri: to.url } : {}),
    ...(answers ? { replyUri: answers.url } : {}),
    ...(delivery ? { delivery } : {}),
  };
}

/** The channel's spec tells who is subscribed, as upstream's channels do; an entry without an address is left out. */
async function setSubscriber(
  { client }: EventingDeps,
  { metadata, spec }: InMemoryChannel,
  uid: string,
  subscriber: SubscriberSpec | undefined,
): Promise<void> {
  const { name, namespace = "", resourceVersion } = metadata;
  const entry = subscriber?.subscriberUri || subscriber?.replyUri ? subscriber : undefined;
  const have = spec.subscribers ?? [];
  const known = have.find((one) => one.uid === uid);
  if (entry ? known && covers(known, entry) && covers(entry, known) : !known) return;
  const subscribers = [...have.filter((one) => one.uid !== uid), ...(entry ? [entry] : [])];
  try {
    const version = resourceVersion === undefined ? {} : { metadata: { resourceVersion } };
    await client.patch(
      InMemoryChannelKind,
      { namespace, name },
      { type: "merge", body: { ...version, spec: { subscribers } } },
    );
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

function subscriptionStatus(
  subscription: Subscription,
  { channel, subscriber, reply, deadLetter, identity }: SubscriptionFacts,
  added: Verdict,
  now: number,
): NonNullable<Subscription["status"]> {
  const { name, kind } = subscription.spec.channel;
  const ready = channel && conditionOf(channel, "Ready");
  const [to, answers] = [targetOf(subscriber), targetOf(reply)];
  const verdicts: Verdicts = {
    ReferencesResolved: referencesVerdict({ subscriber, reply, deadLetter }),
    AddedToChannel: added,
    ChannelReady: channel
      ? ready
        ? verdictOf(ready)
        : isUnknown("ChannelNotReady", "the channel has not yet been reconciled")
      : isUnknown("ChannelDoesNotExist", `${kind} "${name}" does not exist, or is of a kind not served here`),
    OIDCIdentityCreated: identity.verdict,
  };
  const physical = {
    ...(to ? { subscriberUri: to.url } : {}),
    ...(answers ? { replyUri: answers.url } : {}),
    ...deadLetter.status,
  };
  const set = { dependents: conditions, info: [] };
  return {
    ...observedOf(subscription),
    conditions: nextConditions(set, subscription.status?.conditions, verdicts, now),
    ...(Object.keys(physical).length > 0 ? { physicalSubscription: physical } : {}),
    ...identity.status,
  };
}

function referencesVerdict({
  subscriber,
  reply,
  deadLetter,
}: Pick<SubscriptionFacts, "subscriber" | "reply" | "deadLetter">): Verdict {
  if (subscriber?.kind === "failed")
    return isFalse("SubscriberResolveFailed", `Failed to resolve spec.subscriber: ${subscriber.message}`);
  if (reply?.kind === "failed") return isFalse("ReplyResolveFailed", `Failed to resolve spec.reply: ${reply.message}`);
  if (deadLetter.verdict.status === "False")
    return isFalse("DeadLetterSinkResolveFailed", deadLetter.verdict.message ?? "");
  return isTrue;
}
