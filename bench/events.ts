/** Events: how many are taken durably, how soon they are delivered, and what many triggers, a dead sink and a long log cost. */
import { execFileSync, fork, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, request, Agent, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { knowsSync, makeNats, noNats } from "../test/events/nats-server.ts";
import { percentile, report, type BenchRow } from "./report.ts";

const path = "/default/bench";
const data = "x".repeat(1000);

interface Trigger {
  readonly name: string;
  readonly url: string;
  readonly type: string;
}

interface Stats {
  readonly cpu: { readonly user: number; readonly system: number };
  readonly rss: number;
  readonly behind: number;
  readonly last: number;
}

interface EventServer {
  readonly port: number;
  ask<T = Stats>(what?: "stats" | "replay" | "collect"): Promise<T>;
  stop(): Promise<void>;
}

/** The engine on a file of its own, or in the NATS server at that URL. */
async function startServer(triggers: readonly Trigger[] = [], nats?: string): Promise<EventServer> {
  const dir = mkdtempSync(join(tmpdir(), "ebb-bench-events-"));
  const args = [nats ?? join(dir, "events.db"), JSON.stringify(triggers)];
  const child: ChildProcess = fork(join(import.meta.dirname, "events-server.ts"), args, {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
    execArgv: ["--expose-gc"],
  });
  const [first] = (await once(child.stdout ?? child, "data")) as [Buffer];
  const { port } = JSON.parse(first.toString()) as { readonly port: number };
  const waiting = new Map<number, (value: unknown) => void>();
  child.on("message", ({ id, value }: { readonly id: number; readonly value: unknown }) => waiting.get(id)?.(value));
  let asked = 0;
  return {
    port,
    ask: <T>(what = "stats") =>
      new Promise<T>((resolve) => {
        asked += 1;
        waiting.set(asked, resolve as (value: unknown) => void);
        child.send({ id: asked, ask: what });
      }),
    async stop() {
      const ended = once(child, "exit");
      child.disconnect();
      await ended;
      rmSync(dir, { recursive: true });
    },
  };
}

const message = (id: string, type: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: bench\r\nce-specversion: 1.0\r\nce-id: ${id}\r\nce-source: /bench\r\nce-type: ${type}\r\ncontent-type: text/plain\r\ncontent-length: ${data.length}\r\n\r\n${data}`;

/** Sends over so many connections, one event after the other on each; resolves to how many were taken. */
async function flood(
  port: number,
  { connections, ms, type }: { readonly connections: number; readonly ms: number; readonly type: string },
): Promise<number> {
  let taken = 0;
  const until = performance.now() + ms;
  const lane = (lane: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket: Socket = connect(port, "127.0.0.1");
      socket.setNoDelay(true);
      let n = 0;
      const next = (): void => void socket.write(message(`${process.hrtime.bigint()}-${lane}-${(n += 1)}`, type));
      socket.on("connect", next).on("error", reject);
      socket.on("data", (chunk) => {
        if (!chunk.includes("HTTP/1.1 202")) return reject(new Error(chunk.toString()));
        taken += 1;
        if (performance.now() < until) next();
        else socket.end(() => resolve());
      });
    });
  await Promise.all(Array.from({ length: connections }, (_, n) => lane(n)));
  return taken;
}

/** A subscriber that answers at once and hands what came to `got`. */
async function startSink(
  got: (id: string, url: string) => void,
): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer((incoming, response) => {
    got(String(incoming.headers["ce-id"]), incoming.url ?? "");
    incoming.resume();
    response.writeHead(200, { "content-length": 0 }).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

async function ingest(): Promise<BenchRow> {
  const { rate, us } = await ingestRate(await startServer());
  const measured = `${rate.toFixed(0)}/s (${us.toFixed(0)} µs of CPU each)`;
  return row("ingest, 1 kB, 16 connections, on disk", measured, "≥ 8,000/s", rate >= 8000);
}

/** How many events a second, and the processor time of each. Stops the server. */
async function ingestRate(server: EventServer): Promise<{ readonly rate: number; readonly us: number }> {
  await flood(server.port, { connections: 16, ms: 1000, type: "t" });
  const [seconds, before] = [5, await server.ask()];
  const taken = await flood(server.port, { connections: 16, ms: seconds * 1000, type: "t" });
  const { cpu } = await server.ask();
  await server.stop();
  return { rate: taken / seconds, us: (cpu.user + cpu.system - before.cpu.user - before.cpu.system) / taken };
}

/**
 * The log in JetStream against `nats bench js pub sync`: 16 clients, 1,000 bytes, each message acknowledged before the
 * next, with message ids, a file store, one copy. Once on a server that syncs to disk before it acknowledges, once on
 * one that does not. Both programs must be there: NATS_SERVER, and nats on the path.
 */
async function jetstream(): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const syncAlways of knowsSync ? [true, false] : [false]) {
    const nats = await makeNats({ syncAlways });
    await nats.start();
    const theirs = natsBench(nats.url, syncAlways ? 25_000 : 100_000);
    const { rate } = await ingestRate(await startServer([], nats.url));
    await nats.remove();
    const what = `ingest into JetStream, ${syncAlways ? "sync_interval always" : "as NATS syncs by itself"}`;
    const ratio = rate / theirs;
    const measured = `${rate.toFixed(0)}/s, nats bench ${theirs.toFixed(0)}/s: ${ratio.toFixed(2)} ×`;
    // What NATS acknowledges without a sync is not durable, which is what the target is for.
    if (syncAlways) rows.push(row(what, measured, "≥ 0.5 × nats bench", ratio >= 0.5));
    else rows.push({ what, measured, target: "none: not durable" });
  }
  return rows;
}

function natsBench(url: string, messages: number): number {
  const settings = ["--clients", "16", "--msgs", `${messages}`, "--size", "1000", "--storage", "file", "--dedup"];
  const args = ["bench", "js", "pub", "sync", "bench.x", "-s", url, ...settings, "--create", "--purge"];
  const output = execFileSync("nats", [...args, "--no-progress", "--no-context"], { encoding: "utf8" });
  const [, rate = ""] = /aggregated stats: ([\d,]+) msgs\/sec/.exec(output) ?? [];
  if (rate === "") throw new Error(`nats bench said something else: ${output}`);
  return Number(rate.replaceAll(",", ""));
}

/** Milliseconds from sending to arriving, at so many a second. */
async function latencies(
  server: EventServer,
  sent: Map<string, number>,
  { rate, ms }: { readonly rate: number; readonly ms: number },
): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const start = performance.now();
  const open = { count: 0 };
  for (let n = 0; n < (rate * ms) / 1000;) {
    const due = Math.floor(((performance.now() - start) * rate) / 1000);
    for (; n < due; n += 1) {
      const id = `l${start.toFixed(0)}-${n}`;
      sent.set(id, performance.now());
      const headers = {
        "ce-specversion": "1.0",
        "ce-id": id,
        "ce-source": "/bench",
        "ce-type": "t",
        "content-type": "text/plain",
        "content-length": data.length,
      };
      open.count += 1;
      request({ port: server.port, host: "127.0.0.1", method: "POST", path, agent, headers }, (response) =>
        response.resume().once("close", () => (open.count -= 1)),
      ).end(data);
    }
    await new Promise((done) => setTimeout(done, 1));
  }
  // All answered, and time for the last to arrive.
  while (open.count > 0) await new Promise((done) => setTimeout(done, 5));
  await new Promise((done) => setTimeout(done, 500));
  agent.destroy();
}

async function delivery(): Promise<BenchRow> {
  const sent = new Map<string, number>();
  const waits: number[] = [];
  const sink = await startSink((id) => waits.push(performance.now() - (sent.get(id) ?? Number.NaN)));
  const server = await startServer([{ name: "t", url: sink.url, type: "" }]);
  await latencies(server, sent, { rate: 1000, ms: 2000 });
  waits.length = 0;
  await latencies(server, sent, { rate: 1000, ms: 8000 });
  await server.stop();
  sink.server.close();
  const [p50, p99] = [percentile(waits, 50), percentile(waits, 99)];
  return row(
    "sent to arrived at a warm sink, 1,000/s",
    `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
    "p50 ≤ 3 ms, p99 ≤ 20 ms",
    p50 <= 3 && p99 <= 20,
  );
}

