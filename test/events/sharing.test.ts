/** Several dispatchers over one real NATS server: who delivers what, and what becomes of it when one goes. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ConsumerSpec } from "../../src/api/eventing/engine.ts";
import { systemClock } from "../../src/client/clock.ts";
import { createSender } from "../../src/events/delivery/http-sender.ts";
import { createEventEngine, type Engine } from "../../src/events/event-engine.ts";
import { openJetStreamStore } from "../../src/events/log/jetstream-store.ts";
import type { Bus } from "../../src/events/sharing/bus.ts";
import { sharedDesk, type ConsumerDesk } from "../../src/events/sharing/consumer-desk.ts";
import { createConsumerShares } from "../../src/events/sharing/consumer-shares.ts";
import { joinMembers, type Members } from "../../src/events/sharing/members.ts";
import { anEvent } from "../conformance/event-store.ts";
import { makeNats, noNats, type NatsServer } from "./nats-server.ts";
import { silentLogger as log } from "../silent-logger.ts";

const broker = { kind: "broker", namespace: "default", name: "orders", uid: "u1" } as const;
const key = "broker/default/orders";

interface Dispatcher {
  readonly name: string;
  readonly engine: Engine;
  readonly members: Members;
  readonly desk: ConsumerDesk;
  /** What it says reaches nobody but itself: others take it for dead, and it does not know. */
  mute(): void;
  /** As SIGTERM does. */
  close(): Promise<void>;
}

if (noNats !== undefined) test.skip(`dispatchers that share NATS: ${noNats}`, () => undefined);

