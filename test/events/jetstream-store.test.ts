import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/client/clock.ts";
import type { EventStore, EventStream } from "../../src/events/log/event-store.ts";
import { openJetStreamStore } from "../../src/events/log/jetstream-store.ts";
import { anEvent, runEventStoreConformance } from "../conformance/event-store.ts";
import { knowsSync, makeNats, noNats, type NatsServer } from "./nats-server.ts";
import { silentLogger as log } from "../silent-logger.ts";

const open = (nats: NatsServer): Promise<EventStore> =>
  openJetStreamStore({ servers: nats.url, monitorUrl: nats.monitorUrl }, { clock: systemClock, log });

if (noNats !== undefined) test.skip(`the store in NATS JetStream: ${noNats}`, () => undefined);

describe.skipIf(noNats !== undefined)("the store in NATS JetStream", () => {
  describe("does what every store does", () => {
    runEventStoreConformance(() => {
      let nats: NatsServer | undefined;
      return {
        async open() {
          if (!nats) await (nats = await makeNats()).start();
          return open(nats);
        },
        clean: async () => nats?.remove(),
        clock: { now: () => Date.now(), advance: (ms) => new Promise((done) => setTimeout(done, Math.min(ms, 60))) },
      };
    });
  });

  describe("with a server that has little room", () => {
    let nats: NatsServer;
    beforeEach(async () => {
      nats = await makeNats({ maxFileStore: 8 * 1024 * 1024 });
      await nats.start();
    });
    afterEach(() => nats.remove());
    const kilobytes = (id: string, count: number) => ({ event: { ...anEvent(id), data: Buffer.alloc(count * 1024) } });

    test("any number of streams fits, each with a limit that is larger than the server's room", async () => {
      const store = await open(nats);
      for (let n = 0; n < 20; n += 1) {
        const stream = await store.openStream(`broker/default/b${n}`, { maxBytes: 4 * 1024 ** 3 });
        expect((await stream.append([{ event: anEvent("1") }])).map(({ seq }) => seq)).toEqual([1]);
      }
      await store.close();
    });

    test("what an earlier ebb had the server set aside is given back", async () => {
      let store = await open(nats);
      await (await store.openStream("old", { maxBytes: 7 * 1024 * 1024 })).append([{ event: anEvent("1") }]);
      await store.close();
      const connection = await connect({ servers: nats.url });
      const jsm = await jetstreamManager(connection);
      for await (const { config } of jsm.streams.list())
        if (config.description === "old") await jsm.streams.update(config.name, { max_bytes: 7 * 1024 * 1024 });
      await connection.close();
      store = await open(nats);
      const old = await store.openStream("old", { maxBytes: 7 * 1024 * 1024 });
      await store.openStream("new", { maxBytes: 7 * 1024 * 1024 });
      expect((await old.read(0, 9)).map(({ event }) => event.attributes["id"])).toEqual(["1"]);
      await store.close();
    });

    test("a stream keeps to its limit by the oldest, also one that is made smaller and with two processes", async () => {
      const [store, other] = [await open(nats), await open(nats)];
      const stream = await store.openStream("small", { maxBytes: 1024 * 1024 });
      const seen = await other.openStream("small", { maxBytes: 1024 * 1024 });
      for (let n = 1; n <= 200; n += 1) await stream.append([kilobytes(`${n}`, 10)]);
      const limit = async (bytes: number) => {
        // No more goes than has to.
        const kept = (one: EventStream): boolean =>
          one.bounds().bytes <= bytes && one.bounds().bytes > bytes - 2 * 10.5 * 1024;
        await expect.poll(() => [kept(stream), kept(seen)], { timeout: 5000 }).toEqual([true, true]);
        const { first, last } = stream.bounds();
        expect(last).toBe(200);
        const ids = (await stream.read(0, 999)).map(({ event }) => Number(event.attributes["id"]));
        expect(ids).toEqual(Array.from({ length: last - first + 1 }, (_, n) => first + n));
      };
      await limit(1024 * 1024);
      for (const one of [store, other]) await one.openStream("small", { maxBytes: 300 * 1024 });
      await limit(300 * 1024);
      await Promise.all([store.close(), other.close()]);
    });

    test(
      "is full when the server is, acknowledges nothing then, and goes on when there is room",
      { timeout: 30_000 },
      async () => {
        // No monitoring port: what the server itself says counts.
        const openBlind = () => openJetStreamStore({ servers: nats.url }, { clock: systemClock, log });
        let store = await openBlind();
        const [stream, other] = [await store.openStream("a", {}), await store.openStream("b", {})];
        const acknowledged: number[] = [];
        const fill = async (): Promise<unknown> => {
          for (let n = 1; n < 200; n += 1) {
            const failure = await stream.append([kilobytes(`${n}`, 100)]).catch((error: unknown) => error);
            if (failure instanceof Error) return failure;
            acknowledged.push(n);
          }
          return "took 20 MB";
        };
        expect(await fill()).toMatchObject({ name: "StoreFailure", kind: "full" });
        await expect(other.append([kilobytes("x", 100)])).rejects.toMatchObject({ kind: "full" });
        // Nothing that was refused is there, nothing that was taken is not; also after a start.
        const all = async (): Promise<unknown[]> => {
          const from = await store.openStream("a", {});
          await expect.poll(() => from.bounds().last).toBe(acknowledged.length);
          return (await from.read(0, 999)).map(({ event }) => Number(event.attributes["id"]));
        };
        expect(await all()).toEqual(acknowledged);
        expect(other.bounds().last).toBe(0);
        await store.close();
        await nats.stop("SIGKILL");
        await nats.start();
        store = await openBlind();
        expect(await all()).toEqual(acknowledged);
        await store.openStream("a", { maxBytes: 2 * 1024 * 1024 });
        const again = await store.openStream("b", {});
        const taken = () =>
          again.append([kilobytes("x", 100)]).then(
            () => true,
            () => false,
          );
        await expect.poll(taken, { timeout: 10_000 }).toBe(true);
        await store.close();
      },
    );
  });

  describe("with a server that is nearly full", () => {
    test("positions and dead letters still find room, and senders are told", { timeout: 30_000 }, async () => {
      const nats = await makeNats({ maxFileStore: 8 * 1024 * 1024 });
      await nats.start();
      const store = await open(nats);
      const stream = await store.openStream("a", {});
      const event = { ...anEvent("1"), data: Buffer.alloc(50 * 1024) };
      let failure: unknown;
      for (let n = 0; failure === undefined && n < 400; n += 1)
        failure = await stream.append([{ event }]).then(
          () => undefined,
          (error: unknown) => error,
        );
      expect(failure).toMatchObject({
        name: "StoreFailure",
        kind: "full",
        message: expect.stringMatching(/about [78]\d{6} of 8388608 bytes are used/),
      });
      // As much as there is, but for what is kept free.
      expect(stream.bounds().last).toBeGreaterThan(145);
      const cursor = { stream: "a", position: 3, pending: [] };
      store.saveCursor("c", cursor);
      await store.park({ consumer: "c", seq: 2, event, timeMs: 1, attempts: 1, reason: "r", status: 500 });
      await store.flush();
      const other = await open(nats);
      expect([await other.readCursor("c"), await other.parkedCount("c")]).toEqual([cursor, 1]);
      await store.openStream("a", { maxBytes: 1024 * 1024 });
      const taken = () =>
        stream.append([{ event }]).then(
          () => true,
          () => false,
        );
      await expect.poll(taken, { timeout: 10_000, interval: 200 }).toBe(true);
      await Promise.all([store.close(), other.close()]);
      await nats.remove();
    });
  });

  describe("with a server of its own", () => {
    let nats: NatsServer;
    let store: EventStore;
    beforeAll(async () => {
      nats = await makeNats();
      await nats.start();
      store = await open(nats);
    });
    afterAll(async () => {
      await store.close();
      await nats.remove();
    });

    test("claims to survive a power loss only when the server says that it syncs always", async () => {
      expect(store.durability).toBe(knowsSync ? "fsync" : "process");
      const untold = await openJetStreamStore({ servers: nats.url }, { clock: systemClock, log });
      expect(untold.durability).toBe("process");
      await untold.close();
      const lazy = await makeNats({ syncAlways: false });
      await lazy.start();
      const other = await open(lazy);
      expect(other.durability).toBe("process");
      await other.close();
      await lazy.remove();
    });

    test("hands out what another process appends", async () => {
      const other = await open(nats);
      const [here, there] = [await store.openStream("shared", {}), await other.openStream("shared", {})];
      await there.append([{ event: anEvent("1") }]);
      await here.append([{ event: anEvent("2") }]);
      for (const stream of [here, there]) {
        await expect.poll(() => stream.bounds().last).toBe(2);
        expect((await stream.read(0, 9)).map(({ event }) => event.attributes["id"])).toEqual(["1", "2"]);
        expect(stream.recent(2)?.event.attributes["id"]).toBe("2");
      }
      await other.close();
    });

    test("hands out what another process appends while this one appends much", { timeout: 30_000 }, async () => {
      const other = await open(nats);
      const [here, there] = [await store.openStream("much", {}), await other.openStream("much", {})];
      const burst = async (prefix: string, count: number): Promise<void> => {
        for (let n = 0; n < count; n += 50)
          await Promise.all(
            Array.from({ length: 50 }, (_, k) => here.append([{ event: anEvent(`${prefix}${n + k}`) }])),
          );
      };
      const seen: number[] = [];
      here.onChange(() => seen.push(here.bounds().last));
      // Long enough for following to rest.
      for (const until = Date.now() + 400; Date.now() < until;) await burst(`a${Date.now()}-`, 50);
      const before = here.bounds().last;
      await Promise.all([burst("b", 500), there.append([{ event: anEvent("foreign") }])]);
      await there.append([{ event: anEvent("foreign, after all was quiet") }]);
      await expect.poll(() => here.bounds().last, { timeout: 10_000 }).toBe(before + 502);
      await expect.poll(() => there.bounds().last, { timeout: 10_000 }).toBe(before + 502);
      const records = await here.read(before, 600);
      expect(records.map(({ seq }) => seq)).toEqual(Array.from({ length: 502 }, (_, n) => before + 1 + n));
      expect(records.filter(({ event }) => String(event.attributes["id"]).startsWith("foreign")).length).toBe(2);
      // Never backwards, and nothing before it was there.
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
      for (const { seq } of records.slice(-20)) expect(here.recent(seq)?.seq).toBe(seq);
      await other.close();
    });

    test("an event that is larger than NATS takes is refused for that", async () => {
      const stream = await store.openStream("large", {});
      const event = { ...anEvent("1"), data: Buffer.alloc(1024 * 1024) };
      await expect(stream.append([{ event }])).rejects.toMatchObject({ name: "StoreFailure", kind: "large" });
    });

    test(
      "stores once what was under way when the server died, and is acknowledged when it is back",
      { timeout: 30_000 },
      async () => {
        const stream = await store.openStream("broken", {});
        await stream.append([{ event: anEvent("0"), dedupe: true }]);
        await nats.stop("SIGKILL");
        const ids = Array.from({ length: 20 }, (_, n) => `${n + 1}`);
        const sent = ids.map((id) => stream.append([{ event: anEvent(id), dedupe: true }]));
        await nats.start();
        expect((await Promise.all(sent)).map(([one]) => one?.seq)).toEqual(ids.map((_, n) => n + 2));
        await expect.poll(async () => (await stream.read(0, 99)).length, { timeout: 5000 }).toBe(21);
        const stored = (await stream.read(0, 99)).map(({ event }) => event.attributes["id"]);
        expect(stored).toEqual(["0", ...ids]);
      },
    );

    test(
      "says that a server which is gone took nothing, and goes on with it when it is back",
      { timeout: 30_000 },
      async () => {
        const stream = await store.openStream("gone", {});
        await stream.append([{ event: anEvent("1") }]);
        await nats.stop("SIGKILL");
        await expect(stream.append([{ event: anEvent("2") }])).rejects.toMatchObject({
          name: "StoreFailure",
          kind: "unavailable",
        });
        await nats.start();
        await expect
          .poll(
            () =>
              stream.append([{ event: anEvent("3"), dedupe: true }]).then(
                () => true,
                () => false,
              ),
            { timeout: 15_000 },
          )
          .toBe(true);
        await expect
          .poll(async () => (await stream.read(0, 9)).map(({ event }) => event.attributes["id"]), { timeout: 10_000 })
          .toEqual(expect.arrayContaining(["1", "3"]));
      },
    );
  });
});
