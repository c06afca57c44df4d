import { LeaseKind } from "../../api/coordination/kinds.ts";
import type { Lease } from "../../api/coordination/types.gen.ts";
import { NamespaceKind, NodeKind } from "../../api/core/kinds.ts";
import type { Node } from "../../api/core/types.gen.ts";
import { isAlreadyExists, isNotFound } from "../../api/meta/errors.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../client/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { makeNode, makeNodeStatus, type MachineFacts } from "./node-object.ts";

/** As the kubelet: a lease of 40 s renewed every 10, the Node's status every 5 minutes and when it changes. */
const leaseSeconds = 40;
const renewMs = 10_000;
const statusEveryRenewals = 30;
const leaseNamespace = "kube-node-lease";

export interface RegistrationDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Keeps the Node there and known to be alive. */
export interface Registration {
  /** Resolves when the Node exists and is Ready. */
  start(): Promise<void>;
  /** Stops renewing and says that the node takes no pods. */
  close(): Promise<void>;
}

export function createRegistration(deps: RegistrationDeps, facts: MachineFacts): Registration {
  const { client, clock, log } = deps;
  let cancel: (() => void) | undefined;
  let renewals = 0;
  let closed = false;

  async function register(): Promise<Node> {
    try {
      return await client.create(NodeKind, makeNode(facts));
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const { metadata } = makeNode(facts);
      const body = { metadata: { labels: metadata.labels } };
      return await client.patch(NodeKind, { name: facts.name }, { type: "merge", body });
    }
  }

  async function writeStatus(node: Node, ready: boolean): Promise<void> {
    const now = `${new Date(clock.now()).toISOString().slice(0, 19)}Z`;
    const status = makeNodeStatus(facts, node.status?.conditions ?? [], { now, ready });
    const body = { status: status as unknown as Record<string, unknown> };
    await client.patch(NodeKind, { name: facts.name }, { type: "strategic", body }, { subresource: "status" });
  }

  async function renewLease(): Promise<void> {
    const key = { namespace: leaseNamespace, name: facts.name };
    const renewTime = `${new Date(clock.now()).toISOString().slice(0, -1)}000Z`;
    const spec = { holderIdentity: facts.name, leaseDurationSeconds: leaseSeconds, renewTime };
    try {
      await client.patch(LeaseKind, key, { type: "merge", body: { spec } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      await createLease(spec);
    }
  }

  async function createLease(spec: Lease["spec"]): Promise<void> {
    const { uid } = (await client.get(NodeKind, { name: facts.name })).metadata;
    await client.create(NamespaceKind, { metadata: { name: leaseNamespace } }).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error;
    });
    const owner = { apiVersion: "v1", kind: "Node", name: facts.name, uid: uid ?? "" };
    const metadata = { name: facts.name, namespace: leaseNamespace, ownerReferences: [owner] };
    await client.create(LeaseKind, { metadata, spec });
  }

  async function beat(): Promise<void> {
    try {
      await renewLease();
      renewals += 1;
      if (renewals % statusEveryRenewals === 0) {
        await writeStatus(await client.get(NodeKind, { name: facts.name }), true);
      }
    } catch (error) {
      if (isNotFound(error)) await register().catch(() => undefined);
      log.warn("node heartbeat failed, trying again", { err: error });
    }
    if (!closed) cancel = clock.after(renewMs, () => void beat());
  }

  return {
    async start() {
      await writeStatus(await register(), true);
      await beat();
    },
    async close() {
      closed = true;
      cancel?.();
      try {
        await writeStatus(await client.get(NodeKind, { name: facts.name }), false);
      } catch (error) {
        log.debug("node could not be marked as stopping", { err: error });
      }
    },
  };
}
