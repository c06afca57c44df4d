import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ConsumerSpec } from "../../src/api/eventing/engine.ts";
import type { EventLoop } from "../../src/events/event-engine.ts";
import { StoreFailure, type EventStore, type EventStream } from "../../src/events/log/event-store.ts";
import { broker, brokerSpec, startPlane, startSink, triggerSpec, type Plane, type Sink } from "./event-plane.ts";

let plane: Plane;
let sink: Sink;
const sinks: Sink[] = [];
const anotherSink = async (): Promise<Sink> => {
  const made = await startSink();
  sinks.push(made);
  return made;
};
beforeEach(async () => {
  plane = await startPlane();
  await plane.engine.setStream(brokerSpec);
  sink = await anotherSink();
});
afterEach(async () => {
  await plane.close();
  await Promise.all(sinks.splice(0).map((one) => one.close()));
});

const deliver = (more: Partial<ConsumerSpec> = {}): Promise<void> =>
  plane.engine.setConsumer(triggerSpec(sink.url, more));
const send = async (...ids: string[]): Promise<void> => {
  for (const id of ids) expect((await plane.send("/default/orders", id)).status).toBe(202);
};
const state = (): ReturnType<Plane["engine"]["consumers"]>[number] | undefined => plane.engine.consumers()[0];
const quick = { backoffPolicy: "exponential", backoffDelayMs: 20 } as const;

test("an event arrives as it was sent, without the hop count, with what delivery adds", async () => {
  await deliver();
  await plane.send(
    "/default/orders",
    "1",
    { "ce-subject": "caf%C3%A9", "ce-ext": "x", traceparent: "00-1-2-01" },
    '{"a":1.0}',
  );
  await expect.poll(() => sink.received.length).toBe(1);
  const { headers, body, path } = sink.received[0] ?? expect.unreachable();
  expect([body, path]).toEqual(['{"a":1.0}', "/"]);
  expect(headers).toMatchObject({
    "ce-id": "1",
    "ce-subject": "caf%C3%A9",
    "ce-ext": "x",
    "content-type": "application/json",
    prefer: "reply",
    "kn-namespace": "default",
    "ebb-delivery-attempt": "1",
    traceparent: "00-1-2-01",
  });
  expect(headers["ce-knativearrivaltime"]).toBeDefined();
  expect(headers["ce-knativebrokerttl"]).toBeUndefined();
});

test("the mode of delivery is the sender's unless the trigger wants another", async () => {
  await deliver({ delivery: { format: "json" } });
  const plain = await anotherSink();
  await plane.engine.setConsumer(triggerSpec(plain.url, { key: "trigger/default/plain" }));
  await send("1");
  await expect.poll(() => sink.received.length + plain.received.length).toBe(2);
  expect(sink.received[0]?.headers["content-type"]).toMatch(/^application\/cloudevents\+json/);
  expect(JSON.parse(sink.received[0]?.body ?? "")).toMatchObject({ id: "1", data: { id: "1" } });
  expect(plain.received[0]?.headers["ce-id"]).toBe("1");
});

test("only what passes the filter is delivered; changing it keeps the position", async () => {
  await deliver({ filter: { attributes: { type: "order" } } });
  await send("1");
  await plane.send("/default/orders", "2", { "ce-type": "other" });
  await expect.poll(() => sink.ids()).toEqual(["1"]);
  await deliver({ filter: { filters: [{ prefix: { type: "oth" } }] } });
  await plane.send("/default/orders", "3", { "ce-type": "other" });
  await expect.poll(() => sink.ids()).toEqual(["1", "3"]);
});

