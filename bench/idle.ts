/**
 * What ebb costs at rest: start-up, memory of the process and its tree, a thousand sleeping services, ten thousand
 * objects. Measures the built package, as users run it: from source, stripping types costs memory and time.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { KnativeServiceKind } from "../src/api/serving/kinds.ts";
import { ConfigMapKind, PodKind } from "../src/api/core/kinds.ts";
import { createHttpClient, type HttpClient } from "../src/client/http-client.ts";
import { loadKubeconfig } from "../src/client/kubeconfig.ts";
import { eventually, startEbb, type EbbProcess } from "../test/e2e/ebb-process.ts";
import { percentile, report, type BenchRow } from "./report.ts";

const root = join(import.meta.dirname, "..");
const program = join(root, "dist/cli/main.js");
const services = 1000;
const objects = 10_000;
const asleep = { "autoscaling.knative.dev/window": "6s", "autoscaling.knative.dev/initial-scale": "0" };

async function main(): Promise<void> {
  execFileSync(process.execPath, [join(root, "scripts/build.ts")], { cwd: root, stdio: "inherit" });
  const dir = await mkdtemp(join(tmpdir(), "ebb-bench-idle-"));
  const rows: BenchRow[] = [];
  try {
    rows.push(await emptyStart());
    let ebb = await startEbb({ dir, program });
    await sleep(8000);
    const before = memoryOf(ebb.pid);
    rows.push(
      row("idle: main process, RSS", `${mib(before.rss)} MiB`, "≤ 110 MB", before.rss <= 110e6),
      row(
        "idle: whole tree with the warm pool, PSS",
        `${mib(before.treePss)} MiB`,
        "≤ 200 MB",
        before.treePss <= 200e6,
      ),
    );
    rows.push(...(await sleepingServices(ebb, before.rss)));
    await ebb.stop();
    ebb = await startEbb({ dir, program });
    await fill(ebb);
    await ebb.stop();
    const started = performance.now();
    ebb = await startEbb({ dir, program });
    const startMs = performance.now() - started;
    rows.push(row(`start-up with ${objects} objects`, `${startMs.toFixed(0)} ms`, "≤ 1500 ms", startMs <= 1500));
    await ebb.stop();
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
  report("idle", rows);
}

const row = (what: string, measured: string, target: string, met: boolean): BenchRow => ({
  what,
  measured,
  target,
  met,
});
const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);

async function emptyStart(): Promise<BenchRow> {
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const began = performance.now();
    const ebb = await startEbb({ program });
    times.push(performance.now() - began);
    await ebb.stop();
  }
  const ms = percentile(times, 50);
  return row("start-up on an empty directory, median of 5", `${ms.toFixed(0)} ms`, "≤ 600 ms", ms <= 600);
}

async function sleepingServices(ebb: EbbProcess, rssBefore: number): Promise<BenchRow[]> {
  const file = join(ebb.dir, "f.ts");
  await writeFile(file, 'export default { fetch: () => new Response("hi") };');
  const built = await ebb.ebb("deploy", file, "--name", "first", "--json");
  if (built.code !== 0) throw new Error(built.stderr);
  const { image } = JSON.parse(built.stdout) as { readonly image: string };
  const client = await clientOf(ebb);
  // Asleep from the start, as all are after their window: a thousand programs need not run once for it.
  await client.patch(
    ConfigMapKind,
    { namespace: "knative-serving", name: "config-autoscaler" },
    { type: "merge", body: { data: { "allow-zero-initial-scale": "true" } } },
  );
  await eachOf(services, 8, (n) =>
    client.create(KnativeServiceKind, {
      metadata: { name: `s${n}`, namespace: "default" },
      spec: { template: { metadata: { name: "", annotations: asleep }, spec: { containers: [{ image }] } } },
    }),
  );
  await eventually("all are ready", async () => ((await countReady(client)) >= services ? true : undefined), {
    deadlineMs: 120_000,
    everyMs: 1000,
  });
  await eventually(
    "all are asleep",
    async () => ((await client.list(PodKind, {})).items.length === 0 ? true : undefined),
    { deadlineMs: 120_000, everyMs: 1000 },
  );
  await sleep(10_000);
  const cpuBefore = cpuSecondsOf(ebb.pid);
  await sleep(10_000);
  const cpuPct = ((cpuSecondsOf(ebb.pid) - cpuBefore) / 10) * 100;
  const more = memoryOf(ebb.pid).rss - rssBefore;
  const began = performance.now();
  const got = await ebb.kubectl(["get", "ksvc", "-A", "--no-headers"]);
  const getMs = performance.now() - began;
  if (got.stdout.split("\n").length < services)
    throw new Error(`kubectl get listed only ${got.stdout.split("\n").length}`);
  await client.close();
  return [
    row(`${services} sleeping services: memory more`, `${mib(more)} MiB`, "≤ 60 MB", more <= 60e6),
    row(`${services} sleeping services: processor`, `${cpuPct.toFixed(2)} %`, "< 2 %", cpuPct < 2),
    row(`${services} sleeping services: kubectl get ksvc -A`, `${getMs.toFixed(0)} ms`, "≤ 1000 ms", getMs <= 1000),
  ];
}

async function countReady(client: HttpClient): Promise<number> {
  const { items } = await client.list(KnativeServiceKind, { namespace: "default" });
  return items.filter((one) => one.status?.conditions?.some((c) => c.type === "Ready" && c.status === "True")).length;
}

async function fill(ebb: EbbProcess): Promise<void> {
  const client = await clientOf(ebb);
  await eachOf(objects, 16, (n) =>
    client.create(ConfigMapKind, {
      metadata: { name: `filler-${n}`, namespace: "default" },
      data: { text: "x".repeat(400) },
    }),
  );
  await client.close();
}

/** Does something for 0 … count-1, so many at a time. */
async function eachOf(count: number, atOnce: number, act: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (next < count) await act(next++);
    }),
  );
}

async function clientOf(ebb: EbbProcess): Promise<HttpClient> {
  return createHttpClient(await loadKubeconfig(ebb.kubeconfig, undefined, {}), { userAgent: "ebb-bench" });
}

interface Memory {
  readonly rss: number;
  readonly treePss: number;
}

function memoryOf(pid: number): Memory {
  const read = (of: number, field: string): number =>
    Number(
      new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${of}/smaps_rollup`, "utf8"))?.[1] ?? 0,
    ) * 1024;
  return { rss: read(pid, "Rss"), treePss: [pid, ...childrenOf(pid)].reduce((sum, of) => sum + read(of, "Pss"), 0) };
}

function childrenOf(pid: number): number[] {
  const lines = execFileSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
  const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number));
  const direct = pairs.filter(([, parent]) => parent === pid).map(([child = 0]) => child);
  return direct.flatMap((child) => [child, ...childrenOf(child)]);
}

function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

await main();
