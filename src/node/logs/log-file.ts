import { mkdirSync } from "node:fs";
import { open, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import type { Logger } from "../../telemetry/logger.ts";
import type { OutputSink } from "../runtime.ts";

/**
 * One container's log on disk, in the CRI form `<RFC3339Nano> stdout F <line>`, with P instead of F for a line that
 * goes on. Rotated by size into `<file>.1` (newest) … `<file>.n`.
 *
 * Nothing waits for the disk: lines are gathered and written behind, and when the disk is slower than the program for
 * long, the newest lines are dropped and a line says how many.
 */
export interface LogFile {
  readonly sink: OutputSink;
  readonly path: () => string;
  /** Carries on under another name; lines before and after end up in the same file. */
  moveTo(path: string): Promise<void>;
  /** Resolves when everything printed so far is on disk. */
  settled(): Promise<void>;
  /** True when it was closed and all of it is on disk. */
  readonly ended: boolean;
  /** The last lines printed, oldest first: for messages that must say what a program said. */
  tail(maxLines: number): string;
  /** Writes what is pending, partial lines included; the sink then ignores what comes. */
  close(): Promise<void>;
  /** Called with what is printed, as it is; returns the removal. */
  onOutput(listener: OutputSink): () => void;
  /** Called after every write to disk, for those who follow; returns the removal. */
  onWrite(listener: () => void): () => void;
}

export interface LogLimits {
  readonly maxFileBytes: number;
  readonly maxFiles: number;
  /** Pending bytes above which lines are dropped. */
  readonly maxPendingBytes: number;
}

export const defaultLogLimits: LogLimits = {
  maxFileBytes: 10 * 2 ** 20,
  maxFiles: 5,
  maxPendingBytes: 8 * 2 ** 20,
};

/** Longer lines are cut into parts of this size, as container runtimes do. */
const maxLineBytes = 16 * 1024;
const tailLines = 80;

export interface LogFileDeps {
  readonly now: () => number;
  readonly log: Logger;
}

/** Opens nothing until something is printed. */
export function createLogFile(deps: LogFileDeps, firstPath: string, limits: LogLimits = defaultLogLimits): LogFile {
  let path = firstPath;
  let file: FileHandle | undefined;
  let size = 0;
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let dropped = 0;
  let closed = false;
  let ended = false;
  let failing = false;
  let work: Promise<void> = Promise.resolve();
  let scheduled = false;
  const partial = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  const recent: string[] = [];
  const listeners = new Set<() => void>();
  const watchers = new Set<OutputSink>();

  const push = (stream: "stdout" | "stderr", line: Buffer, full: boolean): void => {
    if (pendingBytes > limits.maxPendingBytes) {
      dropped += 1;
      return;
    }
    const entry = Buffer.concat([Buffer.from(`${stamp(deps.now())} ${stream} ${full ? "F" : "P"} `), line, newline]);
    pending.push(entry);
    pendingBytes += entry.length;
    recent.push(line.toString("utf8"));
    if (recent.length > tailLines) recent.shift();
  };

  const sink: OutputSink = (stream, chunk) => {
    if (closed) return;
    for (const watcher of watchers) watcher(stream, chunk);
    let rest: Buffer = partial[stream].length === 0 ? chunk : Buffer.concat([partial[stream], chunk]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      pushLong(push, stream, rest.subarray(0, end));
      rest = rest.subarray(end + 1);
    }
    while (rest.length > maxLineBytes) {
      push(stream, rest.subarray(0, maxLineBytes), false);
      rest = rest.subarray(maxLineBytes);
    }
    partial[stream] = Buffer.from(rest);
    schedule();
  };

  const schedule = (): void => {
    if (scheduled || pending.length === 0) return;
    scheduled = true;
    work = work.then(flush);
  };

  async function flush(): Promise<void> {
    scheduled = false;
    const batch = pending;
    pending = [];
    pendingBytes = 0;
    if (dropped > 0) {
      batch.push(Buffer.from(`${stamp(deps.now())} stderr F [ebb: ${dropped} lines dropped: the disk is too slow]\n`));
      dropped = 0;
    }
    if (batch.length === 0) return;
    try {
      if (size > limits.maxFileBytes) await rotate();
      if (!file) {
        mkdirSync(dirname(path), { recursive: true });
        file = await open(path, "a");
        size = (await file.stat()).size;
      }
      const bytes = Buffer.concat(batch);
      await file.write(bytes);
      size += bytes.length;
      failing = false;
    } catch (error) {
      // Said once: what cannot write to its disk prints on all the same.
      if (!failing) deps.log.warn("container log could not be written", { path, err: error });
      failing = true;
    }
    for (const listener of listeners) listener();
  }

  async function rotate(): Promise<void> {
    await file?.close();
    file = undefined;
    size = 0;
    await rm(`${path}.${limits.maxFiles - 1}`, { force: true });
    for (let n = limits.maxFiles - 2; n >= 0; n--) {
      const from = n === 0 ? path : `${path}.${n}`;
      if (await stat(from).catch(() => undefined)) await rename(from, `${path}.${n + 1}`);
    }
  }

  return {
    sink,
    path: () => path,
    moveTo(target) {
      work = work.then(async () => {
        if (file) {
          mkdirSync(dirname(target), { recursive: true });
          await rename(path, target).catch((error: unknown) =>
            deps.log.warn("container log could not be moved", { path, target, err: error }),
          );
        }
        path = target;
      });
      return work;
    },
    settled: () => work,
    get ended() {
      return ended;
    },
    tail: (maxLines) => recent.slice(-maxLines).join("\n"),
    async close() {
      if (!closed) {
        for (const stream of ["stdout", "stderr"] as const) {
          if (partial[stream].length > 0) push(stream, partial[stream], true);
        }
        closed = true;
        schedule();
        work = work.then(async () => {
          await file?.close();
          file = undefined;
          ended = true;
          for (const listener of listeners) listener();
        });
      }
      await work;
    },
    onOutput(watcher) {
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    },
    onWrite(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** Removes a closed log with all it was rotated into. */
export async function removeLog(path: string, { maxFiles }: LogLimits = defaultLogLimits): Promise<void> {
  for (let n = 0; n < maxFiles; n++) await rm(n === 0 ? path : `${path}.${n}`, { force: true });
}

const newline = Buffer.from("\n");

function pushLong(
  push: (stream: "stdout" | "stderr", line: Buffer, full: boolean) => void,
  stream: "stdout" | "stderr",
  line: Buffer,
): void {
  let rest = line.at(-1) === 13 ? line.subarray(0, -1) : line;
  for (; rest.length > maxLineBytes; rest = rest.subarray(maxLineBytes))
    push(stream, rest.subarray(0, maxLineBytes), false);
  push(stream, rest, true);
}

/** Milliseconds are all a clock gives; the form asks for nanoseconds. */
const stamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, -1)}000000Z`;
