/**
 * From an edit to a running function: `ebb deploy` of a small function for the first time, with a warm cache, and of
 * one with 200 npm packages after a line was edited, each from the start of the command to the first answer of the
 * new code.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEbb, type EbbProcess } from "../test/e2e/ebb-process.ts";
import { percentile, report } from "./report.ts";

const rounds = 7;
const dir = mkdtempSync(join(tmpdir(), "ebb-bench-build-"));
/** The built package, as users run it: from source, stripping types would be most of what is measured. */
const program = join(import.meta.dirname, "../dist/cli/main.js");

/** 200 packages of 8 modules each, half of them CommonJS, that need one another: 5 MB of JavaScript. */
function writePackages(root: string): void {
  const count = 200;
  for (let i = 0; i < count; i++) {
    const name = `package-${i}`;
    const at = join(root, "node_modules", name);
    mkdirSync(at, { recursive: true });
    const esm = i % 2 === 0;
    const next = i + 1 < count && i % 10 !== 9 ? [`package-${i + 1}`] : [];
    writeFileSync(
      join(at, "package.json"),
      JSON.stringify({
        name,
        version: "1.0.0",
        main: "index.js",
        ...(esm ? { type: "module" } : {}),
        dependencies: Object.fromEntries(next.map((n) => [n, "1.0.0"])),
      }),
    );
    const parts = Array.from({ length: 8 }, (_, part) => part);
    for (const part of parts) writeFileSync(join(at, `part-${part}.js`), moduleText(i, part, esm));
    const imports = [...parts.map((part) => `./part-${part}.js`), ...next];
    writeFileSync(
      join(at, "index.js"),
      esm
        ? `${imports.map((from, k) => `import * as m${k} from "${from}";`).join("\n")}\nexport const total = () => ${imports.map((_, k) => `Object.keys(m${k}).length`).join(" + ")};\n`
        : `${imports.map((from, k) => `const m${k} = require("${from}");`).join("\n")}\nexports.total = () => ${imports.map((_, k) => `Object.keys(m${k}).length`).join(" + ")};\n`,
    );
  }
}

function moduleText(i: number, part: number, esm: boolean): string {
  const functions = Array.from({ length: 13 }, (_, k) => {
    const body = `(options, list = []) {\n  // Made for the benchmark: ${i}.${part}.${k}\n  const found = list.filter((item) => item.kind === "${i}-${part}-${k}" && item.size > ${k});\n  return found.length > ${k} ? { ...options, found } : { ...options, missing: "${i}.${part}.${k}" };\n}`;
    return esm ? `export function f${k}${body}` : `exports.f${k} = function ${body};`;
  });
  return `${functions.join("\n")}\n`;
}

function writeFunction(root: string, line: string): void {
  const imports = Array.from({ length: 20 }, (_, i) => `import { total as t${i} } from "package-${i * 10}";`);
  const sum = Array.from({ length: 20 }, (_, i) => `t${i}()`).join(" + ");
  writeFileSync(
    join(root, "index.js"),
    `${imports.join("\n")}\nconst sum = ${sum};\nexport default { fetch: () => new Response(${JSON.stringify(line)} + sum) };\n`,
  );
}

/** `ebb deploy` to its end, then the first answer; milliseconds. */
async function deploy(ebb: EbbProcess, path: string, name: string, expected: string): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, [program, "deploy", path, "--name", name], {
    env: { ...process.env, EBB_DATA: ebb.dir },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk) => (said += chunk));
  const code = await new Promise((done) => child.once("close", done));
  if (code !== 0) throw new Error(`ebb deploy ended with code ${code}:\n${said}`);
  const answer = await ebb.call(`${name}.default.localhost`);
  const ms = performance.now() - started;
  if (answer.status !== 200 || !answer.body.startsWith(expected))
    throw new Error(`expected "${expected}…", got ${answer.status}: ${answer.body.slice(0, 200)}`);
  return ms;
}

const text = (values: readonly number[]): string =>
  `p50 ${percentile(values, 50).toFixed(0)} ms, max ${Math.max(...values).toFixed(0)} ms`;

async function main(): Promise<void> {
  execFileSync(process.execPath, [join(import.meta.dirname, "../scripts/build.ts")], { stdio: "inherit" });
  const ebb = await startEbb({ program });
  try {
    const hello = join(dir, "hello");
    mkdirSync(hello);
    const writeHello = (line: string): void =>
      writeFileSync(join(hello, "index.ts"), `export default { fetch: (): Response => new Response("${line}") };\n`);
    writeHello("first");
    const first = await deploy(ebb, hello, "hello", "first");
    const again: number[] = [];
    for (let i = 0; i < rounds; i++) {
      writeHello(`hello ${i}`);
      again.push(await deploy(ebb, hello, "hello", `hello ${i}`));
    }
    const large = join(dir, "large");
    mkdirSync(large);
    writeFileSync(
      join(large, "package.json"),
      JSON.stringify({
        name: "large",
        type: "module",
        main: "index.js",
        dependencies: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`package-${i * 10}`, "1.0.0"])),
      }),
    );
    writePackages(large);
    writeFunction(large, "first ");
    const largeFirst = await deploy(ebb, large, "large", "first ");
    const edits: number[] = [];
    for (let i = 0; i < rounds; i++) {
      writeFunction(large, `edit ${i} `);
      edits.push(await deploy(ebb, large, "large", `edit ${i} `));
    }
    report("build", [
      {
        what: "ebb deploy of a small function, the first time ever",
        measured: `${first.toFixed(0)} ms`,
        target: "≤ 1500 ms",
        met: first <= 1500,
      },
      {
        what: "ebb deploy of a small function after an edit",
        measured: text(again),
        target: "p50 ≤ 700 ms",
        met: percentile(again, 50) <= 700,
      },
      {
        what: "ebb deploy with 200 npm packages, the first time",
        measured: `${largeFirst.toFixed(0)} ms`,
        target: "none",
      },
      {
        what: "ebb deploy with 200 npm packages after an edit",
        measured: text(edits),
        target: "p50 ≤ 1000 ms",
        met: percentile(edits, 50) <= 1000,
      },
    ]);
  } finally {
    await ebb.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

await main();
