import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** What a running ebb writes about itself into `<data>/ebb.json`, for the other commands and for people. */
export interface RunningEbb {
  readonly pid: number;
  /** RFC 3339. */
  readonly startedAt: string;
  /** `https://127.0.0.1:6443` */
  readonly apiUrl: string;
  /** `http://127.0.0.1:8080` */
  readonly routerUrl: string;
  /** Where the router speaks https, when it does. */
  readonly httpsUrl?: string;
  /** `http://127.0.0.1:5050`, where images can be pushed to and pulled from; absent when it is off. */
  readonly registryUrl?: string;
  /** Suffix of every Service's host, such as `localhost`. */
  readonly domain: string;
}

/** The directory is in use, cannot be written, or is not usable; the message says what to do. */
export class DataDirError extends Error {
  override readonly name = "DataDirError";
}

export interface DataDir {
  readonly path: string;
  readonly kubeconfig: string;
  writeKubeconfig(text: string): void;
  announce(running: RunningEbb): void;
  close(): void;
}

/**
 * Makes and locks a data directory. The lock is SQLite's own on `lock.db`: the kernel drops it with the process, so a
 * `kill -9` leaves nothing to clean. Throws {@link DataDirError}, naming the holder where another ebb has it.
 */
export function openDataDir(dir: string): DataDir {
  const path = resolve(dir);
  const lock = takeLock(path);
  const announcement = join(path, "ebb.json");
  const kubeconfig = join(path, "kubeconfig");
  return {
    path,
    kubeconfig,
    writeKubeconfig: (text) => writeKubeconfig(kubeconfig, text),
    announce: (running) => writeFileSync(announcement, `${JSON.stringify(running, undefined, 2)}\n`),
    close: () => {
      try {
        rmSync(announcement, { force: true });
      } finally {
        lock.close();
      }
    },
  };
}

function takeLock(path: string): DatabaseSync {
  try {
    makeDir(path);
    // A lock alone writes nothing: a directory on a read-only file system would be found out much later.
    accessSync(path, constants.W_OK);
    const lock = new DatabaseSync(join(path, "lock.db"));
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new DataDirError(explainLockFailure(path, error), { cause: error });
  }
}

/** One level at a time: where a parent cannot be made (below /proc), Node's recursive mkdir never returns. */
function makeDir(path: string): void {
  if (existsSync(path)) return;
  if (!existsSync(dirname(path))) makeDir(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

function writeKubeconfig(file: string, text: string): void {
  try {
    writeFileSync(file, text, { mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new DataDirError(`cannot write the kubeconfig ${file}: ${error.message}; make way for it, or see --data`, {
      cause: error,
    });
  }
}

function explainLockFailure(path: string, error: Error & { code?: string; errcode?: number }): string {
  const busy = 5;
  if (error.errcode === busy) {
    const holder = readRunning(path);
    const who = holder ? `process ${holder.pid}, started ${holder.startedAt}, API ${holder.apiUrl}` : "another process";
    return `the data directory ${path} is in use by ${who}; stop it first, or give another directory with --data`;
  }
  return `cannot use the data directory ${path}: ${error.message}; give a writable one with --data`;
}

/** What the ebb running on a data directory says of itself; undefined when none has announced itself there. */
export function readRunning(dir: string): RunningEbb | undefined {
  try {
    return JSON.parse(readFileSync(join(dir, "ebb.json"), "utf8")) as RunningEbb;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    // Cut off by a crash or a full disk: as good as none.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
