/**
 * Cold starts of a running ebb: a source function from zero, a plain program against its own start-to-listen, and a
 * hundred sleeping functions called at one instant against a hundred bare `node` processes.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createHttpClient, type HttpClient } from "../src/client/http-client.ts";
import { loadKubeconfig } from "../src/client/kubeconfig.ts";
import { startEbb, type EbbProcess } from "../test/e2e/ebb-process.ts";
import { bareNodes } from "./bare-nodes.ts";
import { percentile, report, type BenchRow } from "./report.ts";
import { deployAll, untilAsleep, wake, wakeEach, type Bench } from "./sleeping-services.ts";

async function main(): Promise<void> {
  const ebb = await startEbb();
  const client = createHttpClient(await loadKubeconfig(ebb.kubeconfig, undefined, {}), { userAgent: "ebb-bench" });
  const rows: BenchRow[] = [];
  try {
    rows.push(...(await sourceFunction(ebb, client)));
    rows.push(...(await plainProgram(ebb, client)));
    rows.push(...(await burst({ ebb, client }, 100)));
  } finally {
    await client.close();
    await ebb.stop();
  }
  report("cold-start", rows);
}

async function sourceFunction(ebb: EbbProcess, client: HttpClient): Promise<BenchRow[]> {
  await writeFile(join(ebb.dir, "cold.ts"), 'export default { fetch: () => new Response("hi") };');
  const names = Array.from({ length: 10 }, (_, i) => `cold${i}`);
  await deployAll({ ebb, client }, names, join(ebb.dir, "cold.ts"));
  const times: number[] = [];
  for (let round = 0; round < 3; round++) {
    await untilAsleep(client);
    times.push(...(await wakeEach(ebb, names)));
  }
  const [p50, p95] = [percentile(times, 50), percentile(times, 95)];
  const what = (p: string): string => `cold start of a source function, ${p} of ${times.length}`;
  return [
    { what: what("p50"), measured: `${p50.toFixed(1)} ms`, target: "≤ 5 ms", met: p50 <= 5 },
    { what: what("p95"), measured: `${p95.toFixed(1)} ms`, target: "≤ 8 ms", met: p95 <= 8 },
  ];
}

/** Says on its standard output when it listens: nobody has to ask, which would slow it down. */
const plain = `import http.server, os
server = http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), http.server.SimpleHTTPRequestHandler)
os.write(1, b"listening\\n")
server.serve_forever()
`;

async function plainProgram(ebb: EbbProcess, client: HttpClient): Promise<BenchRow[]> {
  const dir = join(ebb.dir, "plain");
  await mkdir(dir);
  await writeFile(join(dir, "app.py"), plain);
  const names = ["plain0", "plain1", "plain2", "plain3"];
  const command = ["python3", "-u", "app.py"];
  // With a command of its own it is a program like any other, and no host waits for it.
  await deployAll({ ebb, client }, names, dir, command);
  const own: number[] = [];
  const through: number[] = [];
  for (let round = 0; round < 4; round++) {
    await untilAsleep(client);
    for (const name of names) {
      await sleep(700);
      own.push(await startToListen(command, dir));
      through.push(...(await wakeEach(ebb, [name])));
    }
  }
  const added = percentile(through, 50) - percentile(own, 50);
  const measured = `${percentile(own, 50).toFixed(1)} + ${added.toFixed(1)} ms`;
  return [
    { what: "cold start of a plain program (python3)", measured, target: "its own start + 10 ms", met: added <= 10 },
  ];
}

/** Milliseconds from the spawn to the program's word that it listens. */
async function startToListen([program = "", ...args]: readonly string[], cwd: string): Promise<number> {
  // As ebb gives it: what a shell's PATH has in front of the real program is no part of its start.
  const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  const env = { PATH: path, HOME: cwd, TMPDIR: cwd, LANG: "C.UTF-8", PORT: "0" };
  const began = performance.now();
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "ignore"] });
  await once(child.stdout, "data");
  const ms = performance.now() - began;
  child.kill("SIGKILL");
  await once(child, "exit");
  return ms;
}

async function burst({ ebb, client }: Bench, count: number): Promise<BenchRow[]> {
  await writeFile(join(ebb.dir, "burst.ts"), 'export default { fetch: () => new Response("hi") };');
  const names = Array.from({ length: count }, (_, i) => `burst${i}`);
  await deployAll({ ebb, client }, names, join(ebb.dir, "burst.ts"));
  await untilAsleep(client);
  await sleep(5000);
  const bare = await bareNodes(count);
  await sleep(2000);
  const began = performance.now();
  const ends = await Promise.all(
    names.map(async (name) => {
      await wake(ebb, name);
      return performance.now() - began;
    }),
  );
  ends.sort((a, b) => a - b);
  const [tenth = Number.NaN, last = Number.NaN] = [ends[9], ends.at(-1)];
  return [
    {
      what: `${count} sleeping functions at once: the first ten`,
      measured: `${tenth.toFixed(0)} ms`,
      target: "≤ 60 ms",
      met: tenth <= 60,
    },
    {
      what: `${count} sleeping functions at once: the last, against ${count} bare node starts`,
      measured: `${last.toFixed(0)} / ${bare.toFixed(0)} ms = ${(last / bare).toFixed(2)}`,
      target: "≤ 1.3",
      met: last / bare <= 1.3,
    },
  ];
}

/** Starts `count` bare node processes at once; milliseconds until the last has ended its empty program. */
await main();
