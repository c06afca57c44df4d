import { mkdtemp } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import {
  eventually,
  type Harness,
  makeIngress,
  makeRevision,
  RawClient,
  startHarness,
} from "./testing/router-harness.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function start(...args: Parameters<typeof startHarness>): Promise<Harness> {
  const harness = await startHarness(...args);
  stops.push(() => harness.stop());
  return harness;
}

const get = "GET / HTTP/1.1\r\nHost: app.test\r\n\r\n";

test("a request goes to a ready instance and its answer comes back", async () => {
  const harness = await start();
  harness.ready(await harness.app((req, res) => res.end(`${req.method} ${req.url}`)));
  const client = new RawClient(harness.port).send("GET /a?b=c HTTP/1.1\r\nHost: app.test\r\n\r\n");
  const text = await client.until("GET /a?b=c");
  expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(text).not.toMatch(/keep-alive/i);
  client.destroy();
});

test("a host nobody claims gets 404 with one line", async () => {
  const harness = await start();
  const client = new RawClient(harness.port).send("GET / HTTP/1.1\r\nHost: other.test\r\nConnection: close\r\n\r\n");
  const text = await client.toEnd();
  expect(text).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
  expect(text.split("\r\n\r\n")[1]).toBe("no service answers to this host\n");
});

test("a request without instances waits, raises demand in the same turn, and is served when one is ready", async () => {
  const harness = await start();
  const address = await harness.app((_req, res) => res.end("woke"));
  const client = new RawClient(harness.port).send(get);
  await eventually(
    () => harness.load.demands.length > 0,
    () => "no demand",
  );
  expect(harness.load.demands).toEqual([{ revision: "default/app", waiting: 1 }]);
  expect(harness.router.pending("default/app")).toEqual({ queued: 1, present: 1, instances: 0 });
  harness.ready(address);
  expect(await client.until("woke")).toMatch(/Server-Timing: cold;dur=/);
  client.destroy();
});

test("an instance that becomes ready inside the demand call serves the request", async () => {
  const harness = await start();
  const address = await harness.app((_req, res) => res.end("claimed"));
  harness.load.onDemand = () => harness.ready(address);
  const client = new RawClient(harness.port).send(get);
  await client.until("claimed");
  client.destroy();
});

test("bodies pass both ways unchanged, with a length and chunked", async () => {
  const harness = await start();
  const address = await harness.app((req, res) => req.pipe(res));
  harness.ready(address);
  const body = Buffer.alloc(3_000_000, "abcdefghij");
  const url = `http://127.0.0.1:${harness.port}/`;
  harness.router.applyIngress("default/ip", makeIngress("127.0.0.1", { app: 100 }));
  const sized = await fetch(url, { method: "POST", body });
  expect(Buffer.from(await sized.arrayBuffer()).equals(body)).toBe(true);
  const stream = new Blob([body]).stream();
  const chunked = await fetch(url, { method: "POST", body: stream, duplex: "half" } as RequestInit);
  expect(Buffer.from(await chunked.arrayBuffer()).equals(body)).toBe(true);
});

test("containerConcurrency is never exceeded, and waiting requests go first come, first served", async () => {
  const harness = await start({ spec: { containerConcurrency: 2 } });
  let now = 0;
  let most = 0;
  const order: string[] = [];
  const answers: (() => void)[] = [];
  const address = await harness.app((req, res) => {
    most = Math.max(most, ++now);
    order.push(req.url ?? "");
    answers.push(() => {
      now--;
      res.end("done");
    });
  });
  harness.ready(address);
  const clients: RawClient[] = [];
  for (let i = 0; i < 6; i++) {
    clients.push(new RawClient(harness.port).send(`GET /${i} HTTP/1.1\r\nHost: app.test\r\n\r\n`));
    await eventually(
      () => harness.router.pending("default/app").present === i + 1,
      () => `request ${i} not seen`,
    );
  }
  for (let i = 0; i < 6; i++) {
    await eventually(
      () => answers.length > 0,
      () => `served ${order.length}`,
    );
    answers.shift()?.();
  }
  const texts = await Promise.all(clients.map((client) => client.until("done")));
  expect(most).toBe(2);
  // Who waited for room is told how long; the first two did not.
  expect(texts.map((text) => /Server-Timing: queue;dur=/.test(text))).toEqual([false, false, true, true, true, true]);
  expect(order.toSorted()).toEqual(order);
  for (const client of clients) client.destroy();
});

test("a full queue answers 503 with Retry-After", async () => {
  const harness = await start({ options: { queueLimit: 1 } });
  const first = new RawClient(harness.port).send(get);
  await eventually(
    () => harness.router.pending("default/app").queued === 1,
    () => "not queued",
  );
  const second = new RawClient(harness.port).send(get);
  const text = await second.until("pending request queue full");
  expect(text).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/);
  expect(text).toMatch(/Retry-After: 1\r\n/);
  first.destroy();
  second.destroy();
});

test("a known start failure answers the waiting requests with its reason", async () => {
  const harness = await start();
  const client = new RawClient(harness.port).send(get);
  await eventually(
    () => harness.router.pending("default/app").queued === 1,
    () => "not queued",
  );
  harness.router.setStartFailure({ revision: "default/app", reason: "exited with code 3: no database" });
  expect(await client.until("no database")).toMatch(/^HTTP\/1\.1 503 /);
  expect(harness.access.at(-1)).toMatchObject({ status: 503, outcome: "start-failed" });
  client.destroy();
});

