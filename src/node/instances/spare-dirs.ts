import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../client/clock.ts";

export interface SpareDirsDeps {
  readonly clock: Pick<Clock, "after">;
  readonly randomId: () => string;
}

export interface SpareDirsOptions {
  readonly runDir: string;
  /** Kept in stock. */
  readonly count: number;
}

/** Directories of containers, made before they are needed: three calls of the file system less while a request waits. */
export interface SpareDirs {
  /** Fills the stock, soon. */
  start(): void;
  /** An id that no container had. The directory `<runDir>/<id>` is there already, if the stock had one. */
  newId(): string;
  /** Makes a container's directory with its home and temp, unless it came from the stock. */
  make(dir: string): void;
  close(): void;
}

/** Quiet time before the stock is filled again, and between two directories. */
const fillAfterMs = 300;
const fillPauseMs = 5;

export function createSpareDirs({ clock, randomId }: SpareDirsDeps, { runDir, count }: SpareDirsOptions): SpareDirs {
  const stock: string[] = [];
  /** Given out and not asked to be made yet; bounded, since some containers never ask. */
  const given = new Set<string>();
  let cancel: (() => void) | undefined;
  let open = false;

  const fill = (): void => {
    cancel = undefined;
    if (!open || stock.length >= count) return;
    const id = randomId();
    makeDirs(join(runDir, id));
    stock.push(id);
    schedule(fillPauseMs);
  };
  const schedule = (ms: number): void => {
    cancel?.();
    cancel = open ? clock.after(ms, fill) : undefined;
  };

  return {
    start() {
      open = true;
      schedule(fillAfterMs);
    },
    newId() {
      const id = stock.shift();
      schedule(fillAfterMs);
      if (id === undefined) return randomId();
      given.add(join(runDir, id));
      for (const oldest of given) {
        if (given.size <= 2 * count) break;
        given.delete(oldest);
      }
      return id;
    },
    make(dir) {
      if (!given.delete(dir)) makeDirs(dir);
    },
    close() {
      open = false;
      cancel?.();
    },
  };
}

function makeDirs(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o711 });
  for (const name of ["home", "tmp"]) mkdirSync(join(dir, name), { recursive: true, mode: 0o700 });
}