describe("a delivery that fails", () => {
  test("is tried again with growing waits, says which attempt it is, and ends with the dead letter", async () => {
    const dead = await anotherSink();
    sink.answer = () => ({ status: 503, body: '{"e":"db"}' });
    await deliver({ delivery: { retry: 2, ...quick }, deadLetter: { url: dead.url } });
    await send("1");
    await expect.poll(() => dead.received.length).toBe(1);
    expect(sink.received.map(({ headers }) => headers["ebb-delivery-attempt"])).toEqual(["1", "2", "3"]);
    const [a = 0, b = 0, c = 0] = sink.received.map(({ atMs }) => atMs);
    expect(b - a).toBeGreaterThanOrEqual(19);
    expect(c - b).toBeGreaterThanOrEqual(39);
    const { headers, body } = dead.received[0] ?? expect.unreachable();
    expect(headers).toMatchObject({
      "ce-id": "1",
      "ce-knativeerrordest": sink.url,
      "ce-knativeerrorcode": "503",
      "ce-knativeerrordata": "eyJlIjoiZGIifQ==",
    });
    expect(body).toBe('{"id":"1"}');
    await expect.poll(() => state()).toMatchObject({ lag: 0, deadLettered: 1, retried: 2 });
  });

  test.each([
    [400, 1],
    [301, 1],
    [404, 2],
    [429, 2],
    [500, 2],
  ])("with %d is tried %d times with one retry", async (status, attempts) => {
    sink.answer = () => ({ status });
    await deliver({ delivery: { retry: 1, ...quick } });
    await send("1");
    await expect.poll(() => state()?.parked).toBe(1);
    expect(sink.received.length).toBe(attempts);
  });

  test("with nothing but a reset, a time-out or nobody there is one without an answer: 500", async () => {
    const dead = await anotherSink();
    sink.answer = (_received, count) => (count === 1 ? { reset: true } : { waitMs: 2000 });
    await deliver({ delivery: { retry: 1, timeoutMs: 400, ...quick }, deadLetter: { url: dead.url } });
    await send("1");
    await expect.poll(() => dead.received.length).toBe(1);
    const { headers } = dead.received[0] ?? expect.unreachable();
    expect(headers["ce-knativeerrorcode"]).toBe("500");
    expect(Buffer.from(String(headers["ce-knativeerrordata"]), "base64").toString()).toBe(
      "dispatch error: no answer within 0.4 s",
    );
    await deliver({ subscriber: { url: "http://127.0.0.1:1/" }, deadLetter: { url: dead.url } });
    await send("2");
    await expect.poll(() => dead.received.length).toBe(2);
    expect(dead.received[1]?.headers["ce-knativeerrordest"]).toBe("http://127.0.0.1:1/");
  });

  test("waits as long as Retry-After says, up to the most allowed", async () => {
    sink.answer = (_received, count) => (count === 1 ? { status: 429, headers: { "retry-after": "60" } } : {});
    await deliver({ delivery: { retry: 1, retryAfterMaxMs: 150 } });
    await send("1");
    await expect.poll(() => sink.received.length).toBe(2);
    const [a = 0, b = 0] = sink.received.map(({ atMs }) => atMs);
    expect(b - a).toBeGreaterThanOrEqual(148);
  });

  test("does not hold up others, and goes on after a restart where it was", async () => {
    sink.answer = ({ headers }) => (headers["ce-id"] === "1" ? { status: 500 } : {});
    const spec = { delivery: { retry: 5, backoffPolicy: "linear", backoffDelayMs: 400 } } as const;
    await deliver(spec);
    await send("1", "2", "3");
    await expect.poll(() => sink.ids()).toEqual(["1", "2", "3"]);
    plane = await plane.restart();
    await plane.engine.setStream(brokerSpec);
    sink.answer = () => ({});
    await deliver(spec);
    await expect.poll(() => sink.ids()).toEqual(["1", "2", "3", "1"]);
    expect(sink.received.at(-1)?.headers["ebb-delivery-attempt"]).toBe("2");
    await expect.poll(() => state()?.lag).toBe(0);
  });
});

describe("dead letters that nobody takes", () => {
  test("are kept whole, listed, and delivered again when asked", async () => {
    sink.answer = () => ({ status: 400 });
    await deliver();
    await send("1", "2");
    await expect.poll(() => state()?.parked).toBe(2);
    plane = await plane.restart();
    await plane.engine.setStream(brokerSpec);
    await deliver();
    const { key } = triggerSpec(sink.url);
    const list = await plane.engine.deadLetters(key, { after: 0, limit: 9 });
    expect(list.map(({ seq, attempts, status, reason }) => ({ seq, attempts, status, reason }))).toEqual([
      { seq: 1, attempts: 1, status: 400, reason: "it answered 400" },
      { seq: 2, attempts: 1, status: 400, reason: "it answered 400" },
    ]);
    expect(await plane.engine.redrive(key, 1)).toBe("it answered 400");
    sink.answer = () => ({});
    expect(await plane.engine.redrive(key, 1)).toBeUndefined();
    await plane.engine.discard(key, 2);
    expect(await plane.engine.deadLetters(key, { after: 0, limit: 9 })).toEqual([]);
    expect(sink.received.at(-1)?.body).toBe('{"id":"1"}');
    expect(await plane.engine.redrive(key, 1)).toBe("there is no dead letter 1");
  });

  test("are kept when the dead letter sink fails too, after its own attempts", async () => {
    const dead = await anotherSink();
    dead.answer = () => ({ status: 503 });
    sink.answer = () => ({ status: 400 });
    await deliver({ delivery: { retry: 2, ...quick }, deadLetter: { url: dead.url } });
    await send("1");
    await expect.poll(() => state()?.parked).toBe(1);
    expect(dead.received.length).toBe(3);
    expect(state()).toMatchObject({ lag: 0 });
  });
});

