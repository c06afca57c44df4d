/** Sources shared by several processes over one real NATS server: who reads what, and what becomes of it when one goes. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SourceSpec } from "../../../src/api/eventing/source-engine.ts";
import { systemClock } from "../../../src/client/clock.ts";
import { createSender } from "../../../src/events/delivery/http-sender.ts";
import { openJetStreamStore } from "../../../src/events/log/jetstream-store.ts";
import type { AskingBus } from "../../../src/events/sharing/bus.ts";
import { createConsumerShares } from "../../../src/events/sharing/consumer-shares.ts";
import { joinMembers } from "../../../src/events/sharing/members.ts";
import { createSharedSources, type SharedSources } from "../../../src/events/sources/shared-sources.ts";
import type { SourceReader } from "../../../src/events/sources/source-reader.ts";
import { createSourceRunner } from "../../../src/events/sources/source-runner.ts";
import { eventually } from "../../e2e/ebb-process.ts";
import { makeNats, noNats, type NatsServer } from "../nats-server.ts";
import { silentLogger as log } from "../../silent-logger.ts";

interface Process {
  readonly name: string;
  readonly shared: SharedSources;
  /** What it says reaches nobody but itself. */
  mute(): void;
  close(): Promise<void>;
}

const specOf = (index: number, more: Partial<SourceSpec> = {}): SourceSpec => ({
  key: `natssource/default/s${index}`,
  uid: `u${index}`,
  kind: "NatsSource",
  namespace: "default",
  name: `s${index}`,
  source: "/s",
  settings: {},
  target: { url: "http://127.0.0.1:9/" },
  ...more,
});

if (noNats !== undefined) test.skip(`sources that processes share: ${noNats}`, () => undefined);

