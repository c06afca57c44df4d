/** A reply that reaches another process than the one whose caller waits, over a real NATS server. */
import { createServer, request as send, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/client/clock.ts";
import { createSender } from "../../src/events/delivery/http-sender.ts";
import { openJetStreamStore } from "../../src/events/log/jetstream-store.ts";
import { createSinkEngine, type Sinks } from "../../src/events/sinks/sink-engine.ts";
import { makeNats, noNats, type NatsServer } from "./nats-server.ts";
import { silentLogger as log } from "../silent-logger.ts";

interface Process {
  readonly sinks: Sinks;
  readonly port: () => number;
}

if (noNats !== undefined) test.skip(`replies between processes: ${noNats}`, () => undefined);

describe.skipIf(noNats !== undefined)("a RequestReply that several processes serve", () => {
  let nats: NatsServer;
  let broker: Server;
  /** What the broker was sent: the correlation of each request. */
  let asked: string[] = [];
  const there = new Set<string>();
  const closers: (() => Promise<unknown>)[] = [];

  beforeEach(async () => {
    asked = [];
    nats = await makeNats();
    await nats.start();
    broker = createServer((request, response) => {
      asked.push(String(request.headers["ce-correlationid"]));
      request.resume().on("end", () => response.writeHead(202).end());
    });
    await new Promise<void>((resolve) => void broker.listen(0, "127.0.0.1", resolve));
  });
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
    broker.closeAllConnections();
    broker.close();
    await nats.remove();
  });

  async function start(self: string): Promise<Process> {
    const store = await openJetStreamStore(
      { servers: nats.url, monitorUrl: nats.monitorUrl, holder: self },
      { clock: systemClock, log },
    );
    const sender = createSender({ clock: systemClock, dial: () => undefined });
    let port = 0;
    const sinks = createSinkEngine({
      client: undefined as never,
      clock: systemClock,
      log,
      eventLog: log,
      sender,
      listen: { host: "127.0.0.1", port: 0 },
      onListening: (at) => (port = at.port),
      others: { bus: store.bus, members: { self, isThere: (name) => there.has(name) } },
    });
    there.add(self);
    closers.push(
      () => sinks.close(200),
      () => sender.close(),
      () => store.close(),
    );
    await sinks.setSink({
      key: "request-reply/default/r",
      uid: "u-rr",
      action: {
        kind: "request-reply",
        broker: { url: `http://127.0.0.1:${(broker.address() as AddressInfo).port}/b` },
        correlationAttribute: "correlationid",
        replyAttribute: "replyid",
        timeoutMs: 5000,
      },
    });
    return { sinks, port: () => port };
  }

  const post = (
    { port }: Process,
    path: string,
    headers: Readonly<Record<string, string>>,
    body = "{}",
  ): Promise<{ readonly status: number; readonly body: string }> =>
    new Promise((resolve, reject) => {
      const host = "request-reply.knative-eventing.svc.cluster.local";
      const base = { "ce-specversion": "1.0", "ce-source": "/t", "ce-type": "t", "content-type": "application/json" };
      const options = { host: "127.0.0.1", port: port(), path, method: "POST", headers: { ...base, ...headers, host } };
      const asking = send(options, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => (text += part));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
      });
      asking.on("error", reject).end(body);
    });

  test("is answered by a reply that any of them gets", async () => {
    const [a, b] = [await start("a"), await start("b")];
    const waiting = post(a, "/default/r", { "ce-id": "1" });
    await expect.poll(() => asked.length).toBe(1);
    expect(asked[0]).toMatch(/^1:[\w-]{24}:a:u-rr$/);
    const large = JSON.stringify({ text: "ü".repeat(300_000) });
    const reply = { "ce-id": "re", "ce-replyid": asked[0] ?? "" };
    expect(await post(b, "/default/r/replies", reply, large)).toMatchObject({ status: 202 });
    expect(await waiting).toEqual({ status: 200, body: large });
    // Nobody waits any more: it is taken, too.
    expect(await post(b, "/default/r/replies", reply)).toMatchObject({ status: 202 });
  });

  test("is not answered in place of a process that is not known, and a reply is kept for one that is silent", async () => {
    const b = await start("b");
    const to = (name: string) => post(b, "/default/r/replies", { "ce-id": "re", "ce-replyid": `1:x:${name}:u-rr` });
    expect(await to("stranger")).toMatchObject({ status: 202 });
    there.add("silent");
    expect(await to("silent")).toMatchObject({ status: 503 });
  });
});
