import { EventKind, PodKind } from "../../api/core/kinds.ts";
import type { Client } from "../../client/client.ts";
import type { OwnNats } from "../bundle-options.ts";
import { natsName, systemNamespace } from "../names.ts";
import { natsPods } from "../workloads/make-nats.ts";
import { explainPods } from "./explain-pods.ts";
import { StatefulSetKind } from "./object-kinds.ts";
import { untilNothingIsMissing, type Waiting } from "./wait-for-deployment.ts";

const labelSelector = Object.entries(natsPods.matchLabels)
  .map(([key, value]) => `${key}=${value}`)
  .join(",");

/** Resolves when every server of ebb's own NATS is ready. Throws a NotReadyError that says what stands in the way. */
export function waitForNats(client: Client, { servers }: OwnNats, waiting: Waiting): Promise<void> {
  waiting.tell(`waiting for ${natsName}`);
  return untilNothingIsMissing(waiting, natsName, async () => {
    const { status } = await client.get(StatefulSetKind, { namespace: systemNamespace, name: natsName });
    const ready = status?.readyReplicas ?? 0;
    if (ready >= servers) return undefined;
    const [pods, events] = await Promise.all([
      client.list(PodKind, { namespace: systemNamespace, labelSelector }),
      client.list(EventKind, { namespace: systemNamespace, fieldSelector: "type=Warning" }),
    ]);
    return [`${ready} of ${servers} servers are ready`, ...explainPods(pods.items, events.items)];
  });
}
