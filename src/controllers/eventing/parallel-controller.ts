/**
 * Parallel: a channel in front, and per branch a Subscription to its filter, a channel behind it and a Subscription to
 * its subscriber (eventing pkg/reconciler/parallel). A branch without a filter takes from the channel in front.
 */
import { ParallelKind } from "../../api/flows/kinds.ts";
import type { Parallel, ParallelBranch, ParallelBranchStatus } from "../../api/flows/types.gen.ts";
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
import { policiesOf } from "./policies.ts";
import { observedOf } from "./status-parts.ts";

const conditions = ["ChannelsReady", "SubscriptionsReady", "Addressable", "EventPoliciesReady"] as const;

export function parallelController(deps: EventingDeps): ControllerSpec {
  const parallels = deps.informers.of(ParallelKind);
  return {
    name: "eventing-parallel",
    watches: flowWatches(ParallelKind, parallels),
    async reconcile(key) {
      const parallel = parallels.get(key);
      if (!parallel || parallel.metadata.deletionTimestamp) return;
      return observing(deps, ParallelKind, parallel, () => reconcileParallel(deps, parallel));
    },
  };
}

async function reconcileParallel(deps: EventingDeps, parallel: Parallel): Promise<void> {
  const { channelTemplate: template } = parallel.spec;
  const policies = policiesOf(deps, ParallelKind, parallel);
  const channelKind = channelKindOf(template);
  if (!template || !channelKind) {
    const unsupported = unsupportedChannel(template);
    const verdicts = { ChannelsReady: unsupported, Addressable: unsupported, EventPoliciesReady: policies.verdict };
    return writeStatus(deps, ParallelKind, parallel, {
      ...observedOf(parallel),
      conditions: conditionsOf(parallel, verdicts, deps.clock.now()),
    });
  }
  const flow: Flow = { kind: ParallelKind, object: parallel, channelKind, template };
  const front = await ensureChannel(deps, flow, childName(parallel.metadata.name, "-kn-parallel"));
  const branches: Branch[] = [];
  for (const [i, branch] of (parallel.spec.branches ?? []).entries())
    branches.push(await ensureBranch(deps, flow, { branch, front, index: i, parallel }));
  const channels = [front, ...branches.map(({ channel }) => channel)];
  const subscriptions = branches.flatMap(({ filter, subscriber }) => [filter, subscriber]);
  const nameOf = ({ metadata }: FlowChannel | Subscription): string => metadata.name;
  await removeOthers(deps, flow, {
    channels: new Set(channels.map(nameOf)),
    subscriptions: new Set(subscriptions.map(nameOf)),
  });
  const { address } = front.status ?? {};
  const verdicts = flowVerdicts({ channels, subscriptions }, policies);
  await writeStatus(deps, ParallelKind, parallel, {
    ...observedOf(parallel),
    conditions: conditionsOf(parallel, verdicts, deps.clock.now()),
    ...(address ? { address } : {}),
    ...flowAuth(subscriptions),
    ...policies.status,
    ingressChannelStatus: { channel: objectReference(channelKind, front), ready: readyOf(front) },
    branchStatuses: branches.map((branch) => branchStatus(flow, branch)),
  });
}

interface Branch {
  readonly channel: FlowChannel;
  readonly filter: Subscription;
  readonly subscriber: Subscription;
}

interface BranchPlan {
  readonly branch: ParallelBranch;
  readonly front: FlowChannel;
  readonly index: number;
  readonly parallel: Parallel;
}

/** Without a filter the first Subscription hands everything on to the branch's channel, as upstream's does. */
async function ensureBranch(
  deps: EventingDeps,
  flow: Flow,
  { branch, front, index, parallel }: BranchPlan,
): Promise<Branch> {
  const { name } = parallel.metadata;
  const channelName = childName(name, `-kn-parallel-${index}`);
  const channel = await ensureChannel(deps, flow, channelName);
  const behind = toChannel(flow, channelName);
  const filter = await ensureSubscription(deps, flow, {
    name: childName(name, `-kn-parallel-filter-${index}`),
    channel: front.metadata.name,
    subscriber: branch.filter ?? behind,
    ...(branch.filter ? { reply: behind } : {}),
  });
  const reply = branch.reply ?? parallel.spec.reply;
  const subscriber = await ensureSubscription(deps, flow, {
    name: channelName,
    channel: channelName,
    subscriber: branch.subscriber,
    ...(reply ? { reply } : {}),
    ...(branch.delivery ? { delivery: branch.delivery } : {}),
  });
  return { channel, filter, subscriber };
}

const branchStatus = ({ channelKind }: Flow, { channel, filter, subscriber }: Branch): ParallelBranchStatus => ({
  filterSubscriptionStatus: { subscription: objectReference(SubscriptionKind, filter), ready: readyOf(filter) },
  filterChannelStatus: { channel: objectReference(channelKind, channel), ready: readyOf(channel) },
  subscriberSubscriptionStatus: {
    subscription: objectReference(SubscriptionKind, subscriber),
    ready: readyOf(subscriber),
  },
});

const conditionsOf = ({ status }: Parallel, verdicts: Verdicts, now: number) =>
  nextConditions({ dependents: conditions, info: [] }, status?.conditions, verdicts, now);
