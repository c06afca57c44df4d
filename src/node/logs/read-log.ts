import { open, stat, type FileHandle } from "node:fs/promises";
import type { LogOptions } from "../../api/node-connection.ts";
import type { LogFile } from "./log-file.ts";

/** Which file is read, the current or the previous one, is settled before. */
export type LogQuery = Omit<LogOptions, "previous">;

const chunkBytes = 64 * 1024;

/**
 * Reads a container's log from disk, rotated files first, as the log subresource gives it. With `live` given and
 * `follow` asked, goes on until that log has ended. Ends early at the signal or limitBytes.
 */
export async function* readLog(
  path: string,
  query: LogQuery,
  live: LogFile | undefined,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let left = query.limitBytes ?? Infinity;
  const follow = query.follow ? live : undefined;
  const first = query.tailLines === undefined ? undefined : await tailStart(path, query.tailLines);
  for await (const line of rawLines(path, first, follow, signal)) {
    const out = render(line, query);
    if (!out) continue;
    if (out.length >= left) {
      yield out.subarray(0, left);
      return;
    }
    left -= out.length;
    yield out;
  }
}

interface Position {
  /** 0 is the live file, n its nth predecessor. */
  readonly file: number;
  readonly offset: number;
}

const fileName = (path: string, n: number): string => (n === 0 ? path : `${path}.${n}`);

async function oldest(path: string): Promise<number> {
  let n = 0;
  while (await stat(fileName(path, n + 1)).catch(() => undefined)) n += 1;
  return n;
}

/** Where the last `lines` lines begin, found from the end. */
async function tailStart(path: string, lines: number): Promise<Position> {
  let missing = lines;
  const last = await oldest(path);
  for (let n = 0; n <= last; n++) {
    const file = await open(fileName(path, n), "r").catch(() => undefined);
    if (!file) continue;
    try {
      const { size } = await file.stat();
      if (missing === 0) return { file: n, offset: size };
      const found = await countBack(file, size, missing);
      if (found.offset !== undefined) return { file: n, offset: found.offset };
      missing -= found.lines;
      if (missing === 0) return { file: n, offset: 0 };
    } finally {
      await file.close();
    }
  }
  return { file: last, offset: 0 };
}

/** The offset after the newline before the last `lines` lines, or how many lines the file has if fewer. */
async function countBack(
  file: FileHandle,
  size: number,
  lines: number,
): Promise<{ readonly offset?: number; readonly lines: number }> {
  const buffer = Buffer.alloc(chunkBytes);
  let seen = 0;
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - chunkBytes);
    const { bytesRead } = await file.read(buffer, 0, end - start, start);
    for (let at = bytesRead - 1; at >= 0; at--) {
      if (buffer[at] !== 10) continue;
      seen += 1;
      if (seen > lines) return { offset: start + at + 1, lines };
    }
    end = start;
  }
  return { lines: seen };
}

async function* rawLines(
  path: string,
  first: Position | undefined,
  follow: LogFile | undefined,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const from = first ?? { file: await oldest(path), offset: 0 };
  for (let n = from.file; n > 0; n--) {
    const file = await open(fileName(path, n), "r").catch(() => undefined);
    if (!file) continue;
    try {
      yield* linesOf(file, n === from.file ? from.offset : 0, signal);
    } finally {
      await file.close();
    }
  }
  yield* liveLines(path, from.file === 0 ? from.offset : 0, follow, signal);
}

async function* liveLines(
  path: string,
  offset: number,
  follow: LogFile | undefined,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  let at = offset;
  let file: FileHandle | undefined;
  const bell = follow && createBell(follow, signal);
  try {
    for (;;) {
      const last = follow === undefined || follow.ended || signal.aborted;
      file ??= await open(path, "r").catch(() => undefined);
      if (file) {
        for await (const line of linesOf(file, at, signal)) {
          at += line.length + 1;
          yield line;
        }
        if (follow && (await wasRotated(path, file))) {
          await file.close();
          file = undefined;
          at = 0;
          continue;
        }
      }
      if (last || signal.aborted) return;
      await bell?.rung();
    }
  } finally {
    bell?.close();
    await file?.close();
  }
}

async function wasRotated(path: string, file: FileHandle): Promise<boolean> {
  const now = await stat(path).catch(() => undefined);
  return now !== undefined && now.ino !== (await file.stat()).ino;
}

/** Whole lines from an offset on, without their newline. */
async function* linesOf(file: FileHandle, offset: number, signal: AbortSignal): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for (let at = offset; !signal.aborted;) {
    const buffer = Buffer.alloc(chunkBytes);
    const { bytesRead } = await file.read(buffer, 0, chunkBytes, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    let text: Buffer = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
    for (let end = text.indexOf(10); end >= 0; end = text.indexOf(10)) {
      yield text.subarray(0, end);
      text = text.subarray(end + 1);
    }
    rest = text;
  }
}

/** Remembers that something was written, so that a write between reading and waiting is not missed. */
function createBell(live: LogFile, signal: AbortSignal): { rung(): Promise<void>; close(): void } {
  let pending = false;
  let wake: (() => void) | undefined;
  const ring = (): void => {
    pending = true;
    wake?.();
  };
  const off = live.onWrite(ring);
  signal.addEventListener("abort", ring, { once: true });
  return {
    async rung() {
      if (!pending) await new Promise<void>((resolve) => (wake = resolve));
      wake = undefined;
      pending = false;
    },
    close() {
      off();
      signal.removeEventListener("abort", ring);
    },
  };
}

const newline = Buffer.from("\n");

/** `<time> <stream> F|P <text>` as asked for; undefined for lines that are not. */
function render(line: Buffer, query: LogQuery): Buffer | undefined {
  const afterTime = line.indexOf(32);
  const afterStream = line.indexOf(32, afterTime + 1);
  if (afterTime < 0 || afterStream < 0) return undefined;
  const stream = line.toString("latin1", afterTime + 1, afterStream);
  if (query.stream !== "All" && query.stream.toLowerCase() !== stream) return undefined;
  const time = line.toString("latin1", 0, afterTime);
  if (query.sinceMs !== undefined && Date.parse(time) < query.sinceMs) return undefined;
  const full = line[afterStream + 1] === 70;
  const text = line.subarray(afterStream + 3);
  return Buffer.concat([
    query.timestamps ? Buffer.from(`${time} `) : Buffer.alloc(0),
    text,
    full ? newline : Buffer.alloc(0),
  ]);
}
