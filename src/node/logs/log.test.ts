import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Logger } from "../../telemetry/logger.ts";
import { createLogFile, defaultLogLimits, type LogFile } from "./log-file.ts";
import { readLog, type LogQuery } from "./read-log.ts";

const log: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message) => {
    throw new Error(message);
  },
  error: () => undefined,
  with: () => log,
  enabled: () => false,
};

let dir: string;
let path: string;
let nowMs: number;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "ebb-log-"));
  path = join(dir, "pod", "0.log");
  nowMs = Date.UTC(2026, 0, 1);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const create = (limits = defaultLogLimits): LogFile => createLogFile({ now: () => nowMs, log }, path, limits);
const all: LogQuery = { follow: false, timestamps: false, stream: "All" };

async function read(query: Partial<LogQuery> = {}): Promise<string> {
  let text = "";
  for await (const chunk of readLog(path, { ...all, ...query }, undefined, AbortSignal.timeout(5_000))) {
    text += Buffer.from(chunk).toString();
  }
  return text;
}

async function write(file: LogFile, ...lines: readonly string[]): Promise<void> {
  for (const line of lines) file.sink("stdout", Buffer.from(`${line}\n`));
  await file.settled();
}

test("lines come back as printed, whatever the chunks were", async () => {
  const file = create();
  for (const chunk of ["he", "llo\nwor", "ld\r\n", "no newline"]) file.sink("stdout", Buffer.from(chunk));
  await file.close();
  expect(await read()).toBe("hello\nworld\nno newline\n");
});

test("a line longer than 16 KiB is kept in parts and given back whole", async () => {
  const file = create();
  const long = "x".repeat(40_000);
  file.sink("stdout", Buffer.from(`${long}\nnext\n`));
  await file.close();
  expect(await read()).toBe(`${long}\nnext\n`);
});

test.each([
  [{ tailLines: 2 }, "three\nfour\n"],
  [{ tailLines: 0 }, ""],
  [{ tailLines: 99 }, "one\ntwo\nthree\nfour\n"],
  [{ limitBytes: 6 }, "one\ntw"],
  [{ stream: "Stderr" as const }, "two\n"],
  [{ sinceMs: Date.UTC(2026, 0, 1) + 2_000 }, "three\nfour\n"],
  [{ tailLines: 1, timestamps: true }, "2026-01-01T00:00:03.000000000Z four\n"],
])("%j selects %j", async (query, expected) => {
  const file = create();
  for (const [n, line] of ["one", "two", "three", "four"].entries()) {
    nowMs = Date.UTC(2026, 0, 1) + n * 1_000;
    file.sink(line === "two" ? "stderr" : "stdout", Buffer.from(`${line}\n`));
  }
  await file.close();
  expect(await read(query)).toBe(expected);
});

test("a log past its size is rotated, the oldest goes, and reading spans the files", async () => {
  const file = create({ maxFileBytes: 200, maxFiles: 3, maxPendingBytes: 10_000 });
  for (let n = 0; n < 40; n++) await write(file, `line ${n}`);
  await file.close();
  expect(readdirSync(join(dir, "pod")).sort()).toEqual(["0.log", "0.log.1", "0.log.2"]);
  const lines = (await read()).trim().split("\n");
  expect(lines.at(-1)).toBe("line 39");
  expect(lines.length).toBeGreaterThan(5);
  expect(lines).toEqual(lines.map((_, i) => `line ${40 - lines.length + i}`));
  expect(await read({ tailLines: 7 })).toBe([33, 34, 35, 36, 37, 38, 39].map((n) => `line ${n}\n`).join(""));
});

test("a day of printing takes no more than its files, and reading goes on", { timeout: 60_000 }, async () => {
  const limits = { maxFileBytes: 20_000, maxFiles: 3, maxPendingBytes: 1_000_000 };
  const file = create(limits);
  const sizes: number[] = [];
  const start = nowMs;
  for (let minute = 0; minute < 24 * 60; minute++) {
    nowMs = start + minute * 60_000;
    for (let n = 0; n < 10; n++) file.sink("stdout", Buffer.from(`minute ${minute} line ${n}\n`));
    await file.settled();
    if (minute % 60 !== 59) continue;
    const names = readdirSync(join(dir, "pod"));
    expect(names.length).toBeLessThanOrEqual(limits.maxFiles);
    sizes.push(names.reduce((sum, name) => sum + statSync(join(dir, "pod", name)).size, 0));
  }
  // Each file ends with the batch that took it past its size.
  expect(Math.max(...sizes)).toBeLessThan(limits.maxFiles * (limits.maxFileBytes + 1000));
  expect(await read({ tailLines: 1 })).toBe("minute 1439 line 9\n");
  await file.close();
});

test("following gives what is there, what comes, across rotation, and ends with the log", async () => {
  const file = create({ maxFileBytes: 120, maxFiles: 5, maxPendingBytes: 10_000 });
  await write(file, "before");
  const seen: string[] = [];
  const following = (async () => {
    const stream = readLog(path, { ...all, follow: true }, file, AbortSignal.timeout(5_000));
    for await (const chunk of stream) seen.push(Buffer.from(chunk).toString());
  })();
  for (let n = 0; n < 10; n++) {
    await write(file, `line ${n}`);
    await expect.poll(() => seen.length).toBe(n + 2);
  }
  await file.close();
  await following;
  expect(seen.join("")).toBe(`before\n${Array.from({ length: 10 }, (_, n) => `line ${n}\n`).join("")}`);
});

test("following ends at the signal", async () => {
  const file = create();
  await write(file, "one");
  const stop = new AbortController();
  const seen: string[] = [];
  for await (const chunk of readLog(path, { ...all, follow: true }, file, stop.signal)) {
    seen.push(Buffer.from(chunk).toString());
    stop.abort();
  }
  expect(seen).toEqual(["one\n"]);
  await file.close();
});

test("a log started ahead of its pod goes on under the pod's name", async () => {
  const file = createLogFile({ now: () => nowMs, log }, join(dir, "ahead.log"));
  await write(file, "before the pod");
  await file.moveTo(path);
  await write(file, "with the pod");
  await file.close();
  expect(await read()).toBe("before the pod\nwith the pod\n");
});

test("when the disk is too slow the newest lines are dropped and counted", async () => {
  const file = create({ maxFileBytes: 10_000, maxFiles: 2, maxPendingBytes: 100 });
  for (let n = 0; n < 50; n++) file.sink("stdout", Buffer.from(`line ${n}\n`));
  await file.close();
  const lines = (await read()).trim().split("\n");
  expect(lines[0]).toBe("line 0");
  expect(lines.at(-1)).toMatch(/^\[ebb: \d+ lines dropped: the disk is too slow\]$/);
});