describe("replies", () => {
  const reply = (id: string, type: string): ReturnType<Sink["answer"]> => ({
    headers: {
      "ce-specversion": "1.0",
      "ce-id": id,
      "ce-source": "/sink",
      "ce-type": type,
      "content-type": "text/plain",
    },
    body: "paid",
  });

  test("go back into the broker, one hop on, before the event is settled", async () => {
    const next = await anotherSink();
    sink.answer = () => reply("r1", "paid");
    await deliver({ reply: "stream", filter: { attributes: { type: "order" } } });
    await plane.engine.setConsumer(
      triggerSpec(next.url, { key: "trigger/default/next", filter: { attributes: { type: "paid" } } }),
    );
    await send("1");
    await expect.poll(() => next.ids()).toEqual(["r1"]);
    expect(next.received[0]?.body).toBe("paid");
    const [, second] = await plane.engine.read(broker, { after: 0, limit: 9 });
    expect(second?.event.attributes["knativebrokerttl"]).toBe(254);
  });

  test("that are the event itself are new ones until the hops are used up; the loop is told", async () => {
    await plane.close();
    const loops: EventLoop[] = [];
    plane = await startPlane({ engine: { hops: 5 }, onLoop: (loop) => void loops.push(loop) });
    await plane.engine.setStream(brokerSpec);
    sink.answer = ({ headers }) => ({
      headers: Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith("ce-"))) as Record<
        string,
        string
      >,
    });
    await deliver({ reply: "stream" });
    await send("1");
    await expect.poll(() => plane.logged.join("\n")).toContain("no hops left");
    expect(sink.received.length).toBe(5);
    expect(loops).toMatchObject([{ stream: broker, from: "trigger/default/t", to: ["trigger/default/t"] }]);
  });

  test("go to the reply's own address, and fail the delivery when that fails", async () => {
    const next = await anotherSink();
    sink.answer = () => reply("r1", "paid");
    next.answer = (_received, count) => (count === 1 ? { status: 500 } : {});
    await deliver({ reply: { url: next.url }, delivery: { retry: 1, ...quick } });
    await send("1");
    await expect.poll(() => next.ids()).toEqual(["r1", "r1"]);
    expect(sink.received.length).toBe(2);
    await expect.poll(() => state()?.lag).toBe(0);
  });

  test.each<[string, ReturnType<Sink["answer"]>]>([
    ["text", { body: "OK" }],
    ["an event after 202", { ...reply("r1", "paid"), status: 202 }],
    ["a broken event", { headers: { "ce-specversion": "1.0", "ce-type": "x" } }],
  ])("that are no events are let be: %s", async (_case, answer) => {
    sink.answer = () => answer;
    await deliver({ reply: "stream" });
    await send("1");
    await expect.poll(() => state()?.delivered).toBe(1);
    expect(sink.received.length).toBe(1);
    expect(plane.engine.stream(broker)?.bounds().last).toBe(1);
  });
});

