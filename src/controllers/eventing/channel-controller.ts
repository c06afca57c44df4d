/** Channel: a channel of the kind its template names, and its address (eventing pkg/reconciler/channel). */
import type { ChannelTemplateSpec } from "../../api/eventing/types-duck.gen.ts";
import { ChannelKind, InMemoryChannelKind } from "../../api/messaging/kinds.ts";
import type { Channel, InMemoryChannel } from "../../api/messaging/types.gen.ts";
import { apiVersionOf } from "../../api/meta/kind.ts";
import { controllerReference, isControlledBy } from "../../api/meta/owner.ts";
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
import { controllerKey, selfKey, watching } from "../../client/keys.ts";
import { ownFacts, whenChanged } from "../serving/when-changed.ts";
import { createOrGet, lookAgain, observing, writeStatus } from "../serving/write.ts";
import { groupOf, watchAddresses } from "./addresses.ts";
import type { EventingDeps } from "./deps.ts";
import { policiesOf, watchPolicies } from "./policies.ts";
import { deadLetterOf, observedOf } from "./status-parts.ts";

const conditions = ["BackingChannelReady", "Addressable", "DeadLetterSinkResolved", "EventPoliciesReady"] as const;

/** Whether the template asks for the one kind of channel there is here. */
export const isInMemory = (template: ChannelTemplateSpec | undefined): boolean =>
  template?.kind === InMemoryChannelKind.kind && groupOf(template.apiVersion ?? "") === InMemoryChannelKind.group;

/** Said where a template names another kind. */
export const unsupportedChannel = (template: ChannelTemplateSpec | undefined): Verdict =>
  isFalse(
    "ChannelTemplateUnsupported",
    `no ${template?.kind} of ${template?.apiVersion} is served here: use InMemoryChannel of messaging.knative.dev/v1, which is durable`,
  );

export function channelController(deps: EventingDeps): ControllerSpec {
  const channels = deps.informers.of(ChannelKind);
  return {
    name: "eventing-channel",
    watches: [
      watching(ChannelKind, whenChanged(ownFacts, selfKey)),
      watching(InMemoryChannelKind, controllerKey(ChannelKind)),
      ...watchPolicies(channels),
      ...watchAddresses(channels, "eventing-channel-dead-letter", ({ spec }) => [spec.delivery?.deadLetterSink]),
    ],
    async reconcile(key) {
      const channel = channels.get(key);
      if (!channel || channel.metadata.deletionTimestamp) return;
      return observing(deps, ChannelKind, channel, () => reconcileChannel(deps, channel));
    },
  };
}

async function reconcileChannel(deps: EventingDeps, channel: Channel): Promise<ReconcileResult | void> {
  const { namespace = "" } = channel.metadata;
  const deadLetter = deadLetterOf(deps, channel.spec.delivery, namespace);
  const policies = policiesOf(deps, ChannelKind, channel);
  const backing = isInMemory(channel.spec.channelTemplate) ? await backingChannel(deps, channel) : undefined;
  const owned = backing && isControlledBy(backing, channel);
  const ready = backing && conditionOf(backing, "Ready");
  const address = owned ? backing.status?.address : undefined;
  const verdicts: Verdicts = {
    BackingChannelReady: backing
      ? owned
        ? ready
          ? verdictOf(ready)
          : isUnknown("BackingChannelNotConfigured", "BackingChannel has not yet been reconciled.")
        : isFalse("NotOwned", `an InMemoryChannel "${backing.metadata.name}" is there that is not this Channel's`)
      : unsupportedChannel(channel.spec.channelTemplate),
    Addressable: address ? isTrue : isUnknown("EmptyHostname", "no address yet"),
    DeadLetterSinkResolved: deadLetter.verdict,
    EventPoliciesReady: policies.verdict,
  };
  const set = { dependents: conditions, info: [] };
  await writeStatus(deps, ChannelKind, channel, {
    ...observedOf(channel),
    conditions: nextConditions(set, channel.status?.conditions, verdicts, deps.clock.now()),
    ...(address ? { address } : {}),
    ...(owned && backing.status?.subscribers ? { subscribers: backing.status.subscribers } : {}),
    ...(owned ? { channel: referenceTo(backing) } : {}),
    ...deadLetter.status,
    ...policies.status,
  });
  if (backing && !owned) return lookAgain;
}

const referenceTo = ({ metadata: { name, namespace } }: InMemoryChannel) => ({
  apiVersion: apiVersionOf(InMemoryChannelKind),
  kind: InMemoryChannelKind.kind,
  name,
  ...(namespace === undefined ? {} : { namespace }),
});

/** The delivery goes along, so that Subscriptions fall back on it. */
async function backingChannel({ client, informers }: EventingDeps, channel: Channel): Promise<InMemoryChannel> {
  const { name, namespace = "" } = channel.metadata;
  const known = informers.of(InMemoryChannelKind).get(`${namespace}/${name}`);
  if (known) return known;
  const { channelTemplate, delivery } = channel.spec;
  return createOrGet(client, InMemoryChannelKind, {
    metadata: { name, namespace, ownerReferences: [controllerReference(ChannelKind, channel)] },
    spec: { ...channelTemplate?.spec, ...(delivery ? { delivery } : {}) },
  });
}
