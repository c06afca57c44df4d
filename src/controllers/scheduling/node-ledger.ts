import type { Node, Pod } from "../../api/core/types.gen.ts";
import { keyOf } from "../../api/meta/object.ts";
import { isPodTerminal } from "../pod-facts.ts";
import { hostPortsOf, type HostPort, type NodeState } from "./node-filters.ts";
import { podRequests } from "./pod-resources.ts";

interface Account {
  readonly requested: Map<string, number>;
  readonly pods: Map<string, Pod>;
  hostPorts: readonly HostPort[];
}

const none: ReadonlyMap<string, Pod> = new Map();

/** What every node has given away, kept current by changes: a decision never adds all pods up again. */
export class NodeLedger {
  readonly #accounts = new Map<string, Account>();
  /** Node of every counted pod, by pod key. */
  readonly #placed = new Map<string, string>();

  /** Counts a pod where its spec or `node` says; a pod that ended takes nothing. Repeats are harmless. */
  put(pod: Pod, node: string | undefined = pod.spec.nodeName): void {
    const key = keyOf(pod.metadata);
    this.remove(key);
    if (!node || isPodTerminal(pod)) return;
    const account = this.#account(node);
    account.pods.set(key, pod);
    for (const [name, amount] of podRequests(pod)) {
      account.requested.set(name, (account.requested.get(name) ?? 0) + amount);
    }
    const ports = hostPortsOf(pod);
    if (ports.length > 0) account.hostPorts = [...account.hostPorts, ...ports];
    this.#placed.set(key, node);
  }

  remove(key: string): void {
    const node = this.#placed.get(key);
    if (node === undefined) return;
    this.#placed.delete(key);
    const account = this.#account(node);
    const pod = account.pods.get(key);
    if (!pod) return;
    account.pods.delete(key);
    for (const [name, amount] of podRequests(pod)) {
      account.requested.set(name, (account.requested.get(name) ?? 0) - amount);
    }
    if (hostPortsOf(pod).length > 0) account.hostPorts = [...account.pods.values()].flatMap(hostPortsOf);
    if (account.pods.size === 0) this.#accounts.delete(node);
  }

  state(node: Node): NodeState {
    const account = this.#accounts.get(node.metadata.name);
    return {
      node,
      requested: account?.requested ?? new Map(),
      podCount: account?.pods.size ?? 0,
      pods: { [Symbol.iterator]: () => (account?.pods ?? none).values() },
      hostPorts: account?.hostPorts ?? [],
    };
  }

  #account(node: string): Account {
    let account = this.#accounts.get(node);
    if (!account) this.#accounts.set(node, (account = { requested: new Map(), pods: new Map(), hostPorts: [] }));
    return account;
  }
}
