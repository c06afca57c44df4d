/** `ebb dev` in a real terminal: what the person sees while editing, and that Ctrl-C leaves nothing behind. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, expect, test } from "vitest";
import { eventually } from "./ebb-process.ts";

const ebb = resolve(import.meta.dirname, "../../bin/ebb.js");
const work = mkdtempSync(join(tmpdir(), "ebb-dev-terminal-"));
const hasScript = spawnSync("script", ["--version"]).status === 0;
const running: ChildProcess[] = [];

afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
  rmSync(work, { recursive: true, force: true });
});

const source = (words: string): string =>
  `export default {\n  fetch(): Response {\n    return new Response("${words}");\n  },\n};\n`;

/** util-linux's script gives the command a terminal of its own; what is typed into it reaches the command. */
function inTerminal(command: string): { readonly child: ChildProcess; readonly raw: () => string } {
  const child = spawn("script", ["-qefc", `stty rows 40 cols 100; exec ${command}`, "/dev/null"], {
    cwd: work,
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, TERM: "xterm-256color", EBB_DATA: join(work, "data") },
  });
  running.push(child);
  let text = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  return { child, raw: () => text };
}

test("edits, a broken one and Ctrl-C, as seen in a terminal", { timeout: 60_000 }, async (context) => {
  if (!hasScript) return context.skip("script (util-linux) is not installed");
  const file = join(work, "hello.ts");
  writeFileSync(file, source("one"));
  const { child, raw } = inTerminal(`'${process.execPath}' '${ebb}' dev hello.ts --port 0`);
  const screen = (): string => stripVTControlCharacters(raw()).replaceAll("\r", "");
  const sees = (pattern: RegExp): Promise<RegExpExecArray> =>
    eventually(String(pattern), async () => pattern.exec(screen()) ?? undefined, { everyMs: 5, seen: screen });

  const url = (await sees(/http:\/\/localhost:\d+\//))[0];
  await sees(/ready in \d+ ms/);
  const times: number[] = [];
  for (const words of ["two", "three", "four", "five", "six"]) {
    writeFileSync(file, source(words));
    const [, ms] = await eventually(
      `${words} is live`,
      async () => [...screen().matchAll(/hello\.ts: live in (\d+) ms/g)][times.length],
      { everyMs: 5, seen: screen },
    );
    times.push(Number(ms));
    expect(await (await fetch(url)).text()).toBe(words);
  }
  // The terminal's own figures: the time from the save to the new version answering.
  expect(Math.min(...times)).toBeLessThanOrEqual(300);
  await sees(/GET \/ 200 [\d.]+ ms/);

  writeFileSync(file, source("six").replace("Response {", "Response {{ oops"));
  await sees(/hello\.ts:\d+:\d+: /);
  await sees(/> \d \| .*\n(?:.*\n){1,3}the last good version goes on answering/);
  expect(raw()).toContain("\u001B[31m");
  expect(await (await fetch(url)).text()).toBe("six");

  const children = childrenOf(child.pid ?? 0);
  expect(children.length).toBeGreaterThan(1);
  child.stdin?.write("\u0003");
  const [code] = await once(child, "exit");
  expect(code).toBe(0);
  await eventually("nothing is left", async () => (children.some(isAlive) ? undefined : true));
});

/** Everything below a process, by /proc. */
function childrenOf(pid: number): readonly number[] {
  const { stdout } = spawnSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" });
  const rows = stdout
    .trim()
    .split("\n")
    .map((row) => row.trim().split(/\s+/).map(Number));
  const below = (of: number): number[] => rows.flatMap(([id = 0, parent]) => (parent === of ? [id, ...below(id)] : []));
  return below(pid);
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