test("drain resolves when the last request is answered, and new ones go elsewhere", async () => {
  const harness = await start();
  let finish: (() => void) | undefined;
  const slow = await harness.app((_req, res) => (finish = () => res.end("old")));
  const other = await harness.app((_req, res) => res.end("new"));
  harness.ready(slow, "a");
  const first = new RawClient(harness.port).send(get);
  await eventually(
    () => finish !== undefined,
    () => "not in flight",
  );
  let drained = false;
  const draining = harness.router.drain("a").then(() => (drained = true));
  harness.ready(other, "b");
  await new RawClient(harness.port).send(get).until("new");
  expect(drained).toBe(false);
  finish?.();
  await first.until("old");
  await draining;
});

test("a deleted revision answers 404", async () => {
  const harness = await start();
  harness.router.applyRevision("default/app", undefined);
  expect(await new RawClient(harness.port).send(get).until("\n\r\n")).toMatch(/^HTTP\/1\.1 404 /);
  harness.router.applyRevision("default/app", makeRevision("app", {}));
});

test("load is reported at once after a quiet time and then by the second", async () => {
  const harness = await start();
  harness.ready(await harness.app((_req, res) => res.end("ok")));
  await new RawClient(harness.port).send(get).until("ok");
  expect(harness.load.reports[0]).toMatchObject({ revision: "default/app", averageConcurrency: 1, requestCount: 1 });
  await eventually(
    () => harness.load.reports.length > 1,
    () => "no report by the second",
  );
  expect(harness.load.reports[1]).toMatchObject({ requestCount: 0, readyInstances: 1 });
});

test("close lets the request under way finish, takes no new connection, and ends idle ones", async () => {
  const harness = await start();
  let finish: (() => void) | undefined;
  harness.ready(await harness.app((_req, res) => (finish = () => res.end("last"))));
  const busy = new RawClient(harness.port).send(get);
  const idle = new RawClient(harness.port);
  await eventually(
    () => finish !== undefined,
    () => "not in flight",
  );
  const closing = harness.router.close();
  await idle.toEnd();
  idle.destroy();
  finish?.();
  expect(await busy.toEnd()).toMatch(/Connection: close\r\n[^]*last$/);
  busy.destroy();
  await closing;
  const late = new RawClient(harness.port);
  await late.toEnd();
  expect(late.received).toBe("");
});

test("close ends what is still under way at its deadline", async () => {
  const harness = await start({ options: { closeMs: 50 } });
  let arrived = false;
  harness.ready(await harness.app(() => (arrived = true)));
  const busy = new RawClient(harness.port).send(get);
  await eventually(
    () => arrived,
    () => "not in flight",
  );
  await harness.router.close();
  await busy.toEnd();
});

test("an option out of range is refused by name", async () => {
  await expect(startHarness({ options: { queueLimit: 0 } })).rejects.toThrow(/router option "queueLimit".*at least 1/);
});

test("a deleted revision leaves nothing behind once its routes, instances and requests are gone", async () => {
  const harness = await start();
  const { router } = harness;
  const address = await harness.app((_req, res) => res.end("ok"));
  for (let i = 0; i < 20; i++) {
    const revision = `default/app-${i}`;
    router.applyRevision(revision, makeRevision(`app-${i}`, {}));
    router.applyIngress("default/app.test", makeIngress("app.test", { [`app-${i}`]: 100 }));
    const event = { revision, id: `i-${i}`, address, protocol: "http1" } as const;
    router.applyInstance({ type: "ready", ...event });
    await new RawClient(harness.port).send(get).until("ok");
    router.applyInstance({ type: "gone", ...event });
    router.applyRevision(revision, undefined);
    expect(router.revisionCount).toBe(2);
  }
  router.applyIngress("default/app.test", undefined);
  expect(router.revisionCount).toBe(1);
  expect([...router.metrics.revisions.keys()]).toEqual([]);
});

test("an instance with a socket of the Unix domain is asked there, not by its port", async () => {
  const harness = await start();
  const closed = await harness.app(() => undefined);
  const { server, path } = await pathServer((_req, res) => res.end("by path"));
  harness.ready({ ...closed, path });
  await new RawClient(harness.port).send(get).until("by path");
  await closeServer(server);
});

test("an instance that is coming is connected to before it is ready, and asked nothing", async () => {
  const harness = await start();
  const seen: string[] = [];
  const address = await harness.app((_req, res) => {
    seen.push("request");
    res.end("served");
  });
  const { server, path } = await pathServer((_req, res) => res.end("by path"));
  let connections = 0;
  server.on("connection", () => connections++);
  harness.event("coming", { ...address, path });
  const client = new RawClient(harness.port).send(get);
  await eventually(
    () => connections === 1 && harness.load.demands.length === 1,
    () => `${connections} connections, ${harness.load.demands.length} demands`,
  );
  expect(harness.router.pending("default/app")).toEqual({ queued: 1, present: 1, instances: 0 });
  harness.ready({ ...address, path });
  await client.until("by path");
  expect([connections, seen]).toEqual([1, []]);
  await closeServer(server);
});

test("a connection made for an instance that then serves elsewhere, or ends, is closed unused", async () => {
  const harness = await start();
  const address = await harness.app((_req, res) => res.end("own server"));
  const { server, path } = await pathServer(() => expect.unreachable("asked where nothing serves"));
  const open = (): Promise<number> =>
    new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
  for (const end of ["ready", "draining", "gone"] as const) {
    const id = `${end}-instance`;
    harness.event("coming", { ...address, port: 0, path }, id);
    await expect.poll(open).toBe(1);
    harness.event(end, address, id);
    await expect.poll(open).toBe(0);
  }
  await new RawClient(harness.port).send(get).until("own server");
  await closeServer(server);
});

async function pathServer(listener: RequestListener): Promise<{ readonly server: Server; readonly path: string }> {
  const server = createServer(listener);
  const path = join(await mkdtemp(join(tmpdir(), "ebb-router-")), "app");
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return { server, path };
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
