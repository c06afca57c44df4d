/** Asynchronous calls of several processes over one real NATS server: each takes any, one carries each out. */
import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/client/clock.ts";
import { createCallFront } from "../../src/events/calls/call-front.ts";
import { Calls } from "../../src/events/calls/calls.ts";
import { createSender } from "../../src/events/delivery/http-sender.ts";
import { openJetStreamStore } from "../../src/events/log/jetstream-store.ts";
import { createConsumerShares } from "../../src/events/sharing/consumer-shares.ts";
import { joinMembers } from "../../src/events/sharing/members.ts";
import { startSink, type Sink } from "./event-plane.ts";
import { makeNats, noNats, type NatsServer } from "./nats-server.ts";
import { silentLogger as log } from "../silent-logger.ts";

interface Process {
  readonly name: string;
  readonly port: number;
  readonly calls: Calls;
  close(): Promise<void>;
  /** As SIGKILL does: nothing is handed over, nothing is said. */
  die(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly id: string;
  readonly body: string;
}

if (noNats !== undefined) test.skip(`processes that share calls: ${noNats}`, () => undefined);

describe.skipIf(noNats !== undefined)("processes that share calls", () => {
  let nats: NatsServer;
  let sink: Sink;
  const open: Process[] = [];

  beforeEach(async () => {
    nats = await makeNats();
    await nats.start();
    sink = await startSink();
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.close()));
    await sink.close();
    await nats.remove();
  });

  async function start(name: string): Promise<Process> {
    const store = await openJetStreamStore({ servers: nats.url, holder: name }, { clock: systemClock, log });
    const { sharing, bus } = store;
    if (!sharing) throw new Error("not shared");
    const members = joinMembers({ self: name, beatMs: 100, deadMs: 1200, joinMs: 300 }, { bus, clock: systemClock });
    const shares = createConsumerShares({ members, sharing, clock: systemClock });
    const sender = createSender({ clock: systemClock, dial: () => ({ origin: sink.url.slice(0, -1) }) });
    const parts = { store, sender, callbackSender: sender, clock: systemClock, log };
    const calls = new Calls({ backoffMs: 50 }, { ...parts, sharing: { shares, sharing, bus, self: name, log } });
    const front = createCallFront({
      calls,
      log,
      isStatusHost: (host) => host === "calls.test",
      statusUrl: (id) => `http://calls.test/calls/${id}`,
    });
    const { port }: AddressInfo = await front.listen({ host: "127.0.0.1", port: 0 });
    await calls.start();
    const end = async (gracefully: boolean): Promise<void> => {
      if (open.includes(made)) open.splice(open.indexOf(made), 1);
      await front.close();
      if (gracefully) {
        members.leave();
        await calls.close(2000);
        members.close();
      }
      await sender.close();
      await store.close();
    };
    const made: Process = { name, port, calls, close: () => end(true), die: () => end(false) };
    open.push(made);
    return made;
  }

  function ask(one: Process, method: string, host: string, path: string, body = ""): Promise<Reply> {
    const headers = host === "calls.test" ? { host } : { host, prefer: "respond-async" };
    return new Promise((resolve, reject) => {
      const sent = request({ port: one.port, host: "127.0.0.1", method, path, headers }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        const id = String(response.headers["x-call-id"]);
        response.on("end", () => resolve({ status: response.statusCode ?? 0, id, body: text }));
      });
      sent.on("error", reject).end(body);
    });
  }
  const call = async (one: Process, host: string): Promise<string> => {
    const { status, id } = await ask(one, "POST", host, "/", "x");
    expect(status).toBe(202);
    return id;
  };
  const stateAt = async (one: Process, id: string): Promise<unknown> =>
    JSON.parse((await ask(one, "GET", "calls.test", `/calls/${id}`)).body);
  const settled = (one: Process, id: string, state: string): Promise<void> =>
    expect.poll(() => stateAt(one, id), { timeout: 15_000 }).toMatchObject({ state }) as Promise<void>;
  const carriesOut = (one: Process): readonly string[] => one.calls.stats().map(({ key }) => key);

  test("each call is carried out once, whoever took it, and all tell of it", async () => {
    const [a, b] = [await start("a"), await start("b")];
    const hosts = ["f.test", "g.test", "h.test", "i.test", "j.test"];
    const ids = await Promise.all(hosts.flatMap((host) => [call(a, host), call(b, host)]));
    for (const [at, id] of ids.entries()) await settled(at % 2 === 0 ? b : a, id, "succeeded");
    expect(sink.received.length).toBe(ids.length);
    expect([...carriesOut(a), ...carriesOut(b)].sort()).toEqual(hosts.map((host) => `calls/to/${host}`));
    expect((await ask(b, "GET", "calls.test", `/calls/${ids[0]}/result`)).status).toBe(200);
  });

  test("what runs elsewhere is told of and cut off by whoever is asked", async () => {
    const [a, b] = [await start("a"), await start("b")];
    sink.answer = () => ({ waitMs: 60_000 });
    const id = await call(a, "f.test");
    await expect.poll(() => sink.received.length, { timeout: 10_000 }).toBe(1);
    for (const one of [a, b]) expect(await stateAt(one, id)).toMatchObject({ state: "running", attempts: 1 });
    const other = carriesOut(a).length > 0 ? b : a;
    expect((await ask(other, "DELETE", "calls.test", `/calls/${id}`)).status).toBe(202);
    for (const one of [a, b]) expect(await stateAt(one, id)).toMatchObject({ state: "cancelled" });
    sink.answer = () => ({});
    const next = await call(other, "f.test");
    await settled(a, next, "succeeded");
    expect(sink.received.length).toBe(2);
  });

  test("who carries out a call and dies is followed by another, which does it again", async () => {
    const [a, b] = [await start("a"), await start("b")];
    sink.answer = () => ({ waitMs: 60_000 });
    const id = await call(a, "f.test");
    await expect.poll(() => sink.received.length, { timeout: 10_000 }).toBe(1);
    const [owner, other] = carriesOut(a).length > 0 ? [a, b] : [b, a];
    sink.answer = () => ({ body: "late" });
    await owner.die();
    await settled(other, id, "succeeded");
    expect(sink.received.length).toBe(2);
    expect((await ask(other, "GET", "calls.test", `/calls/${id}/result`)).body).toBe("late");
  });

  test("calls taken while one leaves and another joins are carried out, none twice", async () => {
    const a = await start("a");
    sink.answer = () => ({ waitMs: 20 });
    const ids: string[] = [];
    const some = async (one: Process): Promise<void> => {
      for (let n = 0; n < 20; n++) ids.push(await call(one, `s${n % 4}.test`));
    };
    await some(a);
    const b = await start("b");
    await some(b);
    await a.close();
    await some(b);
    for (const id of ids) await settled(b, id, "succeeded");
    const times = Object.groupBy(sink.received, ({ headers }) => String(headers["x-call-id"]));
    expect(ids.filter((id) => times[id]?.length !== 1)).toEqual([]);
  });

  test("an answer larger than a message of NATS may be is told of, and not tried for ever", async () => {
    const a = await start("a");
    sink.answer = () => ({ body: "x".repeat(1_100_000) });
    const id = await call(a, "f.test");
    await settled(a, id, "succeeded");
    expect(await stateAt(a, id)).toMatchObject({ reason: expect.stringContaining("1100000 bytes is larger") });
    expect(sink.received.length).toBe(1);
  });
});
