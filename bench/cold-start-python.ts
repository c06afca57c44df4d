/**
 * Cold starts of Python functions on a running ebb: a hello in three models from zero, ten at one instant, and what
 * waiting hosts cost in memory.
 */
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createHttpClient } from "../src/client/http-client.ts";
import { loadKubeconfig } from "../src/client/kubeconfig.ts";
import { startEbb } from "../test/e2e/ebb-process.ts";
import { percentile, report, type BenchRow } from "./report.ts";
import { deployAll, untilAsleep, wakeEach, type Bench } from "./sleeping-services.ts";

const asgi = `async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hi"})
`;
const lambda = "def lambda_handler(event, context):\n    return {'statusCode': 200, 'body': 'hi'}\n";
const framework = "import functions_framework\n\n@functions_framework.http\ndef hello(request):\n    return 'hi'\n";

async function main(): Promise<void> {
  const ebb = await startEbb();
  const client = createHttpClient(await loadKubeconfig(ebb.kubeconfig, undefined, {}), { userAgent: "ebb-bench" });
  const bench = { ebb, client };
  const rows: BenchRow[] = [];
  try {
    rows.push(
      ...(await fromZero(bench, "an ASGI application", { name: "pyasgi", file: "app.py", text: asgi, rounds: 3 })),
    );
    rows.push(idleMemory());
    rows.push(
      ...(await fromZero(bench, "a Lambda handler", {
        name: "pylambda",
        file: "lambda_function.py",
        text: lambda,
        rounds: 1,
      })),
    );
    rows.push(
      ...(await fromZero(bench, "functions-framework", { name: "pyff", file: "main.py", text: framework, rounds: 1 })),
    );
    rows.push(await burst(bench, 10));
  } finally {
    await client.close();
    await ebb.stop();
  }
  report("cold-start-python", rows);
}

interface Source {
  readonly name: string;
  readonly file: string;
  readonly text: string;
  readonly rounds: number;
}

const count = 10;

async function fromZero(bench: Bench, what: string, { name, file, text, rounds }: Source): Promise<BenchRow[]> {
  const dir = join(bench.ebb.dir, name);
  await mkdir(dir);
  await writeFile(join(dir, file), text);
  const names = Array.from({ length: count }, (_, i) => `${name}${i}`);
  await deployAll(bench, names, dir);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await untilAsleep(bench.client);
    await sleep(1000);
    times.push(...(await wakeEach(bench.ebb, names)));
  }
  const [p50, p95] = [percentile(times, 50), percentile(times, 95)];
  const row = (p: string): string => `cold start of ${what}, ${p} of ${times.length}`;
  return [
    { what: row("p50"), measured: `${p50.toFixed(1)} ms`, target: "≤ 8 ms", met: p50 <= 8 },
    { what: row("p95"), measured: `${p95.toFixed(1)} ms`, target: "≤ 15 ms", met: p95 <= 15 },
  ];
}

/** All of `pyasgi0…9` at one instant. */
async function burst({ ebb, client }: Bench, wanted: number): Promise<BenchRow> {
  await untilAsleep(client);
  await sleep(2000);
  const began = performance.now();
  const ends = await Promise.all(
    Array.from({ length: wanted }, async (_, i) => {
      const answer = await ebb.call(`pyasgi${i}.default.localhost`);
      if (answer.status !== 200) throw new Error(`pyasgi${i} answered ${answer.status}: ${answer.body}`);
      return performance.now() - began;
    }),
  );
  const last = Math.max(...ends);
  const measured = `${last.toFixed(0)} ms`;
  return { what: `${wanted} sleeping functions at once, the last`, measured, target: "≤ 120 ms", met: last <= 120 };
}

/** Proportional set size of hosts that wait: pages shared among them are counted once. */
function idleMemory(): BenchRow {
  const sizes = readdirSync("/proc").flatMap((pid) => {
    try {
      if (!/host-python-\w+\0--/.test(readFileSync(`/proc/${pid}/cmdline`, "utf8"))) return [];
      return [Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1])];
    } catch {
      return [];
    }
  });
  sizes.sort((a, b) => b - a);
  const mb = (kb: number): string => (kb / 1024).toFixed(1);
  const whole = sizes.reduce((sum, kb) => sum + kb, 0);
  const measured = `${mb(sizes[0] ?? 0)} MB + ${sizes.length - 1} × ${mb(sizes[1] ?? 0)} MB = ${mb(whole)} MB`;
  const what = "memory of Python's fork server and the hosts that wait or still run";
  return { what, measured, target: "≤ 100 MB", met: whole <= 100 * 1024 };
}

await main();
