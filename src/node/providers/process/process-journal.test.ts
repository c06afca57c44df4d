import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { signalGroup } from "./exit.ts";
import { findOrphans, openProcessJournal } from "./process-journal.ts";

let dir: string;
let file: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "ebb-journal-"));
  file = join(dir, "run", "processes");
});
afterEach(() => {
  for (const { pid } of children.splice(0)) if (pid !== undefined) signalGroup(pid, "SIGKILL");
  rmSync(dir, { recursive: true, force: true });
});

function run(script: string): number {
  const child = spawn("sh", ["-c", script], { detached: true, stdio: ["ignore", "pipe", "ignore"] });
  children.push(child);
  return child.pid ?? 0;
}

test.runIf(process.platform === "linux")("finds what still runs, and sessions whose leader is gone", async () => {
  const journal = openProcessJournal(file);
  const running = run("exec sleep 100");
  const leaderless = run("sleep 100 & echo; exit 0");
  const ended = run("exit 0");
  for (const pid of [running, leaderless, ended]) journal.started(pid);
  await Promise.all(children.slice(1).map((child) => once(child, "exit")));
  expect(findOrphans(file)).toEqual(expect.arrayContaining([running, leaderless]));
  expect(findOrphans(file)).not.toContain(ended);
});

test.runIf(process.platform === "linux")("a later process with a recorded number is left alone", () => {
  openProcessJournal(file);
  const pid = run("exec sleep 100");
  writeFileSync(file, `${pid} 1\n`);
  expect(findOrphans(file)).toEqual([]);
});

test("no journal, no orphans; rubbish in it is passed over", () => {
  expect(findOrphans(file)).toEqual([]);
  openProcessJournal(file);
  writeFileSync(file, "half a li\n1 1\n\n");
  expect(findOrphans(file)).toEqual([]);
});

test.runIf(process.platform === "linux")("the journal does not grow with processes that have ended", async () => {
  const journal = openProcessJournal(file, 10);
  const running = run("exec sleep 100");
  journal.started(running);
  for (let n = 0; n < 12; n++) {
    journal.started(run("exit 0"));
    const child = children.at(-1);
    if (child && child.exitCode === null) await once(child, "exit");
  }
  expect(readFileSync(file, "utf8").trim().split("\n").length).toBeLessThan(6);
  expect(findOrphans(file)).toEqual([running]);
});
