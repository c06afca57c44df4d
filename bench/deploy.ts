/**
 * From a developer's command to a live function: `ebb deploy` of examples/hello for the first time and again, a
 * one-line edit of a function with 200 packages, and `ebb dev` from the save to the new answer. Each time counts from
 * the start of the process (or the save) to the first 200.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { startEbb, type EbbProcess } from "../test/e2e/ebb-process.ts";
import { percentile, report, type BenchRow } from "./report.ts";

const root = join(import.meta.dirname, "..");
const work = mkdtempSync(join(tmpdir(), "ebb-bench-deploy-"));

async function main(): Promise<void> {
  const rows: BenchRow[] = [];
  try {
    rows.push(...(await hello()));
    rows.push(await manyPackages());
    rows.push(await editing("TypeScript", "index.ts", tsSource, 300));
    rows.push(await editing("Python", "app.py", pySource, 1000));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  report("deploy", rows);
}

async function hello(): Promise<BenchRow[]> {
  const first: number[] = [];
  const again: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    // Nothing compiled before counts as the first time ever.
    process.env["NODE_COMPILE_CACHE"] = join(work, `compiled-${round}`);
    const ebb = await startEbb();
    const dir = join(work, `hello-${round}`);
    cpSync(join(root, "examples/hello"), dir, { recursive: true });
    await sleep(1000);
    first.push(await deployed(ebb, dir, "hello"));
    for (let edit = 0; edit < 4; edit += 1) {
      writeFileSync(join(dir, "index.ts"), `export default { fetch: () => new Response("edit ${edit}") };\n`);
      await sleep(300);
      again.push(await deployed(ebb, dir, "hello"));
    }
    await ebb.stop();
  }
  return [
    row("ebb deploy examples/hello, first time ever, to the first 200", first, 1500),
    row("ebb deploy of an edit, warm, to the first 200", again, 700),
  ];
}

/** The command from its start to its end, and then one call. */
async function deployed(ebb: EbbProcess, dir: string, name: string): Promise<number> {
  const started = performance.now();
  const { code, stderr } = await ebb.ebb("deploy", dir, "--name", name);
  if (code !== 0) throw new Error(`ebb deploy ended with ${code}: ${stderr}`);
  const { status, body } = await ebb.call(`${name}.default.localhost`);
  if (status !== 200) throw new Error(`answered ${status}: ${body}`);
  return performance.now() - started;
}

/** 200 packages as npm leaves them, 20 kB of code each. */
async function manyPackages(): Promise<BenchRow> {
  const dir = join(work, "many");
  const names = Array.from({ length: 200 }, (_, i) => `package-${i}`);
  const dependencies = Object.fromEntries(names.map((name) => [name, "1.0.0"]));
  const manifest = { name: "many", version: "1.0.0", type: "module", main: "index.js", dependencies };
  const packages: Record<string, unknown> = { "": manifest };
  for (const name of names) {
    const at = join(dir, "node_modules", name);
    mkdirSync(at, { recursive: true });
    writeFileSync(join(at, "package.json"), JSON.stringify({ name, version: "1.0.0", main: "index.js" }));
    const lines = Array.from({ length: 400 }, (_, i) => `exports.f${i} = (x) => x + ${i}; // of ${name}, as printed`);
    writeFileSync(join(at, "index.js"), lines.join("\n"));
    packages[`node_modules/${name}`] = { version: "1.0.0" };
  }
  const lock = JSON.stringify({ name: "many", version: "1.0.0", lockfileVersion: 3, packages });
  writeFileSync(join(dir, "package.json"), JSON.stringify(manifest));
  writeFileSync(join(dir, "package-lock.json"), lock);
  writeFileSync(join(dir, "node_modules/.package-lock.json"), lock);
  const source = (edit: number): string =>
    `${names.map((name, i) => `import * as p${i} from "${name}";`).join("\n")}\nconst all = [${names.map((_, i) => `p${i}`).join(",")}];\nexport default { fetch: () => new Response("edit ${edit} " + all.reduce((x, p) => p.default.f1(x), 0)) };\n`;
  const ebb = await startEbb();
  const times: number[] = [];
  try {
    for (let edit = 0; edit < 5; edit += 1) {
      writeFileSync(join(dir, "index.js"), source(edit));
      const ms = await deployed(ebb, dir, "many");
      if (edit > 0) times.push(ms);
    }
  } finally {
    await ebb.stop();
  }
  return row("redeploy after a one-line edit, 200 npm dependencies", times, 1000);
}

const tsSource = (n: number): string => `export default { fetch: (): Response => new Response("${n}") };\n`;
const pySource = (n: number): string =>
  `async def app(scope, receive, send):\n    await send({"type": "http.response.start", "status": 200, "headers": []})\n    await send({"type": "http.response.body", "body": b"${n}"})\n`;

/** `ebb dev`: from the save to the first answer with the new text, asked every 2 ms. */
async function editing(
  language: string,
  file: string,
  source: (n: number) => string,
  targetMs: number,
): Promise<BenchRow> {
  const dir = mkdtempSync(join(work, "dev-"));
  writeFileSync(join(dir, file), source(0));
  const args = [join(root, "bin/ebb.js"), "dev", file, "--port", "0", "--json", "--data", join(work, "data")];
  const child = spawn(process.execPath, args, { cwd: dir, stdio: ["ignore", "pipe", "inherit"] });
  const port = await new Promise<number>((resolve) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const event = JSON.parse(line) as { readonly type: string; readonly port?: number };
      if (event.type === "listening") resolve(event.port ?? 0);
    });
  });
  const ask = async (): Promise<string> => await (await fetch(`http://127.0.0.1:${port}/`)).text();
  await ask();
  const times: number[] = [];
  for (let edit = 1; edit <= 20; edit += 1) {
    await sleep(300);
    const saved = performance.now();
    writeFileSync(join(dir, file), source(edit));
    while ((await ask()) !== String(edit)) await sleep(2);
    times.push(performance.now() - saved);
  }
  child.kill("SIGINT");
  await once(child, "exit");
  return row(`ebb dev, ${language}: save to the new answer, p95 of ${times.length}`, times, targetMs, 95);
}

function row(what: string, times: readonly number[], targetMs: number, p = 50): BenchRow {
  const ms = percentile(times, p);
  return { what, measured: `${ms.toFixed(0)} ms`, target: `≤ ${targetMs} ms`, met: ms <= targetMs };
}

await main();