async function fanOut(): Promise<BenchRow> {
  let arrived = 0;
  const sink = await startSink(() => (arrived += 1));
  const triggers = Array.from({ length: 100 }, (_, n) => ({
    name: `t${n}`,
    url: sink.url,
    type: n === 7 ? "seldom" : `other-${n}`,
  }));
  const server = await startServer(triggers);
  await flood(server.port, { connections: 16, ms: 500, type: "t" });
  const before = await server.ask();
  const start = performance.now();
  const taken = await flood(server.port, { connections: 16, ms: 4000, type: "t" });
  while ((await server.ask()).behind > 0) await new Promise((done) => setTimeout(done, 5));
  const rate = taken / ((performance.now() - start) / 1000);
  const { cpu } = await server.ask();
  const us = (cpu.user + cpu.system - before.cpu.user - before.cpu.system) / taken;
  await flood(server.port, { connections: 1, ms: 10, type: "seldom" });
  while ((await server.ask()).behind > 0) await new Promise((done) => setTimeout(done, 5));
  await server.stop();
  sink.server.close();
  return row(
    "taken and evaluated by 100 triggers",
    `${rate.toFixed(0)}/s × 100 (${us.toFixed(0)} µs of CPU each), ${arrived > 0 ? "the matching one delivered" : "none delivered"}`,
    "≥ 5,000/s × 100",
    rate >= 5000 && arrived > 0,
  );
}

