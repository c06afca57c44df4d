/**
 * What the Node host adds to a request: the same function as fetch, (req, res) and a Lambda handler in a host, against the
 * same code on bare node:http, in turns, by processor time of the serving process per request; and the processor time a
 * cold host takes until a Lambda handler is ready, against the same code as fetch.
 *
 *     node bench/host-overhead.ts [requests per round, default 8000] [rounds, default 5]
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostProgram } from "../src/functions/hosts/host-program.ts";
import { startHost } from "../src/functions/pool/host-process.ts";
import { percentile, report, type BenchRow } from "./report.ts";

const requests = Number(process.argv[2] ?? 8000);
const rounds = Number(process.argv[3] ?? 5);
const connections = 16;

const programs: Readonly<Record<string, string>> = {
  "bare.mjs":
    'import { createServer } from "node:http";\n' +
    'createServer((req, res) => { const name = new URL(req.url, "http://x").searchParams.get("name") ?? "world";\n' +
    'const body = JSON.stringify({ hello: name }); res.writeHead(200, { "content-type": "application/json", "content-length": body.length }); res.end(body); })\n' +
    '.listen(0, "127.0.0.1", function () { process.send(this.address().port); });\n',
  "node-http.mjs":
    'export default (req, res) => { const name = new URL(req.url, "http://x").searchParams.get("name") ?? "world";\n' +
    'const body = JSON.stringify({ hello: name }); res.writeHead(200, { "content-type": "application/json", "content-length": body.length }); res.end(body); };\n',
  "fetch.mjs":
    'export default { fetch(request) { const name = new URL(request.url).searchParams.get("name") ?? "world";\n' +
    "return Response.json({ hello: name }); } };\n",
  "lambda.mjs":
    'export const handler = async (event) => { const name = event.queryStringParameters?.name ?? "world";\n' +
    "return { hello: name }; };\n",
};

interface Contender {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  end(): Promise<void>;
}

const dir = mkdtempSync(join(tmpdir(), "ebb-bench-host-"));
for (const [name, text] of Object.entries(programs)) writeFileSync(join(dir, name), text);
const programPath = await hostProgram("node", join(tmpdir(), "ebb-test-cache"));

async function bare(): Promise<Contender> {
  const child: ChildProcess = spawn(process.execPath, ["--max-semi-space-size=8", join(dir, "bare.mjs")], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const [port] = (await once(child, "message")) as [number];
  return { name: "bare node:http", port, pid: child.pid ?? 0, end: () => end(child.pid ?? 0, once(child, "exit")) };
}

async function hosted(model: "node-http" | "fetch" | "lambda"): Promise<Contender> {
  const command = [process.execPath, "--max-semi-space-size=8", programPath];
  const deps = { command, env: {}, spawned: () => undefined, now: () => Date.now() };
  const host = startHost(deps, "direct");
  host.stdout.resume();
  host.stderr.pipe(process.stderr);
  const entry = join(dir, `${model}.mjs`);
  const { port } = await host.claim({ entry, model, env: {}, cwd: dir, loadTimeoutMs: 10_000 });
  return { name: model, port, pid: host.pid, end: () => end(host.pid, host.exited) };
}

async function end(pid: number, exited: Promise<unknown>): Promise<void> {
  process.kill(pid, "SIGKILL");
  await exited;
}

/** Time on a processor so far, of all its threads, microseconds; proc(5) has it in nanoseconds. */
function cpuOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const ns = threads.map((id) => Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, "latin1").split(" ")[0]));
  return ns.reduce((a, b) => a + b, 0) / 1000;
}

/** Sends requests over kept-alive connections, each waiting for its answer. */
async function load(port: number, count: number): Promise<void> {
  const each = Math.ceil(count / connections);
  await Promise.all(Array.from({ length: connections }, () => loadConnection(port, each)));
}

function loadConnection(port: number, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let left = count;
    const ask = (): void => void socket.write("GET /?name=Ada HTTP/1.1\r\nhost: localhost\r\n\r\n");
    socket.once("error", reject);
    socket.once("connect", ask);
    socket.on("data", (chunk: Buffer) => {
      if (!chunk.includes("hello")) return;
      if (--left === 0) socket.destroy();
      else ask();
    });
    socket.once("close", () => (left === 0 ? resolve() : reject(new Error(`${left} answers missing`))));
  });
}

async function perRequest(contenders: readonly Contender[]): Promise<ReadonlyMap<string, number>> {
  for (const one of contenders) await load(one.port, requests);
  const seen = new Map<string, number[]>(contenders.map((one) => [one.name, []]));
  for (let round = 0; round < rounds; round++)
    for (const one of contenders) {
      const before = cpuOf(one.pid);
      await load(one.port, requests);
      seen.get(one.name)?.push((cpuOf(one.pid) - before) / requests);
    }
  return new Map([...seen].map(([name, values]) => [name, percentile(values, 50)]));
}

/** Processor time of whole host processes until their function is ready, milliseconds: in turns, the median of each. */
async function coldCpu(): Promise<{ readonly fetch: number; readonly lambda: number }> {
  const seen: Record<"fetch" | "lambda", number[]> = { fetch: [], lambda: [] };
  for (let i = 0; i < 25; i++)
    for (const model of ["fetch", "lambda"] as const) {
      const one = await hosted(model);
      seen[model].push(cpuOf(one.pid) / 1000);
      await one.end();
    }
  return { fetch: percentile(seen.fetch, 50), lambda: percentile(seen.lambda, 50) };
}

async function main(): Promise<void> {
  const contenders = [await bare(), await hosted("node-http"), await hosted("fetch"), await hosted("lambda")];
  try {
    const costs = await perRequest(contenders);
    const base = costs.get("bare node:http") ?? Number.NaN;
    const row = (name: string, target?: number): BenchRow => {
      const cost = costs.get(name) ?? Number.NaN;
      const more = cost / base - 1;
      return {
        what: `host overhead per request, ${name} against bare node:http`,
        measured: `${cost.toFixed(1)} / ${base.toFixed(1)} µs = ${(more * 100).toFixed(0)} %`,
        target: target === undefined ? "–" : `≤ ${target} %`,
        ...(target === undefined ? {} : { met: more * 100 <= target }),
      };
    };
    const cold = await coldCpu();
    report("host-overhead", [
      row("node-http", 15),
      row("fetch", 15),
      row("lambda"),
      {
        what: "processor time of a cold host until ready, Lambda handler against fetch",
        measured: `${cold.lambda.toFixed(1)} / ${cold.fetch.toFixed(1)} ms`,
        target: "within 2 ms",
        met: cold.lambda - cold.fetch <= 2,
      },
    ]);
  } finally {
    for (const one of contenders) await one.end();
    rmSync(dir, { recursive: true });
  }
}

await main();