describe("a consumer", () => {
  test("begins now, at the earliest, at a time or at an id, and is moved back to replay", async () => {
    await send("1", "2", "3");
    const starts = { now: [], earliest: ["1", "2", "3"], id: ["2", "3"], time: [] } as const;
    for (const [from, ids] of Object.entries(starts)) {
      const one = await anotherSink();
      const start = { from, id: "2", timeMs: Date.now() + 60_000 } as NonNullable<ConsumerSpec["start"]>;
      await plane.engine.setConsumer(triggerSpec(one.url, { key: `trigger/default/${from}`, start }));
      await expect.poll(() => one.ids().sort()).toEqual(ids);
    }
    await deliver();
    expect(await plane.engine.replay("trigger/default/t", { from: "id", id: "2" })).toBe("moved");
    await expect.poll(() => sink.ids().sort()).toEqual(["2", "3"]);
    await expect(plane.engine.replay("trigger/default/t", { from: "id", id: "9" })).rejects.toThrow(
      'no event with the id "9"',
    );
    expect(await plane.engine.replay("trigger/default/none", { from: "now" })).toBe("unknown");
  });

  test("that is moved back keeps what waits before that, with its attempts; skipping drops it", async () => {
    sink.answer = ({ headers }) => (headers["ce-id"] === "1" ? { status: 503 } : {});
    await deliver({ delivery: { retry: 5, backoffPolicy: "linear", backoffDelayMs: 400 } });
    await send("1", "2", "3");
    await expect.poll(() => sink.ids().sort()).toEqual(["1", "2", "3"]);
    expect(await plane.engine.replay("trigger/default/t", { from: "id", id: "3" })).toBe("moved");
    await expect.poll(() => sink.ids().filter((id) => id === "3").length).toBe(2);
    sink.answer = () => ({});
    await expect.poll(() => sink.ids().filter((id) => id === "1").length, { timeout: 5000 }).toBe(2);
    expect(sink.received.at(-1)?.headers["ebb-delivery-attempt"]).toBe("2");
    sink.answer = () => ({ status: 503 });
    await send("4");
    await expect.poll(() => sink.ids().includes("4")).toBe(true);
    expect(state()?.lag).toBe(1);
    expect(await plane.engine.replay("trigger/default/t", { from: "now" })).toBe("moved");
    expect(state()?.lag).toBe(0);
  });

  test("that is moved back while events are under way sends those again, and others once", async () => {
    sink.answer = () => ({ waitMs: 200 });
    await deliver();
    await send("1", "2", "3", "4");
    await expect.poll(() => sink.received.length).toBe(4);
    expect(await plane.engine.replay("trigger/default/t", { from: "id", id: "3" })).toBe("moved");
    await expect.poll(() => sink.received.length).toBe(6);
    await expect.poll(() => state()).toMatchObject({ lag: 0, inFlight: 0 });
    const ids = sink.ids();
    expect(ids.slice(0, 4).toSorted()).toEqual(["1", "2", "3", "4"]);
    expect(ids.slice(4).toSorted()).toEqual(["3", "4"]);
  });

  test("waits while it is paused or has no subscriber, and loses nothing", async () => {
    await deliver({ paused: true });
    await send("1");
    expect(state()).toMatchObject({ lag: 1, paused: true });
    await plane.engine.setConsumer(triggerSpec(undefined));
    await send("2");
    expect(sink.received.length).toBe(0);
    await deliver();
    await expect.poll(() => sink.ids().sort()).toEqual(["1", "2"]);
  });

  test("made before its broker begins with the broker; one made anew under its name begins anew", async () => {
    const spec = { kind: "broker", namespace: "default", name: "late", uid: "l" } as const;
    await deliver({ stream: "broker/default/late" });
    await plane.engine.setStream(spec);
    await plane.send("/default/late", "1");
    await expect.poll(() => sink.ids()).toEqual(["1"]);
    await deliver({ stream: "broker/default/late", uid: "t2", start: { from: "earliest" } });
    await expect.poll(() => sink.ids()).toEqual(["1", "1"]);
    await plane.engine.removeConsumer("trigger/default/t", "t1");
    expect(plane.engine.consumers().length).toBe(1);
    await plane.engine.removeConsumer("trigger/default/t", "t2");
    expect(plane.engine.consumers().length).toBe(0);
  });

  test("has no more under way than it may, and one per key when ordered", async () => {
    sink.answer = ({ headers }) => ({ waitMs: headers["ce-partitionkey"] === "a" ? 15 : 1 });
    await deliver({ ordered: true, maxInFlight: 4, start: { from: "earliest" } });
    const keys = ["a", "b", "a", "b", "a", "c", "a", "b", "a", "c"];
    await Promise.all(keys.map((key, n) => plane.send("/default/orders", `${n}`, { "ce-partitionkey": key })));
    await expect.poll(() => sink.received.length).toBe(keys.length);
    const order = (await plane.engine.read(broker, { after: 0, limit: 99 })).map(({ event }) => event.attributes);
    for (const key of ["a", "b", "c"])
      expect(
        sink.received
          .filter(({ headers }) => headers["ce-partitionkey"] === key)
          .map(({ headers }) => headers["ce-id"]),
      ).toEqual(order.filter(({ partitionkey }) => partitionkey === key).map(({ id }) => id));
    expect(sink.most).toBeGreaterThan(1);
    expect(sink.most).toBeLessThanOrEqual(4);
  });

  test("that is ordered keeps its order over failures and a restart", async () => {
    sink.answer = () => ({ status: 500 });
    const spec = { ordered: true, delivery: { retry: 9, backoffPolicy: "linear", backoffDelayMs: 300 } } as const;
    await deliver(spec);
    for (const id of ["1", "2", "3"]) await plane.send("/default/orders", id, { "ce-partitionkey": "a" });
    await expect.poll(() => sink.ids()).toEqual(["1"]);
    plane = await plane.restart();
    await plane.engine.setStream(brokerSpec);
    sink.answer = () => ({});
    await deliver(spec);
    await expect.poll(() => sink.ids()).toEqual(["1", "1", "2", "3"]);
  });

  test("that is ordered goes on by itself when the log could not be read as it began", async () => {
    let failures = 0;
    const unreadable = (store: EventStore): EventStore =>
      new Proxy(store, {
        get(target, name) {
          const member: unknown = Reflect.get(target, name);
          if (name !== "openStream") return typeof member === "function" ? member.bind(target) : member;
          return async (...args: Parameters<EventStore["openStream"]>): Promise<EventStream> => {
            const stream = await target.openStream(...args);
            const { read } = stream;
            stream.recent = () => undefined;
            stream.read = (...at) =>
              failures-- > 0
                ? Promise.reject(new StoreFailure("unavailable", "the log is away"))
                : read.apply(stream, at);
            return stream;
          };
        },
      });
    await plane.close();
    plane = await startPlane({ store: unreadable });
    await plane.engine.setStream(brokerSpec);
    sink.answer = () => ({ status: 500 });
    const spec = { ordered: true, delivery: { retry: 9, backoffPolicy: "linear", backoffDelayMs: 100 } } as const;
    await deliver(spec);
    for (const id of ["1", "2"]) await plane.send("/default/orders", id, { "ce-partitionkey": "a" });
    await expect.poll(() => sink.ids().length).toBeGreaterThan(0);
    plane = await plane.restart();
    await plane.engine.setStream(brokerSpec);
    sink.answer = () => ({});
    const before = sink.ids().length;
    failures = 1;
    await deliver(spec);
    await expect.poll(() => sink.ids().slice(before), { timeout: 5000 }).toEqual(["1", "2"]);
    expect(plane.logged.join()).toContain("could not be read");
  });

  test("with a dead sink stops trying all at once, and goes on by itself when it is back", async () => {
    const { port } = new URL(sink.url);
    await sink.close();
    sinks.splice(0);
    await deliver({ delivery: { retry: 100, ...quick } });
    const other = await anotherSink();
    await plane.engine.setConsumer(triggerSpec(other.url, { key: "trigger/default/other" }));
    const ids = Array.from({ length: 40 }, (_, n) => `${n}`);
    await Promise.all(ids.map((id) => plane.send("/default/orders", id)));
    await expect.poll(() => other.received.length).toBe(40);
    await expect.poll(() => state()?.retried ?? 0).toBeGreaterThanOrEqual(10);
    const tried = state()?.retried ?? 0;
    expect(tried).toBeLessThan(40);
    sink = await startSink(Number(port));
    sinks.push(sink);
    await expect.poll(() => new Set(sink.ids()).size, { timeout: 5000 }).toBe(40);
    await expect.poll(() => state()?.lag).toBe(0);
  });
});

test("what a stream's own retention leaves no room for goes, and a paused consumer is said to be at risk before", async () => {
  await plane.engine.setStream({ ...brokerSpec, retention: { maxCount: 10 } });
  await plane.engine.setConsumer(triggerSpec(undefined, { paused: true }));
  const risk = () => plane.engine.consumers()[0]?.atRisk;
  for (let n = 0; n < 7; n += 1) await plane.send("/default/orders", `e${n}`);
  expect(risk()).toBe(false);
  for (let n = 7; n < 10; n += 1) await plane.send("/default/orders", `e${n}`);
  expect(risk()).toBe(true);
  await plane.engine.setStream({ ...brokerSpec, retention: { maxCount: 4 } });
  await expect.poll(() => plane.engine.streams()[0]?.first, { timeout: 5000 }).toBe(7);
});

test("a stop waits for deliveries under way", async () => {
  sink.answer = () => ({ waitMs: 100 });
  await deliver();
  await send("1");
  await expect.poll(() => sink.received.length).toBe(1);
  plane = await plane.restart();
  await plane.engine.setStream(brokerSpec);
  await deliver();
  await send("2");
  await expect.poll(() => sink.ids()).toEqual(["1", "2"]);
});
