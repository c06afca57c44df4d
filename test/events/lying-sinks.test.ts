/** Sinks that answer as no HTTP server should: over real sockets, byte by byte. */
import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ConsumerSpec } from "../../src/api/eventing/engine.ts";
import { broker, brokerSpec, startPlane, startSink, triggerSpec, type Plane, type Sink } from "./event-plane.ts";

interface RawSink {
  readonly url: string;
  /** Requests as they came, head and body. */
  readonly requests: string[];
  /** Who has sent a request is answered by this; `count` from 1. */
  answer: (socket: Socket, count: number) => void;
  readonly server: Server;
  close(): Promise<void>;
}

async function startRawSink(): Promise<RawSink> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).once("close", () => sockets.delete(socket));
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      for (;;) {
        const head = text.indexOf("\r\n\r\n");
        const length = Number(/content-length: (\d+)/i.exec(text.slice(0, Math.max(0, head)))?.[1] ?? 0);
        if (head === -1 || text.length < head + 4 + length) return;
        sink.requests.push(text.slice(0, head + 4 + length));
        text = text.slice(head + 4 + length);
        sink.answer(socket, sink.requests.length);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const sink: RawSink = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests: [],
    answer: (socket) => void socket.write(ok),
    server,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return sink;
}

const ok = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
/** Of a busy machine. */
const within = { timeout: 10_000 };
const quick = { backoffPolicy: "exponential", backoffDelayMs: 10 } as const;
let plane: Plane;
let sink: RawSink;
let dead: Sink;
beforeEach(async () => {
  plane = await startPlane();
  await plane.engine.setStream(brokerSpec);
  [sink, dead] = [await startRawSink(), await startSink()];
});
afterEach(async () => {
  await plane.close();
  await sink.close();
  await dead.close();
});
const deliver = (more: Partial<ConsumerSpec> = {}): Promise<void> =>
  plane.engine.setConsumer(
    triggerSpec(sink.url, { delivery: { retry: 2, ...quick }, deadLetter: { url: dead.url }, ...more }),
  );
const send = async (id: string): Promise<void> => {
  expect((await plane.send("/default/orders", id)).status).toBe(202);
};
const state = (): ReturnType<Plane["engine"]["consumers"]>[number] | undefined => plane.engine.consumers()[0];
const idOf = (request: string | undefined): string | undefined => /^ce-id: (.*)$/im.exec(request ?? "")?.[1]?.trim();

