import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../src/client/clock.ts";
import { wantsAsync } from "../../src/events/calls/call.ts";
import { createCallFront, type CallFront } from "../../src/events/calls/call-front.ts";
import { Calls, type CallsOptions } from "../../src/events/calls/calls.ts";
import { createSender, type Sender } from "../../src/events/delivery/http-sender.ts";
import { refusedUrl } from "../../src/events/delivery/public-addresses.ts";
import type { EventStore } from "../../src/events/log/event-store.ts";
import { openSqliteStore } from "../../src/events/log/sqlite-store.ts";
import { startSink, type Sink } from "./event-plane.ts";
import { silentLogger as log } from "../silent-logger.ts";

let dir: string;
let sink: Sink;
let store: EventStore;
let calls: Calls;
let sender: Sender;
let front: CallFront;
let at: AddressInfo;

async function start(options: CallsOptions = {}): Promise<void> {
  store = openSqliteStore({ path: join(dir, "events.db") }, systemClock);
  sender = createSender({
    clock: systemClock,
    dial: (url) => (url.hostname.endsWith(".test") ? { origin: sink.url.slice(0, -1) } : undefined),
    only: { loopback: true },
  });
  calls = new Calls({ backoffMs: 10, ...options }, { store, sender, callbackSender: sender, clock: systemClock, log });
  front = createCallFront({
    calls,
    log,
    isStatusHost: (host) => host === "calls.test",
    statusUrl: (id) => `http://calls.test/calls/${id}`,
    refuses: (callback) => refusedUrl(callback, { loopback: true }),
  });
  at = await front.listen({ host: "127.0.0.1", port: 0 });
  await calls.start();
}
async function stop(): Promise<void> {
  await front.close();
  await calls.close(0);
  await sender.close();
  await store.close();
}
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "ebb-calls-"));
  sink = await startSink();
  await start();
});
afterEach(async () => {
  await stop();
  await sink.close();
  rmSync(dir, { recursive: true });
});

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}
const ask = (
  method: string,
  host: string,
  path: string,
  more: Readonly<Record<string, string>> = {},
  body = "",
): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const sent = request({ port: at.port, host: "127.0.0.1", method, path, headers: { ...more, host } }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    sent.on("error", reject).end(body);
  });
const call = async (more: Readonly<Record<string, string>> = {}, body = "hello"): Promise<string> => {
  const reply = await ask(
    "POST",
    "f.test",
    "/a?b=c",
    { prefer: "respond-async", "content-type": "text/plain", ...more },
    body,
  );
  expect(reply.status).toBe(202);
  return String(reply.headers["x-call-id"]);
};
const about = (id: string, rest = ""): Promise<Reply> => ask("GET", "calls.test", `/calls/${id}${rest}`);
const stateOf = async (id: string): Promise<Record<string, unknown>> =>
  JSON.parse((await about(id)).body) as Record<string, unknown>;
const settled = (id: string, state: string): Promise<void> =>
  expect.poll(() => stateOf(id), { timeout: 5000 }).toMatchObject({ state }) as Promise<void>;

test("a call is taken at once, carried out, and its result kept", async () => {
  sink.answer = () => ({ status: 201, headers: { "content-type": "text/x", "x-own": "1" }, body: "done", waitMs: 50 });
  const reply = await ask("PUT", "f.test", "/a?b=c", { prefer: "wait=5, respond-async", "x-mine": "2" }, "hello");
  expect([reply.status, reply.headers["preference-applied"]]).toEqual([202, "respond-async"]);
  const id = String(reply.headers["x-call-id"]);
  expect(reply.headers.location).toBe(`http://calls.test/calls/${id}`);
  await expect.poll(() => stateOf(id)).toMatchObject({ state: "running", attempts: 1 });
  expect((await about(id, "/result")).status).toBe(202);
  await settled(id, "succeeded");
  expect(await stateOf(id)).toMatchObject({
    id,
    status: 201,
    host: "f.test",
    method: "PUT",
    path: "/a?b=c",
    attempts: 1,
  });
  const result = await about(id, "/result");
  expect([result.status, result.body, result.headers["x-own"], result.headers["content-type"]]).toEqual([
    201,
    "done",
    "1",
    "text/x",
  ]);
  const { headers, body, path } = sink.received[0] ?? expect.unreachable();
  expect([path, body]).toEqual(["/a?b=c", "hello"]);
  expect(headers).toMatchObject({ host: "f.test", "x-mine": "2", "x-call-id": id, "ebb-delivery-attempt": "1" });
  expect(headers["prefer"]).toBeUndefined();
});

