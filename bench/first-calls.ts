/**
 * First calls of one sleeping function: of a Lambda handler beside the same code as fetch, of a 5 MB bundle, and many
 * at one instant where each instance takes one request.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createHttpClient } from "../src/client/http-client.ts";
import { loadKubeconfig } from "../src/client/kubeconfig.ts";
import { startEbb } from "../test/e2e/ebb-process.ts";
import { bareNodes } from "./bare-nodes.ts";
import { percentile, report, type BenchRow } from "./report.ts";
import { deployAll, untilAsleep, wakeEach, type Bench } from "./sleeping-services.ts";

const rounds = 3;
const pauseMs = 30;
const names = (base: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${base}${i}`);

async function source(bench: Bench, file: string, text: string): Promise<string> {
  const dir = join(bench.ebb.dir, "bench", file.replace(/\W/g, "-"));
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, file), text);
  return join(dir, file);
}

/** Wakes of several functions, taken in turn so that a drifting machine is the same for all. */
async function wakes(bench: Bench, bases: readonly string[], each: number): Promise<readonly (readonly number[])[]> {
  const times = bases.map(() => [] as number[]);
  for (let round = 0; round < rounds; round++) {
    await untilAsleep(bench.client);
    for (let i = 0; i < each; i++)
      for (const [at, base] of bases.entries()) times[at]?.push(...(await wakeEach(bench.ebb, [`${base}${i}`])));
  }
  return times;
}

/** What a bundle of many packages looks like to a loader: thousands of functions, few of them called. */
function largeBundle(bytes: number): string {
  const one = (n: number): string =>
    `function f${n}(a, b) { const table = { key${n}: a, other: "${"x".repeat(80)}" }; for (const k of Object.keys(table)) if (b) return table[k] + ${n}; return [a, b].map((v) => v * ${n}); }\n`;
  let text = "";
  for (let n = 0; text.length < bytes; n++) text += one(n);
  const all = text.match(/f\d+(?=\()/g) ?? [];
  return `${text}const all = [${all.join(", ")}];\nexport default { fetch: () => new Response(String(all.length)) };\n`;
}

async function models(bench: Bench): Promise<BenchRow[]> {
  const fetchFile = await source(bench, "asfetch.mjs", 'export default { fetch: () => new Response("hi") };');
  const lambdaFile = await source(
    bench,
    "aslambda.mjs",
    'export const handler = async () => ({ statusCode: 200, body: "hi" });',
  );
  const largeFile = await source(bench, "large.mjs", largeBundle(5 * 2 ** 20));
  await deployAll(bench, names("asfetch", 6), fetchFile);
  await deployAll(bench, names("aslambda", 6), lambdaFile);
  await deployAll(bench, names("large", 6), largeFile);
  const [asFetch = [], asLambda = [], large = []] = await wakes(bench, ["asfetch", "aslambda", "large"], 6);
  const more = percentile(asLambda, 50) - percentile(asFetch, 50);
  const [p50, p95] = [percentile(large, 50), percentile(large, 95)];
  return [
    {
      what: "Lambda handler against the same code as fetch, p50",
      measured: `${percentile(asLambda, 50).toFixed(1)} − ${percentile(asFetch, 50).toFixed(1)} = ${more.toFixed(1)} ms`,
      target: "≤ 2 ms more",
      met: more <= 2,
    },
    { what: "bundle of 5 MB, p50", measured: `${p50.toFixed(1)} ms`, target: "≤ 40 ms", met: p50 <= 40 },
    { what: "bundle of 5 MB, p95", measured: `${p95.toFixed(1)} ms`, target: "≤ 60 ms", met: p95 <= 60 },
  ];
}

async function together(bench: Bench, count: number): Promise<readonly number[]> {
  const text = `export default { fetch: async () => { await new Promise((r) => setTimeout(r, ${pauseMs})); return new Response("hi"); } };`;
  const file = await source(bench, `together${count}.mjs`, text);
  const deployed = await bench.ebb.ebb("deploy", file, "--concurrency", "1");
  if (deployed.code !== 0) throw new Error(deployed.stderr);
  const key = `together${count}`;
  const patched = await bench.ebb.kubectl([
    "patch",
    "ksvc",
    key,
    "--type=merge",
    "-p",
    '{"spec":{"template":{"metadata":{"annotations":{"autoscaling.knative.dev/window":"6s"}}}}}',
  ]);
  if (patched.code !== 0) throw new Error(patched.stderr);
  await sleep(3000);
  await untilAsleep(bench.client);
  await sleep(3000);
  const began = performance.now();
  return await Promise.all(
    Array.from({ length: count }, async () => {
      const answer = await bench.ebb.call(`${key}.default.localhost`);
      if (answer.status !== 200) throw new Error(`${key} answered ${answer.status}: ${answer.body}`);
      return performance.now() - began - pauseMs;
    }),
  );
}

const ebb = await startEbb();
const client = createHttpClient(await loadKubeconfig(ebb.kubeconfig, undefined, {}), { userAgent: "ebb-bench" });
const bench: Bench = { ebb, client };
try {
  const rows = await models(bench);
  const ten = percentile(await together(bench, 10), 95);
  rows.push({
    what: "10 first calls of one function at once, one request each, p95",
    measured: `${ten.toFixed(0)} ms`,
    target: "≤ 120 ms",
    met: ten <= 120,
  });
  const last = Math.max(...(await together(bench, 100)));
  const bare = await bareNodes(100);
  rows.push({
    what: "100 first calls of one function at once, one request each, the last, against 100 bare node starts",
    measured: `${last.toFixed(0)} / ${bare.toFixed(0)} ms = ${(last / bare).toFixed(2)}`,
    target: "≤ 1.3",
    met: last / bare <= 1.3,
  });
  report("first-calls", rows);
} finally {
  await client.close();
  await ebb.stop();
}