test.each<[string, (socket: Socket) => void]>([
  ["says it is longer than it is", (socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this")],
  [
    "cuts its chunks off",
    (socket) => socket.end("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n100\r\nnot"),
  ],
  ["ends in the middle of its head", (socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-le")],
  [
    "is reset in the middle",
    (socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhal", () => socket.resetAndDestroy()),
  ],
  ["is no HTTP", (socket) => socket.write("220 mail.example ESMTP\r\n")],
  ["names two lengths", (socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\ncontent-length: 5\r\n\r\n")],
  ["has a head without end", (socket) => socket.write(`HTTP/1.1 200 OK\r\nx: ${"y".repeat(100_000)}\r\n`)],
  [
    "changes the protocol",
    (socket) => socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
  ],
])("an answer that %s is none: another attempt delivers the event", async (_what, answer) => {
  sink.answer = (socket, count) => (count === 1 ? answer(socket) : void socket.write(ok));
  await deliver();
  await send("1");
  await expect.poll(() => state(), within).toMatchObject({ lag: 0, delivered: 1, retried: 1, deadLettered: 0 });
  expect(sink.requests.map(idOf)).toEqual(["1", "1"]);
  expect(sink.requests[1]).toMatch(/ebb-delivery-attempt: 2/i);
});

test.each([
  ["bytes", "and some more"],
  ["another answer", "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n"],
])("an answer followed by %s is what it says, and what follows is nobody's", async (_what, more) => {
  sink.answer = (socket, count) => void socket.write(count === 1 ? `${ok}${more}` : ok);
  await deliver({ maxInFlight: 1 });
  for (const id of ["1", "2", "3"]) await send(id);
  await expect.poll(() => state(), within).toMatchObject({ lag: 0, delivered: 3, deadLettered: 0 });
  expect(new Set(sink.requests.map(idOf))).toEqual(new Set(["1", "2", "3"]));
});

test("a sink that never answers has its time, its attempts, and then its events are dead letters with status 500", async () => {
  sink.answer = () => undefined;
  await deliver({ delivery: { retry: 1, timeoutMs: 100, ...quick } });
  await send("1");
  await expect.poll(() => dead.received.length, within).toBe(1);
  expect(dead.received[0]?.headers).toMatchObject({ "ce-id": "1", "ce-knativeerrorcode": "500" });
  expect(sink.requests.length).toBe(2);
  expect(Buffer.from(String(dead.received[0]?.headers["ce-knativeerrordata"]), "base64").toString()).toContain(
    "no answer within 0.1 s",
  );
});

test("an answer after the time-out counts for nothing, and is not taken for the next one's", async () => {
  sink.answer = (socket, count) => void setTimeout(() => socket.write(ok), count === 1 ? 300 : 0);
  await deliver({ delivery: { retry: 3, timeoutMs: 100, ...quick }, maxInFlight: 1 });
  await send("1");
  await send("2");
  await expect.poll(() => state(), within).toMatchObject({ lag: 0, delivered: 2, retried: 1 });
  await new Promise((done) => setTimeout(done, 350));
  expect(state()).toMatchObject({ delivered: 2, retried: 1, deadLettered: 0 });
  expect(sink.requests.map(idOf).filter((id) => id === "1").length).toBe(2);
});

test("an answer that begins within the time-out and never ends is cut off with it", async () => {
  sink.answer = (socket, count) => {
    if (count > 1) return void socket.write(ok);
    socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    const drip = setInterval(() => socket.write("1\r\nx\r\n"), 20);
    socket.once("close", () => clearInterval(drip));
  };
  await deliver({ delivery: { retry: 1, timeoutMs: 200, ...quick } });
  await send("1");
  await expect.poll(() => state(), within).toMatchObject({ lag: 0, delivered: 1, retried: 1 });
});

test("interim answers are waited out", async () => {
  sink.answer = (socket) =>
    void socket.write(`HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n${ok}`);
  await deliver();
  await send("1");
  await expect.poll(() => state(), within).toMatchObject({ lag: 0, delivered: 1, retried: 0 });
});

test("an answer without end is read to 8 MiB, and its connection ended", async () => {
  let [written, closed] = [0, false];
  sink.answer = (socket) => {
    socket.write("HTTP/1.1 200 OK\r\ncontent-type: application/cloudevents+json\r\ntransfer-encoding: chunked\r\n\r\n");
    socket.once("close", () => (closed = true));
    const piece = `10000\r\n${"x".repeat(65_536)}\r\n`;
    const more = (): void => {
      while (!socket.destroyed && socket.write(piece)) written += 65_536;
      written += 65_536;
      if (!socket.destroyed) socket.once("drain", more);
    };
    more();
  };
  await deliver();
  await send("1");
  await expect.poll(() => state(), within).toMatchObject({ lag: 0, delivered: 1 });
  expect(state()?.trouble).toContain("longer than 8 MiB");
  await expect.poll(() => closed, within).toBe(true);
  expect(written).toBeLessThan(64 * 1024 * 1024);
});

test("a poison event becomes a dead letter with its very bytes", async () => {
  const bytes = Buffer.from(Array.from({ length: 512 }, (_, n) => n % 256));
  const got: Buffer[] = [];
  const bytesSink = await startRawSink();
  bytesSink.answer = (socket, count) => {
    const request = bytesSink.requests[count - 1] ?? "";
    got.push(Buffer.from(request.slice(request.indexOf("\r\n\r\n") + 4), "latin1"));
    socket.write(ok);
  };
  sink.answer = (socket) => void socket.write("HTTP/1.1 422 Unprocessable\r\ncontent-length: 3\r\n\r\nbad");
  await deliver({ deadLetter: { url: bytesSink.url } });
  const response = await fetch(`${plane.url}/default/orders`, {
    method: "POST",
    headers: {
      "ce-specversion": "1.0",
      "ce-id": "poison",
      "ce-source": "/test",
      "ce-type": "order",
      "content-type": "application/octet-stream",
    },
    body: bytes,
  });
  expect(response.status).toBe(202);
  await expect.poll(() => got.length, within).toBe(1);
  expect(got[0]?.equals(bytes)).toBe(true);
  expect(bytesSink.requests[0]).toMatch(/ce-knativeerrorcode: 422/i);
  expect(sink.requests.length).toBe(1);
  await bytesSink.close();
});

test("a broker may be edited and deleted with events under way; one made anew under its name begins empty", async () => {
  const waiting: Socket[] = [];
  sink.answer = (socket) => void waiting.push(socket);
  await deliver();
  for (const id of ["1", "2", "3"]) await send(id);
  await expect.poll(() => waiting.length, within).toBe(3);
  await plane.engine.setStream({ ...brokerSpec, retention: { maxCount: 100_000 } });
  await send("4");
  await expect.poll(() => waiting.length, within).toBe(4);
  const sending = Promise.all(
    Array.from({ length: 20 }, async (_, n) => (await plane.send("/default/orders", `late-${n}`)).status),
  );
  await plane.engine.removeStream(broker, "u1");
  for (const status of await sending) expect([202, 404, 503]).toContain(status);
  expect((await plane.send("/default/orders", "5")).status).toBe(404);
  // Answers to what was under way come when there is nothing left to settle.
  for (const socket of waiting.splice(0)) socket.write(ok);
  sink.answer = (socket) => void socket.write(ok);
  await plane.engine.setStream({ ...brokerSpec, uid: "u2" });
  const before = sink.requests.length;
  await send("6");
  await expect.poll(() => sink.requests.slice(before).map(idOf), within).toEqual(["6"]);
  expect((await plane.engine.read(broker, { after: 0, limit: 9 })).length).toBe(1);
  expect(plane.logged.filter((line) => line.includes("fault of ebb"))).toEqual([]);
});
