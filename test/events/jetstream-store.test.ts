import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/client/clock.ts";
import type { EventStore } from "../../src/events/log/event-store.ts";
import { openJetStreamStore } from "../../src/events/log/jetstream-store.ts";
import type { Logger } from "../../src/telemetry/logger.ts";
import { anEvent, runEventStoreConformance } from "../conformance/event-store.ts";
import { knowsSync, makeNats, noNats, type NatsServer } from "./nats-server.ts";

const log: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => log,
  enabled: () => false,
};
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
