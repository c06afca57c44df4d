/** Channel, InMemoryChannel and Subscription as the API server serves them (eventing pkg/apis/messaging/v1). */
import { addressColumn, ageAndReady, eventingKindFacts } from "../eventing/columns.ts";
import { channelTemplateFor } from "../eventing/config-defaults.ts";
import { checkDelivery, defaultDelivery } from "../eventing/delivery.ts";
import { checkDestination, checkReference, defaultDestination, isEmptyDestination } from "../eventing/destination.ts";
import { featuresOf, type EventingFeatures } from "../eventing/features.ts";
import { checkUnchangedSpec } from "../eventing/immutable.ts";
import { eventingKeys } from "../eventing/keys.ts";
import type { ChannelTemplateSpec, KReference, SubscriberSpec } from "../eventing/types-duck.gen.ts";
import { nameColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import type { KubeObject, Mutable } from "../meta/object.ts";
import { fillStructs } from "../serving/go-structs.ts";
import {
  disallowedField,
  each,
  invalidValue,
  missingField,
  problem,
  toFieldErrors,
  within,
  type Problems,
} from "../serving/problems.ts";
import { stampUser } from "../serving/user-info.ts";
import { schemaOf } from "../schemas.ts";
import { ChannelKind, InMemoryChannelKind, SubscriptionKind } from "./kinds.ts";
import type { Channel, InMemoryChannel, Subscription } from "./types.gen.ts";

export const channelDefinition: KindDefinition<Channel> = {
  ...eventingKindFacts,
  kind: ChannelKind,
  schema: () => schemaOf("messaging.v1.Channel"),
  columns: [nameColumn, addressColumn, ...ageAndReady],
  prepare: (channel, old, context) => {
    fillStructs(channel, "spec");
    const { namespace } = channel.metadata;
    markSubscribable(channel);
    const template = channelTemplateFor(namespace, context);
    if (template) channel.spec.channelTemplate ??= structuredClone(template) as Mutable<ChannelTemplateSpec>;
    defaultDelivery(channel.spec.delivery, namespace);
    stampUser<Channel>(channel, old, { ...context, group: ChannelKind.group });
  },
  validate: ({ metadata, spec }, old, context) =>
    toFieldErrors([
      ...within("spec", checkTemplate(spec.channelTemplate)),
      // A Channel's subscribers are its backing channel's; upstream says "subscribable" for the place.
      ...((spec.subscribers ?? []).length > 0 ? [disallowedField("spec.subscribable.subscribers")] : []),
      ...within("spec.delivery", checkDelivery(spec.delivery, featuresOf(context), metadata.namespace)),
      ...(old ? checkUnchangedSpec(old.spec, spec, ["subscribers"]) : []),
    ]),
};

export const inMemoryChannelDefinition: KindDefinition<InMemoryChannel> = {
  ...eventingKindFacts,
  kind: InMemoryChannelKind,
  schema: () => schemaOf("messaging.v1.InMemoryChannel"),
  columns: [nameColumn, addressColumn, ...ageAndReady],
  prepare: (channel, old, context) => {
    fillStructs(channel, "spec");
    markSubscribable(channel);
    defaultDelivery(channel.spec.delivery, channel.metadata.namespace);
    stampUser<InMemoryChannel>(channel, old, { ...context, group: InMemoryChannelKind.group });
  },
  validate: ({ metadata, spec }, _old, context) => {
    const scope = metadata.annotations?.[eventingKeys.scope];
    const isScope = scope === undefined || scope === "cluster" || scope === "namespace";
    return toFieldErrors([
      ...within("spec.subscribable", each("subscriber", spec.subscribers, checkSubscriber)),
      ...within("spec.delivery", checkDelivery(spec.delivery, featuresOf(context))),
      ...(isScope
        ? []
        : within(`metadata.annotations[${eventingKeys.scope}]`, [
            invalidValue(scope, "", "expected either 'cluster' or 'namespace'"),
          ])),
    ]);
  },
};

export const subscriptionDefinition: KindDefinition<Subscription> = {
  ...eventingKindFacts,
  kind: SubscriptionKind,
  schema: () => schemaOf("messaging.v1.Subscription"),
  columns: [nameColumn, ...ageAndReady],
  prepare: (subscription, old, context) => {
    fillStructs(subscription, "spec.channel");
    const { metadata, spec } = subscription;
    defaultDestination(spec.subscriber, metadata.namespace);
    defaultDestination(spec.reply, metadata.namespace);
    defaultDelivery(spec.delivery, metadata.namespace);
    stampUser<Subscription>(subscription, old, { ...context, group: SubscriptionKind.group });
  },
  validate: ({ spec }, old, context) => {
    const features = featuresOf(context);
    const isEmpty = Object.values(spec.channel).every((value) => !value);
    if (isEmpty)
      return toFieldErrors([
        problem(missingField().message, ["spec.channel"], "the Subscription must reference a channel"),
      ]);
    return toFieldErrors([
      ...within("spec.channel", checkChannel(spec.channel, features)),
      ...(isEmptyDestination(spec.subscriber)
        ? [problem(missingField().message, ["spec.subscriber"], "the Subscription must reference a subscriber")]
        : within("spec.subscriber", checkDestination(spec.subscriber))),
      ...(isEmptyDestination(spec.reply) ? [] : within("spec.reply", checkDestination(spec.reply))),
      ...within("spec.delivery", checkDelivery(spec.delivery, features)),
      ...(old ? checkUnchangedSpec(old.spec, spec, ["subscriber", "reply", "delivery"]) : []),
    ]);
  },
};

function markSubscribable(channel: Mutable<KubeObject>): void {
  const { metadata } = channel;
  if (metadata.annotations?.[eventingKeys.subscribable] !== undefined) return;
  metadata.annotations = { ...metadata.annotations, [eventingKeys.subscribable]: "v1" };
}

/** A template of channels needs to say of which kind. */
export function checkTemplate(template: ChannelTemplateSpec | undefined): Problems {
  if (!template) return [missingField("channelTemplate")];
  const missing = (["kind", "apiVersion"] as const).filter((field) => !template[field]);
  return missing.map((field) => missingField(`channelTemplate.${field}`));
}

function checkSubscriber({ replyUri, subscriberUri }: SubscriberSpec): Problems {
  if (replyUri || subscriberUri) return [];
  return [problem(missingField().message, ["replyURI", "subscriberURI"], "expected at least one of, got none")];
}

function checkChannel(channel: KReference, features: EventingFeatures): Problems {
  const details =
    "only name, apiVersion and kind are supported fields when feature.CrossNamespaceEventLinks is disabled";
  const isForeign = channel.namespace && !features.crossNamespaceEventLinks;
  return [
    ...checkReference(channel),
    ...(isForeign ? [problem(disallowedField().message, ["namespace"], details)] : []),
  ];
}