test("failures worth it are tried again; the last answer is the result, and its reason is told", async () => {
  sink.answer = (_received, count) => (count < 3 ? { status: 503 } : { body: "ok" });
  await settled(await call(), "succeeded");
  sink.answer = () => ({ status: 500, body: "no" });
  const id = await call();
  await settled(id, "failed");
  expect(await stateOf(id)).toMatchObject({ attempts: 4, status: 500, reason: "it answered 500" });
  expect((await about(id, "/result")).body).toBe("no");
  sink.answer = () => ({ status: 400, body: "bad" });
  const bad = await call();
  await settled(bad, "failed");
  expect(await stateOf(bad)).toMatchObject({ attempts: 1, status: 400 });
});

test("a call nobody answers is 503 in the end", async () => {
  sink.answer = () => ({ reset: true });
  const id = await call();
  await settled(id, "failed");
  expect(await stateOf(id)).toMatchObject({ attempts: 4, status: 503 });
  expect((await about(id, "/result")).status).toBe(503);
});

test("the callback gets the result with the headers of such callbacks, and is tried again", async () => {
  const callback = await startSink();
  callback.answer = (_received, count) => (count === 1 ? { status: 500 } : {});
  sink.answer = (_received, count) =>
    count === 1 ? { status: 503 } : { status: 200, headers: { "content-type": "a/b", "x-own": "1" }, body: "done" };
  const id = await call({ "x-callback-url": callback.url });
  await expect.poll(() => callback.received.length).toBe(2);
  const { headers, body } = callback.received[1] ?? expect.unreachable();
  expect(body).toBe("done");
  expect(headers).toMatchObject({
    "x-call-id": id,
    "x-function-status": "200",
    "x-function-name": "f",
    "x-own": "1",
    "x-retry": "1",
    "content-type": "a/b",
  });
  expect(Number(headers["x-duration-seconds"])).toBeGreaterThan(0);
  await callback.close();
});

test("a cancelled call is not carried out, or cut off when it is under way", async () => {
  await stop();
  await start({ maxInFlight: 1 });
  sink.answer = () => ({ waitMs: 60_000 });
  const first = await call();
  await expect.poll(() => sink.received.length).toBe(1);
  const second = await call();
  for (const id of [second, first]) expect((await ask("DELETE", "calls.test", `/calls/${id}`)).status).toBe(202);
  sink.answer = () => ({});
  const third = await call();
  await settled(third, "succeeded");
  expect(sink.received.map(({ headers }) => headers["x-call-id"])).toEqual([first, third]);
  for (const id of [first, second]) expect(await stateOf(id)).toMatchObject({ state: "cancelled" });
  expect((await about(first, "/result")).status).toBe(410);
});

test("what was taken is carried out after a restart", async () => {
  sink.answer = () => ({ waitMs: 60_000 });
  const id = await call();
  await expect.poll(() => sink.received.length).toBe(1);
  await stop();
  sink.answer = () => ({ body: "late" });
  await start();
  await settled(id, "succeeded");
  expect(sink.received.length).toBe(2);
});

test.each<[string, number, () => Promise<Reply>]>([
  ["no wish to be asynchronous", 404, () => ask("POST", "f.test", "/")],
  [
    "a callback to a metadata service",
    400,
    () => ask("POST", "f.test", "/", { prefer: "respond-async", "x-callback-url": "http://169.254.169.254/latest" }),
  ],
  [
    "a callback that is no address",
    400,
    () => ask("POST", "f.test", "/", { prefer: "respond-async", "x-callback-url": "file:///x" }),
  ],
  ["too large a body", 413, () => ask("POST", "f.test", "/", { prefer: "respond-async" }, "x".repeat(1_048_577))],
  ["an unknown call", 404, () => about("00000000-0000-0000-0000-000000000000")],
  ["the result of an unknown call", 404, () => about("00000000-0000-0000-0000-000000000000", "/result")],
  ["something else", 404, () => ask("GET", "calls.test", "/x")],
  ["a wrong method", 405, () => ask("PUT", "calls.test", "/calls/00000000-0000-0000-0000-000000000000")],
])("%s gets %d", async (_case, status, request) => {
  expect((await request()).status).toBe(status);
});

test.each<[string | undefined, boolean]>([
  ["respond-async", true],
  ["Respond-Async; foo=1", true],
  ["return=minimal, respond-async", true],
  ["respond-asynchronously", false],
  ["reply", false],
  [undefined, false],
])("Prefer %s", (prefer, expected) => {
  expect(wantsAsync(prefer)).toBe(expected);
});

test("who may not be reached is not, however the name is spelt", async () => {
  const guarded = createSender({ clock: systemClock, dial: () => undefined, only: { loopback: false } });
  const message = { headers: {}, body: "x", timeoutMs: 5000 };
  const port = new URL(sink.url).port;
  for (const host of ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
    expect(await guarded.send({ url: `http://${host}:${port}/` }, message)).toMatchObject({
      kind: "none",
      reason: expect.stringContaining("may not be called back"),
    });
  expect(sink.received).toEqual([]);
  await guarded.close();
});
