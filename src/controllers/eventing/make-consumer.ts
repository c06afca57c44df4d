/** What the engine is told of a Trigger or a Subscription. */
import { deliveryOptions } from "../../api/eventing/delivery.ts";
import {
  streamKeyOf,
  type ConsumerSpec,
  type EventTarget,
  type FilterSet,
  type StartPosition,
  type StreamKey,
} from "../../api/eventing/engine.ts";
import { eventingKeys } from "../../api/eventing/keys.ts";
import { brokerNameOf, brokerNamespaceOf } from "../../api/eventing/trigger-definition.ts";
import type { DeliverySpec } from "../../api/eventing/types-duck.gen.ts";
import type { Broker, Trigger } from "../../api/eventing/types.gen.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import { parseTime } from "../../api/meta/time.ts";
import type { Subscription } from "../../api/messaging/types.gen.ts";
import { isTrue } from "../../api/serving/conditions.ts";
import { sentBy } from "./identity.ts";
import type { TriggerFacts } from "./trigger-controller.ts";

/** Without an address of the subscriber, or before its dependency is ready, events wait. */
export function makeTriggerConsumer(
  trigger: Trigger,
  { broker, subscriber, deadLetter, dependency, identity }: TriggerFacts,
): ConsumerSpec {
  const { name, namespace = "", uid = "" } = trigger.metadata;
  const { filter, filters, delivery } = trigger.spec;
  const isReady = dependency.status === isTrue.status;
  return {
    key: `trigger/${namespace}/${name}`,
    uid,
    stream: streamKeyOf({ kind: "broker", namespace: brokerNamespaceOf(trigger), name: brokerNameOf(trigger) }),
    filter: {
      ...(filter?.attributes ? { attributes: filter.attributes } : {}),
      ...(filters ? { filters: filters as NonNullable<FilterSet["filters"]> } : {}),
    },
    ...(subscriber.kind === "resolved" && isReady ? { subscriber: sentBy(subscriber.target, identity.as) } : {}),
    reply: "stream",
    ...(deadLetter.target ? { deadLetter: sentBy(deadLetter.target, identity.as) } : {}),
    delivery: deliveryOptions(effectiveDelivery(delivery, broker)),
    ...controls(trigger),
  };
}

/** A Trigger's delivery replaces its Broker's as a whole; only the dead letter sink falls back by itself. */
const effectiveDelivery = (own: DeliverySpec | undefined, broker: Broker | undefined): DeliverySpec | undefined =>
  own ?? broker?.spec.delivery;

export interface SubscriptionTargets {
  readonly stream: StreamKey;
  readonly subscriber?: EventTarget;
  readonly reply?: EventTarget;
  readonly deadLetter?: EventTarget;
  /** The Subscription's own, or else its channel's. */
  readonly delivery?: DeliverySpec;
}

export function makeSubscriptionConsumer(
  subscription: Subscription,
  { stream, subscriber, reply, deadLetter, delivery }: SubscriptionTargets,
): ConsumerSpec {
  const { name, namespace = "", uid = "" } = subscription.metadata;
  return {
    key: `subscription/${namespace}/${name}`,
    uid,
    stream,
    ...(subscriber ? { subscriber } : {}),
    ...(reply ? { reply } : {}),
    ...(deadLetter ? { deadLetter } : {}),
    delivery: deliveryOptions(delivery),
    ...controls(subscription),
  };
}

/** What annotations say of how a consumer is to work. */
function controls({ metadata }: KubeObject): Pick<ConsumerSpec, "start" | "paused" | "ordered" | "maxInFlight"> {
  const { annotations = {} } = metadata;
  const start = startOf(annotations[eventingKeys.startAt]);
  const order = annotations[eventingKeys.order] ?? annotations[eventingKeys.kafkaOrder];
  const parallelism = annotations[eventingKeys.parallelism] ?? annotations[eventingKeys.rabbitParallelism];
  return {
    ...(start ? { start } : {}),
    ...(annotations[eventingKeys.paused] === "true" ? { paused: true } : {}),
    ...(order === "ordered" ? { ordered: true } : {}),
    ...(parallelism !== undefined && Number(parallelism) > 0 ? { maxInFlight: Number(parallelism) } : {}),
  };
}

function startOf(text: string | undefined): StartPosition | undefined {
  if (text === undefined) return undefined;
  if (text === "now" || text === "earliest") return { from: text };
  if (text.startsWith("id:")) return { from: "id", id: text.slice("id:".length) };
  const timeMs = parseTime(text);
  return timeMs === undefined ? undefined : { from: "time", timeMs };
}
