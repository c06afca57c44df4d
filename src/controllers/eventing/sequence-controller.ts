/** Sequence: a channel and a Subscription per step, each replying to the next (eventing pkg/reconciler/sequence). */
import { SequenceKind } from "../../api/flows/kinds.ts";
import type { Sequence } from "../../api/flows/types.gen.ts";
import { SubscriptionKind } from "../../api/messaging/kinds.ts";
import type { Subscription } from "../../api/messaging/types.gen.ts";
import { childName } from "../../api/serving/child-name.ts";
import { nextConditions, type Verdicts } from "../../api/serving/conditions.ts";
import type { ControllerSpec } from "../../client/controller.ts";
import { observing, writeStatus } from "../serving/write.ts";
import { unsupportedChannel } from "./channel-controller.ts";
import type { EventingDeps } from "./deps.ts";
import {
  channelKindOf,
  ensureChannel,
  ensureSubscription,
  flowAuth,
  flowVerdicts,
  flowWatches,
  objectReference,
  readyOf,
  removeOthers,
  toChannel,
  type Flow,
  type FlowChannel,
} from "./flow-parts.ts";
import { policiesOf, type PolicyFacts } from "./policies.ts";
import { observedOf } from "./status-parts.ts";

const conditions = ["ChannelsReady", "SubscriptionsReady", "Addressable", "EventPoliciesReady"] as const;

/** Name of a step's channel and Subscription. */
export const stepName = (sequence: string, step: number): string => childName(sequence, `-kn-sequence-${step}`);

export function sequenceController(deps: EventingDeps): ControllerSpec {
  const sequences = deps.informers.of(SequenceKind);
  return {
    name: "eventing-sequence",
    watches: flowWatches(SequenceKind, sequences),
    async reconcile(key) {
      const sequence = sequences.get(key);
      if (!sequence || sequence.metadata.deletionTimestamp) return;
      return observing(deps, SequenceKind, sequence, () => reconcileSequence(deps, sequence));
    },
  };
}

async function reconcileSequence(deps: EventingDeps, sequence: Sequence): Promise<void> {
  const { channelTemplate: template } = sequence.spec;
  const policies = policiesOf(deps, SequenceKind, sequence);
  const channelKind = channelKindOf(template);
  if (!template || !channelKind) {
    const unsupported = unsupportedChannel(template);
    const verdicts = { ChannelsReady: unsupported, Addressable: unsupported, EventPoliciesReady: policies.verdict };
    return writeStatus(deps, SequenceKind, sequence, {
      ...observedOf(sequence),
      conditions: conditionsOf(sequence, verdicts, deps.clock.now()),
    });
  }
  const flow: Flow = { kind: SequenceKind, object: sequence, channelKind, template };
  const parts = await ensureSteps(deps, flow, sequence);
  await writeStatus(
    deps,
    SequenceKind,
    sequence,
    sequenceStatus(sequence, flow, { ...parts, policies }, deps.clock.now()),
  );
}

interface Steps {
  readonly channels: readonly FlowChannel[];
  readonly subscriptions: readonly Subscription[];
}

async function ensureSteps(deps: EventingDeps, flow: Flow, { metadata, spec }: Sequence): Promise<Steps> {
  const steps = spec.steps ?? [];
  const names = steps.map((_, step) => stepName(metadata.name, step));
  const channels: FlowChannel[] = [];
  for (const name of names) channels.push(await ensureChannel(deps, flow, name));
  const subscriptions: Subscription[] = [];
  for (const [i, { delivery, ...subscriber }] of steps.entries()) {
    const [name = "", next] = [names[i], names[i + 1]];
    const reply = next === undefined ? spec.reply : toChannel(flow, next);
    subscriptions.push(
      await ensureSubscription(deps, flow, {
        name,
        channel: name,
        subscriber,
        ...(reply ? { reply } : {}),
        ...(delivery ? { delivery } : {}),
      }),
    );
  }
  await removeOthers(deps, flow, { channels: new Set(names), subscriptions: new Set(names) });
  return { channels, subscriptions };
}

function sequenceStatus(
  sequence: Sequence,
  flow: Flow,
  { channels, subscriptions, policies }: Steps & { readonly policies: PolicyFacts },
  now: number,
): NonNullable<Sequence["status"]> {
  const address = channels[0]?.status?.address;
  const verdicts = flowVerdicts({ channels, subscriptions }, policies);
  return {
    ...observedOf(sequence),
    conditions: conditionsOf(sequence, verdicts, now),
    ...(address ? { address } : {}),
    ...flowAuth(subscriptions),
    ...policies.status,
    channelStatuses: channels.map((channel) => ({
      channel: objectReference(flow.channelKind, channel),
      ready: readyOf(channel),
    })),
    subscriptionStatuses: subscriptions.map((subscription) => ({
      subscription: objectReference(SubscriptionKind, subscription),
      ready: readyOf(subscription),
    })),
  };
}

const conditionsOf = ({ status }: Sequence, verdicts: Verdicts, now: number) =>
  nextConditions({ dependents: conditions, info: [] }, status?.conditions, verdicts, now);