describe.skipIf(noNats !== undefined)("sources that processes share", { timeout: 60_000 }, () => {
  let nats: NatsServer;
  /** Who reads a source, by its name. */
  let reading: Map<string, string[]>;
  let forgotten: string[];
  let forgetFails = "";
  const open: Process[] = [];

  beforeEach(async () => {
    nats = await makeNats();
    await nats.start();
    reading = new Map();
    forgotten = [];
    forgetFails = "";
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.close()));
    await nats.remove();
  });

  const readerOf =
    (self: string, kind: string): (() => Promise<SourceReader>) =>
    async () => ({
      kind,
      async open(_settings, { name, helps, report }) {
        reading.set(name, [...(reading.get(name) ?? []), helps ? `${self} helps` : self]);
        report({ connected: true, facts: { lag: "0" } });
        return {
          async close({ forget }) {
            const left = (reading.get(name) ?? []).filter((one) => one !== self && one !== `${self} helps`);
            reading.set(name, left);
            if (forget && forgetFails) throw new Error(forgetFails);
            if (forget) forgotten.push(`${name} by ${self}`);
          },
        };
      },
    });

  async function start(name: string): Promise<Process> {
    const store = await openJetStreamStore(
      { servers: nats.url, monitorUrl: nats.monitorUrl, holder: name },
      { clock: systemClock, log },
    );
    if (!store.sharing) throw new Error("not shared");
    let muted = false;
    const ears = new Map<string, Set<(message: unknown) => void>>();
    const bus: AskingBus = {
      ...store.bus,
      publish(subject, message) {
        if (!muted) return store.bus.publish(subject, message);
        for (const ear of ears.get(subject) ?? []) ear(message);
      },
      subscribe(subject, handler) {
        ears.set(subject, (ears.get(subject) ?? new Set()).add(handler));
        return store.bus.subscribe(subject, handler);
      },
    };
    const members = joinMembers({ self: name }, { bus, clock: systemClock });
    const shares = createConsumerShares({ members, sharing: store.sharing, clock: systemClock });
    const sender = createSender({ clock: systemClock, dial: () => undefined });
    const readers = Object.fromEntries(
      ["NatsSource", "GitHubSource", "WebhookSource"].map((kind) => [kind, readerOf(name, kind)]),
    );
    const runner = createSourceRunner({ readers }, { sender, clock: systemClock, log, documents: store });
    const shared = createSharedSources({ runner, shares, members, bus, store, clock: systemClock, log, assureMs: 500 });
    const made: Process = {
      name,
      shared,
      mute: () => (muted = true),
      async close() {
        members.leave();
        await shared.close(2000);
        members.close();
        await sender.close();
        await store.close();
      },
    };
    open.push(made);
    return made;
  }

  const readers = (count: number): readonly (readonly string[])[] =>
    Array.from({ length: count }, (_, index) => reading.get(`s${index}`) ?? []);
  const until = (what: string, is: () => boolean): Promise<true> =>
    eventually(what, () => Promise.resolve(is() ? true : undefined), {
      deadlineMs: 20_000,
      everyMs: 50,
      seen: () => JSON.stringify([...reading]),
    });
  const each = (processes: readonly Process[], count: number, more: Partial<SourceSpec> = {}): void => {
    for (let i = 0; i < count; i++) for (const { shared } of processes) shared.follow.setSource(specOf(i, more));
  };

  test("each is read by one, all have some, and everybody knows who", async () => {
    const [a, b] = [await start("a"), await start("b")];
    each([a, b], 12);
    await until("one reader each", () => readers(12).every((by) => by.length === 1));
    await until("both have some", () => ["a", "b"].every((name) => readers(12).some(([by]) => by === name)));
    await until("states everywhere", () =>
      [a, b].every(({ shared }) =>
        readers(12).every(([by], index) => {
          const state = shared.lead.sourceState(specOf(index).key);
          return state?.connected === true && state.by === by && state.facts?.["lag"] === "0";
        }),
      ),
    );
  });

  test("whoever leaves hands over, never two at once; whoever dies is followed", async () => {
    const [a, b] = [await start("a"), await start("b")];
    each([a, b], 8);
    await until("one reader each", () => readers(8).every((by) => by.length === 1));
    open.splice(open.indexOf(b), 1);
    await b.close();
    await until("all with a", () => readers(8).every((by) => by.join() === "a"));
    const c = await start("c");
    each([c], 8);
    await until("c has some", () => readers(8).some((by) => by.join() === "c"));
    await until("still one each", () => readers(8).every((by) => by.length === 1));
    // Nobody hears c any more: it is taken for dead, and finds out by its holds.
    c.mute();
    await until("all with a again", () => readers(8).every((by) => by.includes("a")));
    await until("c learns it", () => readers(8).every((by) => by.join() === "a"));
  });

  test("what was made for a source is removed by whoever reads it, and a failure is told to who asked", async () => {
    const [a, b] = [await start("a"), await start("b")];
    each([a, b], 8);
    await until("one reader each", () => readers(8).every((by) => by.length === 1));
    const by = readers(8).map(([one]) => one);
    await until("a knows", () => by.every((one, i) => a.shared.lead.sourceState(specOf(i).key)?.by === one));
    for (let i = 0; i < 8; i++) await a.shared.lead.removeSource(specOf(i).key, `u${i}`, { forget: true });
    expect(forgotten).toEqual(by.map((one, index) => `s${index} by ${one}`));
    for (let i = 0; i < 8; i++) for (const { shared } of [a, b]) shared.drop(specOf(i).key);
    each([a, b], 8);
    await until("read again", () => readers(8).every((now) => now.length === 1));
    const remote = by.indexOf("b");
    await until("a knows", () => a.shared.lead.sourceState(specOf(remote).key)?.by === "b");
    forgetFails = "the server is gone";
    await expect(a.shared.lead.removeSource(specOf(remote).key, `u${remote}`, { forget: true })).rejects.toThrow(
      "the server is gone",
    );
  });

  test("webhooks are taken by all; one of them does what is to be done once", async () => {
    const [a, b] = [await start("a"), await start("b")];
    each([a, b], 1, { kind: "GitHubSource" });
    const sorted = (): string => [...(reading.get("s0") ?? [])].sort().join();
    await until("one owner, one that helps", () => ["a,b helps", "a helps,b"].includes(sorted()));
    const [owner, other] = sorted() === "a,b helps" ? [a, b] : [b, a];
    await until("the other tells of the owner", () => other.shared.lead.sourceState(specOf(0).key)?.by === owner.name);
    open.splice(open.indexOf(owner), 1);
    await owner.close();
    await until("the other does it now", () => sorted() === other.name);
  });
});
