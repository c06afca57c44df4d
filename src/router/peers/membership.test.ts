import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Membership, type PeerStatement } from "./membership.ts";
import { ownerOf } from "../../client/rendezvous.ts";

const limit = 2;
const keys = ["ns/a", "ns/b", "ns/c"];

/** Routers joined by channels that deliver in order but whenever they like. */
class Network {
  readonly nodes = new Map<string, Node>();
  /** Statements on their way, by `from>to`. */
  readonly channels = new Map<string, PeerStatement[]>();
  /** Killed routers, and who has not noticed yet. */
  readonly unnoticed: { readonly dead: string; readonly by: string }[] = [];
  /** Requests on the instance of a key, all routers together. */
  readonly most = new Map<string, number>();

  start(id: string): void {
    if (this.nodes.has(id)) return;
    const others = [...this.nodes.keys()];
    const node = new Node(id, this, new Set(others));
    this.nodes.set(id, node);
    for (const other of others) node.membership.connected(other);
    node.serveIfKnown();
  }

  send(from: string, to: string, statement: PeerStatement): void {
    if (!this.nodes.has(to)) return;
    const channel = `${from}>${to}`;
    this.channels.set(channel, [...(this.channels.get(channel) ?? []), statement]);
  }

  deliver(pick: number): boolean {
    const full = [...this.channels].filter(([, queue]) => queue.length > 0);
    const [channel, queue] = full[pick % (full.length || 1)] ?? [];
    if (channel === undefined || queue === undefined) return false;
    const [from = "", to = ""] = channel.split(">");
    const statement = queue.shift();
    if (statement !== undefined) this.nodes.get(to)?.hear(from, statement);
    return true;
  }

  kill(id: string): void {
    if (!this.nodes.delete(id)) return;
    for (const other of this.nodes.keys()) this.unnoticed.push({ dead: id, by: other });
  }

  notice(pick: number): boolean {
    const [found] = this.unnoticed.splice(pick % (this.unnoticed.length || 1), 1);
    if (found === undefined) return false;
    // What it said before it died is read before its end is.
    const channel = this.channels.get(`${found.dead}>${found.by}`) ?? [];
    for (const statement of channel.splice(0)) this.nodes.get(found.by)?.hear(found.dead, statement);
    this.nodes.get(found.by)?.lose(found.dead);
    return true;
  }

  inFlight(key: string): number {
    let sum = 0;
    for (const node of this.nodes.values()) sum += node.inFlight.get(key) ?? 0;
    return sum;
  }

  settle(): void {
    while (this.notice(0) || this.deliver(0));
  }
}

class Node {
  readonly membership: Membership;
  readonly inFlight = new Map<string, number>();
  readonly #unheard: Set<string>;

  constructor(id: string, network: Network, unheard: Set<string>) {
    this.#unheard = unheard;
    this.membership = new Membership(id, {
      tell: (peer, statement) => network.send(id, peer, statement),
      carried: () =>
        Object.fromEntries(
          [...this.inFlight].filter(([key, count]) => count > 0 && this.membership.placement(key).at !== "here"),
        ),
      applied: () => "",
      onChange: () => undefined,
    });
  }

  hear(from: string, statement: PeerStatement): void {
    this.membership.hear(from, statement);
    this.#unheard.delete(from);
    this.serveIfKnown();
  }

  lose(id: string): void {
    this.membership.remove(id);
    this.#unheard.delete(id);
    this.serveIfKnown();
  }

  serveIfKnown(): void {
    if (this.#unheard.size === 0 && this.membership.phase === "joining") this.membership.setPhase("serving");
  }

  admit(key: string): void {
    const mine = this.inFlight.get(key) ?? 0;
    if (this.membership.placement(key).at !== "here" || mine + this.membership.carriedOn(key) >= limit) return;
    this.inFlight.set(key, mine + 1);
  }

  finish(key: string): void {
    const mine = this.inFlight.get(key) ?? 0;
    if (mine === 0) return;
    this.inFlight.set(key, mine - 1);
    if (this.membership.placement(key).at !== "here") this.membership.sayAgain();
  }
}

const ids = ["r1", "r2", "r3", "r4"];
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("deliver" as const), pick: fc.nat(20) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom("admit" as const, "finish" as const), pick: fc.nat(11) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("start" as const), pick: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("leave" as const, "kill" as const), pick: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("notice" as const), pick: fc.nat(5) }) },
);

test("however statements are delayed and routers come, leave and die, a limit is never exceeded", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
      const network = new Network();
      for (const { kind, pick } of steps) {
        const alive = [...network.nodes.values()];
        const node = alive[pick % (alive.length || 1)];
        const key = keys[pick % keys.length] ?? "";
        if (kind === "deliver") network.deliver(pick);
        else if (kind === "notice") network.notice(pick);
        else if (kind === "start") network.start(`${ids[pick % ids.length]}-${pick}`);
        else if (kind === "kill") network.kill([...network.nodes.keys()][pick % (alive.length || 1)] ?? "");
        else if (kind === "leave") node?.membership.setPhase("leaving");
        else if (kind === "admit") node?.admit(key);
        else node?.finish(key);
        for (const one of keys) {
          const admitting = [...network.nodes.values()].filter(
            ({ membership }) => membership.placement(one).at === "here",
          );
          expect(admitting.length).toBeLessThanOrEqual(1);
          expect(network.inFlight(one)).toBeLessThanOrEqual(limit);
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test("when nothing changes any more, every key has one owner and everybody knows it", () => {
  const network = new Network();
  for (const id of ["a", "b", "c"]) network.start(id);
  network.settle();
  network.kill("b");
  network.start("d");
  network.nodes.get("a")?.membership.setPhase("leaving");
  network.settle();
  for (const { membership } of network.nodes.values()) {
    expect(membership.view).toEqual(["c", "d"]);
    for (const peer of membership.peers) membership.setReachable(peer, true);
  }
  for (const key of keys) {
    const owner = ownerOf(key, ["c", "d"]);
    for (const [id, { membership }] of network.nodes) {
      expect(membership.placement(key)).toEqual(id === owner ? { at: "here" } : { at: "peer", id: owner });
    }
  }
});

test("the last router to leave goes on alone", () => {
  const network = new Network();
  network.start("a");
  const { membership } = network.nodes.get("a") as Node;
  expect(membership.placement("ns/a").at).toBe("here");
  membership.setPhase("leaving");
  expect(membership.placement("ns/a").at).toBe("here");
});

test("a router that may be cut off admits nothing", () => {
  const network = new Network();
  network.start("a");
  const { membership } = network.nodes.get("a") as Node;
  membership.setIsolated(true);
  expect(membership.placement("ns/a").at).toBe("wait");
  membership.setIsolated(false);
  expect(membership.placement("ns/a").at).toBe("here");
});

test("keys are spread evenly, and a member that leaves moves only its own", () => {
  const members = ["r-7f9c-aaaaa", "r-7f9c-aaaab", "r-7f9c-aaaac"];
  const counts = new Map(members.map((member) => [member, 0]));
  let moved = 0;
  for (let i = 0; i < 3000; i++) {
    const key = `ns/hello-${String(i).padStart(5, "0")}`;
    const owner = ownerOf(key, members) ?? "";
    counts.set(owner, (counts.get(owner) ?? 0) + 1);
    if (ownerOf(key, members.slice(0, 2)) !== owner) moved++;
  }
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(120);
  expect(moved).toBe(counts.get("r-7f9c-aaaac"));
  expect(ownerOf("ns/hello", [])).toBeUndefined();
});
