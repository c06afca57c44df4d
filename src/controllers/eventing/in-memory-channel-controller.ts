/** InMemoryChannel: a stream of the log (eventing pkg/reconciler/inmemorychannel). Subscriptions are its consumers. */
import { ServiceKind } from "../../api/core/kinds.ts";
import type { Service } from "../../api/core/types.gen.ts";
import { streamKeyOf } from "../../api/eventing/engine.ts";
import type { SubscriberStatus } from "../../api/eventing/types-duck.gen.ts";
import { InMemoryChannelKind } from "../../api/messaging/kinds.ts";
import type { InMemoryChannel } from "../../api/messaging/types.gen.ts";
import { keyOf, type Draft } from "../../api/meta/object.ts";
import { controllerReference } from "../../api/meta/owner.ts";
import { nextConditions, type Verdicts } from "../../api/serving/conditions.ts";
import { retentionOf } from "../../api/eventing/retention.ts";
import type { ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import { selfKey, watching } from "../../client/keys.ts";
import { ownFacts, whenChanged } from "../serving/when-changed.ts";
import { createOrGet, observing, writeStatus } from "../serving/write.ts";
import { watchAddresses } from "./addresses.ts";
import { followLog, logVerdict, openStream } from "./broker-controller.ts";
import type { EventingDeps } from "./deps.ts";
import { addFinalizer, dropFinalizer } from "./finalizer.ts";
import { policiesOf, watchPolicies } from "./policies.ts";
import { addressOf, askAgainMs, deadLetterOf, observedOf } from "./status-parts.ts";

const finalizer = "inmemorychannels.messaging.knative.dev";
const conditions = [
  "DispatcherReady",
  "ServiceReady",
  "EndpointsReady",
  "ChannelServiceReady",
  "Addressable",
  "DeadLetterSinkResolved",
  "EventPoliciesReady",
] as const;

export function inMemoryChannelController(deps: EventingDeps): ControllerSpec {
  const channels = deps.informers.of(InMemoryChannelKind);
  return {
    name: "eventing-in-memory-channel",
    watches: [
      watching(InMemoryChannelKind, whenChanged(ownFacts, selfKey)),
      ...watchPolicies(channels),
      ...watchAddresses(channels, "eventing-imc-dead-letter", ({ spec }) => [spec.delivery?.deadLetterSink]),
    ],
    onStart: followLog(deps, () => channels.list().map(({ metadata }) => keyOf(metadata))),
    async reconcile(key) {
      const channel = channels.get(key);
      if (!channel) return;
      if (channel.metadata.deletionTimestamp) return release(deps, channel);
      return observing(deps, InMemoryChannelKind, channel, () => reconcileChannel(deps, channel));
    },
  };
}

async function release({ client, engine }: EventingDeps, channel: InMemoryChannel): Promise<void> {
  const { name, namespace = "", uid = "" } = channel.metadata;
  await engine.removeStream(streamKeyOf({ kind: "channel", namespace, name }), uid);
  await dropFinalizer(client, InMemoryChannelKind, channel, finalizer);
}

async function reconcileChannel(deps: EventingDeps, channel: InMemoryChannel): Promise<ReconcileResult | void> {
  const { name, namespace = "", uid = "" } = channel.metadata;
  await addFinalizer(deps.client, InMemoryChannelKind, channel, finalizer);
  const deadLetter = deadLetterOf(deps, channel.spec.delivery, namespace);
  const policies = policiesOf(deps, InMemoryChannelKind, channel);
  const { access } = policies;
  const retention = retentionOf(channel.metadata);
  const limits = retention === undefined ? {} : { retention };
  const stream = await openStream(deps, {
    kind: "channel",
    namespace,
    name,
    uid,
    ...(access ? { access } : {}),
    ...limits,
  });
  await makeService(deps, channel);
  const opened = logVerdict(deps, stream);
  const verdicts: Verdicts = {
    ...Object.fromEntries(conditions.map((type) => [type, opened])),
    DeadLetterSinkResolved: deadLetter.verdict,
    EventPoliciesReady: policies.verdict,
  };
  const subscribers = (channel.spec.subscribers ?? []).map(({ uid: subscriber, generation }): SubscriberStatus => ({
    ...(subscriber === undefined ? {} : { uid: subscriber }),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ready: "True",
  }));
  const set = { dependents: conditions, info: [] };
  await writeStatus(deps, InMemoryChannelKind, channel, {
    ...observedOf(channel),
    conditions: nextConditions(set, channel.status?.conditions, verdicts, deps.clock.now()),
    ...("failure" in stream ? {} : { address: addressOf(stream.url, access?.audience) }),
    ...(subscribers.length > 0 ? { subscribers } : {}),
    ...deadLetter.status,
    ...policies.status,
  });
  if ("failure" in stream || deadLetter.retry) return { requeueAfterMs: askAgainMs };
}

/** A channel has a host of its own, which leads to where all channels are. */
async function makeService({ client, informers, channelsAt }: EventingDeps, channel: InMemoryChannel): Promise<void> {
  if (channelsAt === undefined) return;
  const { name, namespace = "" } = channel.metadata;
  if (informers.of(ServiceKind).get(`${namespace}/${name}-kn-channel`)) return;
  const ownerReferences = [controllerReference(InMemoryChannelKind, channel)];
  const ports = [{ name: "http", port: 80, protocol: "TCP" }];
  await createOrGet(client, ServiceKind, {
    metadata: { name: `${name}-kn-channel`, namespace, ownerReferences },
    spec: { type: "ExternalName", externalName: channelsAt, sessionAffinity: "None", ports },
  } as Draft<Service>);
}
