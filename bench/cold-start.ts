/**
 * Cold starts of a running ebb: a source function from zero, a plain program against its own start-to-listen, and a
 * hundred sleeping functions called at one instant against a hundred bare `node` processes.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, startEbb, type EbbProcess } from "../test/e2e/ebb-process.ts";
import { percentile, report, type BenchRow } from "./report.ts";

const window = "autoscaling.knative.dev/window: 6s";

async function main(): Promise<void> {
  const ebb = await startEbb();
  const rows: BenchRow[] = [];
  try {
    rows.push(...(await sourceFunction(ebb, 20)), ...(await plainProgram(ebb, 8)), ...(await burst(ebb, 100)));
  } finally {
    await ebb.stop();
  }
  report("cold-start", rows);
}

/** Ends all instances of a service at once, so that the next call finds it asleep; waits until the pods are gone. */
async function putToSleep(ebb: EbbProcess, selector: string): Promise<void> {
  await eventually(
    `${selector} asleep`,
    async () => {
      const pods = await ebb.kubectl(["get", "pods", "-l", selector, "-o", "name"]);
      return pods.code === 0 && pods.stdout === "" ? true : undefined;
    },
    { deadlineMs: 120_000 },
  );
  // Let the warm pool fill up again: what is measured is a wake, not a wake beside a refill.
  await sleep(1000);
}

async function sourceFunction(ebb: EbbProcess, runs: number): Promise<BenchRow[]> {
  await writeFile(join(ebb.dir, "cold.ts"), 'export default { fetch: () => new Response("hi") };');
  await deployAll(ebb, ["cold"], join(ebb.dir, "cold.ts"));
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    await putToSleep(ebb, "serving.knative.dev/service=cold");
    const answer = await ebb.call("cold.default.localhost");
    if (answer.status !== 200) throw new Error(`cold start answered ${answer.status}: ${answer.body}`);
    times.push(answer.ms);
  }
  const [p50, p95] = [percentile(times, 50), percentile(times, 95)];
  return [
    {
      what: `cold start of a source function, p50 of ${runs}`,
      measured: `${p50.toFixed(1)} ms`,
      target: "≤ 5 ms",
      met: p50 <= 5,
    },
    {
      what: `cold start of a source function, p95 of ${runs}`,
      measured: `${p95.toFixed(1)} ms`,
      target: "≤ 8 ms",
      met: p95 <= 8,
    },
  ];
}

async function plainProgram(ebb: EbbProcess, runs: number): Promise<BenchRow[]> {
  const dir = join(ebb.dir, "plain");
  await mkdir(dir);
  const program =
    'import http.server, os\nhttp.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), http.server.SimpleHTTPRequestHandler).serve_forever()\n';
  await writeFile(join(dir, "app.py"), program);
  await deployAll(ebb, ["plain"], dir);
  const own: number[] = [];
  const through: number[] = [];
  for (let i = 0; i < runs; i++) {
    own.push(await startToListen(["python3", "-u", join(dir, "app.py")], 20_000 + i));
    await putToSleep(ebb, "serving.knative.dev/service=plain");
    through.push((await ebb.call("plain.default.localhost")).ms);
  }
  const added = percentile(through, 50) - percentile(own, 50);
  const measured = `${percentile(own, 50).toFixed(1)} + ${added.toFixed(1)} ms`;
  return [
    { what: "cold start of a plain program (python3)", measured, target: "its own start + 10 ms", met: added <= 10 },
  ];
}

async function startToListen(command: readonly string[], port: number): Promise<number> {
  const [program = "", ...args] = command;
  const began = performance.now();
  const child = spawn(program, args, { env: { PATH: process.env["PATH"], PORT: String(port) }, stdio: "ignore" });
  for (;;) {
    const open = await new Promise<boolean>((done) => {
      const socket = connect(port, "127.0.0.1", () => done(true)).on("error", () => done(false));
      socket.unref();
    });
    if (open) break;
    await sleep(1);
  }
  const ms = performance.now() - began;
  child.kill("SIGKILL");
  await once(child, "exit");
  return ms;
}

async function burst(ebb: EbbProcess, count: number): Promise<BenchRow[]> {
  await writeFile(join(ebb.dir, "burst.ts"), 'export default { fetch: () => new Response("hi") };');
  const names = Array.from({ length: count }, (_, i) => `burst${i}`);
  await deployAll(ebb, names, join(ebb.dir, "burst.ts"));
  for (const name of names) await putToSleep(ebb, `serving.knative.dev/service=${name}`);
  await sleep(5000);
  const bare = await bareNodes(count);
  const began = performance.now();
  const ends = await Promise.all(
    names.map(async (name) => {
      const answer = await ebb.call(`${name}.default.localhost`);
      if (answer.status !== 200) throw new Error(`${name} answered ${answer.status}: ${answer.body}`);
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
async function bareNodes(count: number): Promise<number> {
  const began = performance.now();
  await Promise.all(
    Array.from({ length: count }, () => once(spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }), "exit")),
  );
  return performance.now() - began;
}

/** Deploys one source under many names: built once, then applied as manifests with a short window. */
async function deployAll(ebb: EbbProcess, names: readonly string[], path: string): Promise<void> {
  const [first = ""] = names;
  const built = await ebb.ebb("deploy", path, "--name", first, "--json");
  if (built.code !== 0) throw new Error(built.stderr);
  const { image } = JSON.parse(built.stdout) as { readonly image: string };
  const manifests = names.map(
    (name) => `apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: ${name}, namespace: default }
spec:
  template:
    metadata: { annotations: { ${window.replace(": ", ': "')}" } }
    spec: { containers: [{ image: "${image}" }] }
`,
  );
  const applied = await ebb.kubectl(["apply", "-f", "-", "--validate=false"], { stdin: manifests.join("---\n") });
  if (applied.code !== 0) throw new Error(applied.stderr);
  for (const name of names) {
    const waited = await ebb.kubectl(["wait", "ksvc", name, "--for=condition=Ready", "--timeout=120s"]);
    if (waited.code !== 0) throw new Error(waited.stderr);
  }
}

await main();
