import { closeSync, copyFileSync, fstatSync, openSync, readSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";

/** Writes at the end of the write-ahead log that SQLite's checksums refused when the state was opened. */
export interface DroppedWrites {
  /** Writes that had been complete on disk once. 0: one that was cut off, which nobody was told of. */
  readonly damaged: number;
  /** Where the log as it was found is kept, when writes were damaged. */
  readonly copy?: string;
}

/** Layout of a WAL (https://sqlite.org/fileformat2.html#the_write_ahead_log). */
const headerBytes = 32;
const frameHeaderBytes = 24;

/**
 * Looks behind the last write that SQLite accepted: frames of the same generation that lie there were written and did
 * not arrive whole. Undefined when there are none. Call after recovery and before anything is written.
 */
export function findDroppedWrites(db: DatabaseSync, path: string): DroppedWrites | undefined {
  if (path === ":memory:") return undefined;
  const pageBytes = Number(db.prepare("PRAGMA page_size").get()?.["page_size"]);
  // Counts without moving anything; a SQLite that does not know the word makes an ordinary checkpoint and counts too.
  const accepted = Number(db.prepare("PRAGMA wal_checkpoint(NOOP)").get()?.["log"] ?? 0);
  const wal = `${path}-wal`;
  const { frames, commits } = readTail(wal, { accepted: Math.max(0, accepted), pageBytes });
  if (frames === 0) return undefined;
  const copy = commits > 0 ? keep(wal) : undefined;
  return { damaged: commits, ...(copy === undefined ? {} : { copy }) };
}

/** Frames behind the accepted ones, and how many whole ones of those end a write. */
function readTail(
  wal: string,
  { accepted, pageBytes }: { readonly accepted: number; readonly pageBytes: number },
): { readonly frames: number; readonly commits: number } {
  const file = openIfThere(wal);
  if (file === undefined) return { frames: 0, commits: 0 };
  try {
    const size = fstatSync(file).size;
    const salts = Buffer.alloc(8);
    readSync(file, salts, 0, 8, 16);
    const head = Buffer.alloc(frameHeaderBytes);
    let [frames, commits] = [0, 0];
    for (let at = headerBytes + accepted * (frameHeaderBytes + pageBytes); at + 16 <= size;) {
      readSync(file, head, 0, frameHeaderBytes, at);
      // Of an older generation, which a checkpoint has already carried over.
      if (!head.subarray(8, 16).equals(salts)) break;
      at += frameHeaderBytes + pageBytes;
      frames += 1;
      if (at <= size && head.readUInt32BE(4) !== 0) commits += 1;
    }
    return { frames, commits };
  } finally {
    closeSync(file);
  }
}

function openIfThere(file: string): number | undefined {
  try {
    return openSync(file, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** The next checkpoint would overwrite what may still be read by other means. A disk without room keeps none. */
function keep(wal: string): string | undefined {
  const copy = `${wal}.damaged`;
  try {
    copyFileSync(wal, copy);
    return copy;
  } catch {
    return undefined;
  }
}