async function deadSink(): Promise<BenchRow> {
  const p99With = async (dead: boolean): Promise<number> => {
    const sent = new Map<string, number>();
    const waits: number[] = [];
    const sink = await startSink((id) => waits.push(performance.now() - (sent.get(id) ?? Number.NaN)));
    const triggers = Array.from({ length: 50 }, (_, n) => ({
      name: `t${n}`,
      url: dead && n === 0 ? "http://127.0.0.1:9/" : sink.url,
      type: "",
    }));
    const server = await startServer(triggers);
    await latencies(server, sent, { rate: 20, ms: 1500 });
    waits.length = 0;
    await latencies(server, sent, { rate: 20, ms: 6000 });
    await server.stop();
    sink.server.close();
    return percentile(waits, 99);
  };
  const [without, withDead] = [await p99With(false), await p99With(true)];
  return row(
    "one dead sink among 50: p99 of the others",
    `${withDead.toFixed(1)} ms, without ${without.toFixed(1)} ms`,
    "within 10 %",
    withDead <= without * 1.1,
  );
}

async function retained(): Promise<readonly BenchRow[]> {
  let arrived = 0;
  const sink = await startSink(() => (arrived += 1));
  const server = await startServer([{ name: "t", url: sink.url, type: "wanted" }]);
  await flood(server.port, { connections: 16, ms: 1000, type: "t" });
  await server.ask("collect");
  const before = await server.ask();
  const batch = (n: number): string =>
    JSON.stringify(
      Array.from({ length: 500 }, (_, k) => ({
        specversion: "1.0",
        id: `${n}-${k}`,
        source: "/bench",
        type: "t",
        datacontenttype: "text/plain",
        data: "x".repeat(900),
      })),
    );
  for (let n = 0; n < 2000; n += 1) {
    const headers = { "content-type": "application/cloudevents-batch+json" };
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method: "POST", headers, body: batch(n) });
    if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`);
  }
  await server.ask("collect");
  const after = await server.ask();
  const start = performance.now();
  await server.ask("replay");
  while ((await server.ask()).behind > 0) await new Promise((done) => setTimeout(done, 20));
  const rate = after.last / ((performance.now() - start) / 1000);
  await server.stop();
  sink.server.close();
  const grown = (after.rss - before.rss) / 1e6;
  return [
    row("1 million retained events: memory", `+${grown.toFixed(0)} MB (${after.last} events)`, "≤ +50 MB", grown <= 50),
    row("replay through a filter", `${rate.toFixed(0)}/s`, "≥ 20,000/s", rate >= 20_000),
  ];
}

const row = (what: string, measured: string, target: string, met: boolean): BenchRow => ({
  what,
  measured,
  target,
  met,
});

const canCompare = noNats === undefined && spawnSync("nats", ["--version"]).status === 0;
if (!canCompare) console.log("nats or nats-server is not on the path: the log in JetStream is not measured");
const parts = { ingest, delivery, fanOut, deadSink, retained, ...(canCompare ? { jetstream } : {}) };
const wanted = process.argv.slice(2);
const rows: BenchRow[] = [];
for (const [name, run] of Object.entries(parts))
  if (wanted.length === 0 || wanted.includes(name)) rows.push(...[await run()].flat());
if (wanted.length === 0) report("events", rows);
else for (const { what, measured, met } of rows) console.log(`${met ? "✓" : "✗"} ${what}: ${measured}`);
