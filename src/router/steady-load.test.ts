/** What must hold while instances come and go under load, and while very many requests wait. */
import { type Server, createServer } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { InstanceAddress } from "./instance.ts";
import {
  eventually,
  type Harness,
  makeIngress,
  makeRevision,
  RawClient,
  startHarness,
} from "./testing/router-harness.ts";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function start(...args: Parameters<typeof startHarness>): Promise<Harness> {
  const harness = await startHarness(...args);
  stops.push(() => harness.stop());
  return harness;
}

interface App {
  readonly address: InstanceAddress;
  readonly server: Server;
}

async function startApp(name: string): Promise<App> {
  const server = createServer((_req, res) => setTimeout(() => res.end(name), 1));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, address: { host: "127.0.0.1", port: (server.address() as AddressInfo).port } };
}

/** Ends the app as a node does once the router says it is drained: at once, idle connections and all. */
function stopApp({ server }: App): Promise<unknown> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  return closed;
}

interface Traffic {
  readonly statuses: Map<string, number>;
  stop(): Promise<void>;
}

/** Clients that send one request after the other, half of them on kept connections, until stopped. */
function startTraffic(port: number, clients: number): Traffic {
  const statuses = new Map<string, number>();
  const state = { running: true };
  const run = async (keep: boolean): Promise<void> => {
    let client = new RawClient(port);
    while (state.running) {
      client.received = "";
      client.send(`GET / HTTP/1.1\r\nHost: app.test\r\n${keep ? "" : "Connection: close\r\n"}\r\n`);
      const text = keep ? await client.until(/\r\n\r\n.+$/s) : await client.toEnd();
      const status = text.slice(9, 12);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (!keep) client = new RawClient(port);
    }
    client.destroy();
  };
  const all = Promise.all(Array.from({ length: clients }, (_, i) => run(i % 2 === 0)));
  return {
    statuses,
    stop: async () => {
      state.running = false;
      await all;
    },
  };
}

test("50 instances replaced one after the other under load: no request fails", async () => {
  const harness = await start({ spec: { containerConcurrency: 4 } });
  let current = await startApp("0");
  harness.ready(current.address, "0");
  const traffic = startTraffic(harness.port, 8);
  for (let i = 1; i <= 50; i++) {
    const next = await startApp(String(i));
    harness.ready(next.address, String(i));
    const served = (): number => traffic.statuses.get("200") ?? 0;
    await eventually(
      () => served() >= i * 10,
      () => `served ${served()}`,
    );
    await harness.router.drain(String(i - 1));
    harness.event("gone", current.address, String(i - 1));
    await stopApp(current);
    current = next;
  }
  await traffic.stop();
  await stopApp(current);
  expect([...traffic.statuses.keys()]).toEqual(["200"]);
  expect(traffic.statuses.get("200")).toBeGreaterThanOrEqual(500);
});

test("50 times down to zero and up again under load: no request fails", async () => {
  const harness = await start();
  const traffic = startTraffic(harness.port, 4);
  for (let i = 0; i < 50; i++) {
    await eventually(
      () => harness.router.pending(harness.revision).queued > 0,
      () => "nobody waits",
    );
    const app = await startApp(String(i));
    harness.ready(app.address, String(i));
    await eventually(
      () => harness.router.pending(harness.revision).queued === 0,
      () => "somebody waits",
    );
    await harness.router.drain(String(i));
    harness.event("gone", app.address, String(i));
    await stopApp(app);
  }
  const last = await startApp("last");
  harness.ready(last.address, "last");
  await traffic.stop();
  await stopApp(last);
  expect([...traffic.statuses.keys()]).toEqual(["200"]);
});

test("10 rollouts from one revision to the next under load: no request fails, the weights hold", async () => {
  const harness = await start();
  let old = await startApp("old");
  harness.ready(old.address, "app-0");
  const traffic = startTraffic(harness.port, 6);
  let revision = "default/app";
  for (let i = 1; i <= 10; i++) {
    const next = await startApp(`next${i}`);
    harness.router.applyRevision(`default/app-${i}`, makeRevision(`app-${i}`, {}));
    const event = { revision: `default/app-${i}`, id: `app-${i}`, address: next.address, protocol: "http1" } as const;
    harness.router.applyInstance({ type: "ready", ...event });
    const name = revision.slice("default/".length);
    harness.router.applyIngress("default/app.test", makeIngress("app.test", { [name]: 50, [`app-${i}`]: 50 }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    harness.router.applyIngress("default/app.test", makeIngress("app.test", { [`app-${i}`]: 100 }));
    await harness.router.drain(`app-${i - 1}`);
    await stopApp(old);
    harness.router.applyInstance({
      type: "gone",
      revision,
      id: `app-${i - 1}`,
      address: old.address,
      protocol: "http1",
    });
    harness.router.applyRevision(revision, undefined);
    revision = event.revision;
    old = next;
  }
  await traffic.stop();
  await stopApp(old);
  expect([...traffic.statuses.keys()]).toEqual(["200"]);
});

test("10,000 requests wait for a service that cannot start: bounded memory, and each gets its answer", async () => {
  const harness = await start();
  const before = process.memoryUsage();
  const sessions = Array.from({ length: 10 }, () => connectHttp2(`http://127.0.0.1:${harness.port}`));
  stops.push(() => sessions.forEach((session) => session.destroy()));
  const statuses: number[] = [];
  const ask = (session: (typeof sessions)[number]): void => {
    const stream = session.request({ ":authority": "app.test", ":path": "/" });
    stream.on("response", (headers) => statuses.push(Number(headers[":status"])));
    stream.on("error", () => undefined);
    stream.resume();
  };
  for (const session of sessions) for (let i = 0; i < 1000; i++) ask(session);
  const queued = (): number => harness.router.pending(harness.revision).queued;
  await eventually(
    () => queued() === 10_000,
    () => `queued ${queued()}`,
    15_000,
  );
  const grown = process.memoryUsage().rss - before.rss;
  // Client and router are one process here: both ends of 10,000 streams.
  expect(grown / 2 ** 20).toBeLessThan(300);
  const full = new RawClient(harness.port).send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n");
  await full.until("pending request queue full");
  full.destroy();
  harness.router.setStartFailure({ revision: harness.revision, reason: "exited with code 1" });
  await eventually(
    () => statuses.length === 10_000,
    () => `answered ${statuses.length}`,
    15_000,
  );
  expect(new Set(statuses)).toEqual(new Set([503]));
  expect(queued()).toBe(0);
});

test("thousands of routes: one change costs no more than with one route", async () => {
  const harness = await start();
  for (let i = 0; i < 5000; i++) harness.router.applyIngress(`default/r${i}`, makeIngress(`r${i}.test`, { app: 100 }));
  const begin = performance.now();
  for (let i = 0; i < 1000; i++) harness.router.applyIngress(`default/r${i}`, makeIngress(`r${i}.test`, { app: 100 }));
  const perChangeMs = (performance.now() - begin) / 1000;
  expect(harness.router.hostCount).toBe(5001);
  expect(perChangeMs).toBeLessThan(1);
});
