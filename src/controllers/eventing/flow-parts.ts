/** Channels and Subscriptions that Sequences and Parallels are made of. */
import type { ObjectReference } from "../../api/core/types.gen.ts";
import type { AuthStatus, ChannelTemplateSpec, DeliverySpec, Destination } from "../../api/eventing/types-duck.gen.ts";
import { ChannelKind, InMemoryChannelKind, SubscriptionKind } from "../../api/messaging/kinds.ts";
import type { Channel, InMemoryChannel, Subscription } from "../../api/messaging/types.gen.ts";
import { apiVersionOf, type Kind } from "../../api/meta/kind.ts";
import type { Draft, KubeObject } from "../../api/meta/object.ts";
import { controllerReference, isControlledBy } from "../../api/meta/owner.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import { conditionOf, isTrue, isUnknown, type Verdict, type Verdicts } from "../../api/serving/conditions.ts";
import type { Condition } from "../../api/serving/types.gen.ts";
import type { WatchRule } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { controllerKey, selfKey, watching } from "../../client/keys.ts";
import { ownFacts, whenChanged } from "../serving/when-changed.ts";
import { covers, createOrGet } from "../serving/write.ts";
import { groupOf } from "./addresses.ts";
import type { EventingDeps } from "./deps.ts";
import { watchPolicies, type PolicyFacts } from "./policies.ts";

export type FlowChannel = Channel | InMemoryChannel;

/** The kind of channels a template asks for; undefined when it is not served here. */
export function channelKindOf(template: ChannelTemplateSpec | undefined): Kind<FlowChannel> | undefined {
  if (groupOf(template?.apiVersion ?? "") !== ChannelKind.group) return undefined;
  if (template?.kind === InMemoryChannelKind.kind) return InMemoryChannelKind as Kind<FlowChannel>;
  return template?.kind === ChannelKind.kind ? (ChannelKind as Kind<FlowChannel>) : undefined;
}

export interface Flow {
  readonly kind: Kind;
  readonly object: KubeObject;
  readonly channelKind: Kind<FlowChannel>;
  readonly template: ChannelTemplateSpec;
}

export async function ensureChannel(
  { client, informers }: EventingDeps,
  flow: Flow,
  name: string,
): Promise<FlowChannel> {
  const { namespace = "" } = flow.object.metadata;
  const known = informers.of(flow.channelKind).get(`${namespace}/${name}`);
  if (known) return known;
  const metadata = { name, namespace, ownerReferences: [controllerReference(flow.kind, flow.object)] };
  return createOrGet(client, flow.channelKind, { metadata, spec: { ...flow.template.spec } } as Draft<FlowChannel>);
}

export interface FlowSubscription {
  readonly name: string;
  readonly channel: string;
  readonly subscriber: Destination;
  readonly reply?: Destination;
  readonly delivery?: DeliverySpec;
}

export async function ensureSubscription(
  { client, informers }: EventingDeps,
  flow: Flow,
  { name, channel, ...spec }: FlowSubscription,
): Promise<Subscription> {
  const { namespace = "" } = flow.object.metadata;
  const wanted = {
    channel: { apiVersion: apiVersionOf(flow.channelKind), kind: flow.channelKind.kind, name: channel },
    ...spec,
  };
  const metadata = { name, namespace, ownerReferences: [controllerReference(flow.kind, flow.object)] };
  const known = informers.of(SubscriptionKind).get(`${namespace}/${name}`);
  const have = known ?? (await createOrGet(client, SubscriptionKind, { metadata, spec: wanted }));
  if (!isControlledBy(have, flow.object)) return have;
  const same = covers(have.spec, wanted) && Boolean(have.spec.reply) === Boolean(wanted.reply);
  const sameDelivery = Boolean(have.spec.delivery) === Boolean(wanted.delivery);
  return same && sameDelivery ? have : client.update(SubscriptionKind, { ...have, spec: wanted });
}

/** Where a channel of the flow takes events, as a destination. */
export const toChannel = ({ channelKind, object }: Flow, name: string): Destination => ({
  ref: {
    apiVersion: apiVersionOf(channelKind),
    kind: channelKind.kind,
    name,
    ...(object.metadata.namespace ? { namespace: object.metadata.namespace } : {}),
  },
});

/** Takes away what the flow made before and does not need any more: steps and branches that were taken out. */
export async function removeOthers(
  { client, informers }: EventingDeps,
  { object, channelKind }: Flow,
  wanted: { readonly channels: ReadonlySet<string>; readonly subscriptions: ReadonlySet<string> },
): Promise<void> {
  const { namespace = "" } = object.metadata;
  const remove = async <T extends KubeObject>(kind: Kind<T>, keep: ReadonlySet<string>): Promise<void> => {
    for (const one of informers.of(kind).list(namespace)) {
      if (!isControlledBy(one, object) || keep.has(one.metadata.name)) continue;
      await client.delete(kind, { namespace, name: one.metadata.name }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    }
  };
  await remove(SubscriptionKind, wanted.subscriptions);
  await remove(channelKind, wanted.channels);
}

interface Judged extends KubeObject {
  readonly status?: { readonly conditions?: readonly Condition[] };
}

export const readyOf = (object: Judged): Condition =>
  conditionOf(object, "Ready") ?? {
    type: "Ready",
    status: "Unknown",
    reason: "NoReady",
    message: "not yet reconciled",
  };

/** The flow itself, and all that it is made of. */
export const flowWatches = <T extends KubeObject>(kind: Kind<T>, informer: Informer<T>): readonly WatchRule[] => [
  ...watchPolicies(informer),
  watching(kind, whenChanged(ownFacts, selfKey)),
  watching(ChannelKind, controllerKey(kind)),
  watching(InMemoryChannelKind, controllerKey(kind)),
  watching(SubscriptionKind, controllerKey(kind)),
];

interface FlowObjects {
  readonly channels: readonly FlowChannel[];
  readonly subscriptions: readonly Subscription[];
}

/** As whom a flow sends: as its Subscriptions do. */
export function flowAuth(subscriptions: readonly Subscription[]): { readonly auth?: AuthStatus } {
  const names = subscriptions.flatMap(({ status }) => status?.auth?.serviceAccountName ?? []);
  return names.length > 0 ? { auth: { serviceAccountNames: names } } : {};
}

/** What its parts say of a flow whose events go in at the first channel. */
export const flowVerdicts = ({ channels, subscriptions }: FlowObjects, policies: PolicyFacts): Verdicts => ({
  ChannelsReady: allReady(channels, "ChannelsNotReady"),
  SubscriptionsReady: allReady(subscriptions, "SubscriptionsNotReady"),
  Addressable: channels[0]?.status?.address ? isTrue : isUnknown("emptyAddress", "addressable is nil"),
  EventPoliciesReady: policies.verdict,
});

/** Unknown, not False, while parts are not ready: they may become so. */
function allReady(objects: readonly Judged[], reason: string): Verdict {
  const waiting = objects.filter((object) => readyOf(object).status !== "True");
  if (waiting.length === 0) return { status: "True" };
  const names = waiting.map(({ metadata }) => metadata.name).join(", ");
  return { status: "Unknown", reason, message: `not ready: ${names}` };
}

export const objectReference = (kind: Kind, { metadata }: KubeObject): ObjectReference => ({
  apiVersion: apiVersionOf(kind),
  kind: kind.kind,
  name: metadata.name,
  ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
});