describe.skipIf(noNats !== undefined)("dispatchers that share NATS", () => {
  let nats: NatsServer;
  let sink: Server;
  let arrived: Map<string, number>;
  let answerMs = 0;
  const open: Dispatcher[] = [];

  beforeEach(async () => {
    nats = await makeNats();
    await nats.start();
    arrived = new Map();
    answerMs = 0;
    sink = createServer((request, response) => {
      const id = `${request.url} ${request.headers["ce-id"] as string}`;
      arrived.set(id, (arrived.get(id) ?? 0) + 1);
      request.resume();
      setTimeout(() => response.writeHead(204).end(), answerMs);
    });
    await new Promise<void>((done) => sink.listen(0, "127.0.0.1", done));
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.close()));
    sink.closeAllConnections();
    await nats.remove();
  });

  async function dispatcher(name: string, triggers: number): Promise<Dispatcher> {
    const store = await openJetStreamStore(
      { servers: nats.url, monitorUrl: nats.monitorUrl, holder: name },
      { clock: systemClock, log },
    );
    if (!store.sharing) throw new Error("not shared");
    let muted = false;
    const ears = new Set<(message: unknown) => void>();
    const bus: Bus = {
      publish(subject, message) {
        if (muted) for (const ear of ears) ear(message);
        else store.bus.publish(subject, message);
      },
      subscribe(subject, handler) {
        ears.add(handler);
        return store.bus.subscribe(subject, handler);
      },
    };
    const members = joinMembers({ self: name, beatMs: 100, deadMs: 1200, joinMs: 300 }, { bus, clock: systemClock });
    const shares = createConsumerShares({ members, sharing: store.sharing, clock: systemClock });
    const sender = createSender({ clock: systemClock, dial: () => undefined });
    const engine = createEventEngine(
      {},
      { store, sender, clock: systemClock, log, shares, urlOf: () => "http://broker" },
    );
    const desk = sharedDesk({ engine, clock: systemClock, bus: store.bus, sharing: store.sharing, self: name });
    // Triggers may be known before their broker.
    for (let i = 0; i < triggers; i += 2) await engine.setConsumer(trigger(i));
    await engine.setStream(broker);
    for (let i = 1; i < triggers; i += 2) await engine.setConsumer(trigger(i));
    const close = async (): Promise<void> => {
      members.leave();
      await engine.close(5000);
      desk.close();
      members.close();
      await sender.close();
      await store.close();
    };
    const made = { name, engine, members, desk, close, mute: () => void (muted = true) };
    open.push(made);
    return made;
  }

  const trigger = (index: number): ConsumerSpec => ({
    key: `trigger/default/t${index}`,
    uid: `t${index}`,
    stream: key,
    subscriber: { url: `http://127.0.0.1:${(sink.address() as AddressInfo).port}/t${index}` },
    start: { from: "now" },
    delivery: { retry: 3, backoffPolicy: "linear", backoffDelayMs: 50 },
  });

  async function until(what: string, holds: () => boolean, ms = 20_000): Promise<void> {
    for (const deadline = Date.now() + ms; !holds();) {
      if (Date.now() > deadline) throw new Error(`${what}: not within ${ms} ms`);
      await new Promise((done) => setTimeout(done, 20));
    }
  }

  const owned = (one: Dispatcher): readonly string[] =>
    one.engine
      .consumers()
      .map((stats) => stats.key)
      .sort();
  const all = (triggers: number): readonly string[] =>
    Array.from({ length: triggers }, (_, index) => `trigger/default/t${index}`).sort();
  const together = (...several: readonly Dispatcher[]): readonly string[] => several.flatMap(owned).sort();

  async function append(by: readonly Dispatcher[], from: number, count: number): Promise<void> {
    for (let i = from; i < from + count; i++) {
      const result = await by[i % by.length]?.engine.append(key, [anEvent(String(i))]);
      if (result?.kind !== "stored") throw new Error(`not stored: ${result?.kind}`);
    }
  }

  const times = (triggers: number, count: number): readonly number[] =>
    Array.from({ length: triggers }, (_, t) =>
      Array.from({ length: count }, (_unused, i) => arrived.get(`/t${t} ${i}`) ?? 0),
    ).flat();
  const lost = (counts: readonly number[]): number => counts.filter((n) => n === 0).length;
  const extra = (counts: readonly number[]): number => counts.reduce((sum, n) => sum + Math.max(0, n - 1), 0);

  test("each consumer has one of them, and every event arrives once, whoever took it", async () => {
    const three = [await dispatcher("a", 8), await dispatcher("b", 8), await dispatcher("c", 8)];
    await until("all are owned", () => together(...three).join() === all(8).join());
    expect(three.every((one) => owned(one).length > 0)).toBe(true);
    await append(three, 0, 100);
    await until("all arrived", () => lost(times(8, 100)) === 0);
    expect(extra(times(8, 100))).toBe(0);
  });

  test("one more and one less, told to go: nothing is lost and nothing comes twice", async () => {
    const a = await dispatcher("a", 6);
    await until("a has all", () => owned(a).length === 6);
    answerMs = 30;
    const adding = append([a], 0, 200);
    const b = await dispatcher("b", 6);
    await until("b has some", () => owned(b).length > 0 && together(a, b).join() === all(6).join());
    await adding;
    const more = append([b], 200, 200);
    await a.close();
    open.splice(open.indexOf(a), 1);
    await more;
    await until("b has all", () => owned(b).length === 6);
    await until("all arrived", () => lost(times(6, 400)) === 0);
    expect(extra(times(6, 400))).toBe(0);
  });

  test("one that is taken for dead and is not does not deliver on, nor move positions back", async () => {
    const [a, b] = [await dispatcher("a", 6), await dispatcher("b", 6)];
    await until("all are owned", () => together(a, b).join() === all(6).join() && owned(a).length > 0);
    answerMs = 20;
    const had = owned(a).length;
    a.mute();
    // Events come all the while, so that both would deliver them.
    let count = 0;
    const some = async (): Promise<void> => {
      await append([b], count, 10);
      count += 10;
      await new Promise((done) => setTimeout(done, 20));
    };
    while (owned(b).length < 6 || owned(a).length > 0) {
      await some();
      if (count > 5000) throw new Error(`a still has ${owned(a).join()}, b has ${owned(b).join()}`);
    }
    // What was pending where `a` was cut off comes again with the rest.
    const idle = (): boolean => b.engine.consumers().every(({ lag, inFlight }) => lag === 0 && inFlight === 0);
    await until("all arrived", () => lost(times(6, count)) === 0 && idle());
    const doubled = extra(times(6, count));
    // What was under way while both delivered: a moment of each consumer that a had.
    expect(doubled).toBeLessThan(had * 150);
    const before = count;
    for (let i = 0; i < 10; i++) await some();
    await until("the rest arrived", () => lost(times(6, count)) === 0);
    expect([extra(times(6, count)), count - before]).toEqual([doubled, 100]);
  });

  test("the server gone and back: all stand still, nothing is lost", async () => {
    const [a, b] = [await dispatcher("a", 4), await dispatcher("b", 4)];
    await until("all are owned", () => together(a, b).join() === all(4).join());
    await append([a, b], 0, 50);
    await nats.stop("SIGKILL");
    await until("both are out", () => a.members.isOut && b.members.isOut);
    await nats.start();
    await until("both are back", () => !a.members.isOut && !b.members.isOut);
    await append([a, b], 50, 50);
    await until("all arrived", () => lost(times(4, 100)) === 0, 30_000);
    expect(together(a, b)).toEqual(all(4));
  }, 60_000);

  test("whichever is asked, the one that delivers answers: lag, replay, dead letters", async () => {
    const [a, b] = [await dispatcher("a", 4), await dispatcher("b", 4)];
    await until("all are owned", () => together(a, b).join() === all(4).join() && owned(a).length > 0);
    const [mine] = owned(a) as readonly ConsumerSpec["key"][];
    if (mine === undefined) throw new Error("a has none");
    await append([a, b], 0, 40);
    await until("all arrived", () => lost(times(4, 40)) === 0);
    expect(await b.desk.stats(mine)).toMatchObject({ key: mine, lag: 0 });
    expect(await b.desk.stats("trigger/default/none")).toBeUndefined();
    expect(await b.desk.replay("trigger/default/none", { from: "earliest" })).toBe(false);
    await expect(b.desk.replay(mine, { from: "id", id: "none" })).rejects.toThrow('no event with the id "none"');
    expect(await b.desk.replay(mine, { from: "id", id: "30" })).toBe(true);
    const path = `/${mine.split("/").at(-1)}`;
    const again = (): readonly number[] => Array.from({ length: 40 }, (_, i) => arrived.get(`${path} ${i}`) ?? 0);
    await until("the last ten came again", () =>
      again()
        .slice(30)
        .every((n) => n === 2),
    );
    expect(
      again()
        .slice(0, 30)
        .every((n) => n === 1),
    ).toBe(true);
    expect(await b.desk.redrive(mine, 7)).toEqual({ kind: "failed", reason: "there is no dead letter 7" });
    expect(await b.engine.deadLetters(mine, { after: 0, limit: 10 })).toEqual([]);
  });

  test("a replay under load, while consumers change hands, is neither lost nor repeated", async () => {
    const a = await dispatcher("a", 6);
    await until("a has all", () => owned(a).length === 6);
    await append([a], 0, 100);
    await until("all arrived", () => lost(times(6, 100)) === 0);
    answerMs = 20;
    const adding = append([a], 100, 150);
    const joining = dispatcher("b", 6);
    // Asked while b comes and takes some of them.
    const moved = await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        new Promise((done) => setTimeout(done, index * 150)).then(() =>
          a.desk.replay(`trigger/default/t${index}`, { from: "earliest" }),
        ),
      ),
    );
    expect(moved).toEqual([true, true, true, true, true, true]);
    const b = await joining;
    await adding;
    const idle = (): boolean =>
      [a, b].every(({ engine }) => engine.consumers().every(({ lag, inFlight }) => lag === 0 && inFlight === 0));
    await until("all came, and what was there came again", () => {
      const early = Array.from({ length: 6 }, (_, t) =>
        Array.from({ length: 100 }, (_unused, i) => arrived.get(`/t${t} ${i}`) ?? 0),
      ).flat();
      return early.every((n) => n >= 2) && lost(times(6, 250)) === 0 && idle();
    });
    expect(Math.max(...times(6, 250))).toBe(2);
    expect(together(a, b)).toEqual(all(6));
  }, 60_000);

  test("who holds a consumer and is gone is not waited for: the next one answers", async () => {
    const [a, b] = [await dispatcher("a", 6), await dispatcher("b", 6)];
    await until("all are owned", () => together(a, b).join() === all(6).join() && owned(a).length > 0);
    const [mine] = owned(a) as readonly ConsumerSpec["key"][];
    if (mine === undefined) throw new Error("a has none");
    await append([b], 0, 20);
    await until("all arrived", () => lost(times(6, 20)) === 0);
    const replaying = b.desk.replay(mine, { from: "earliest" });
    await replaying;
    await a.close();
    open.splice(open.indexOf(a), 1);
    expect(await b.desk.replay(mine, { from: "earliest" })).toBe(true);
    expect(await b.desk.stats(mine)).toMatchObject({ key: mine });
  });
});
