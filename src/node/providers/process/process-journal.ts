import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { listStats, readStat } from "./session-members.ts";

/**
 * A record of every process started, so that the next ebb on the same data directory finds what a `kill -9` of this
 * one left running. A line is written in the turn of the spawn: `pid startTime`. The start time tells the process
 * from a later one with the same number.
 */
export interface ProcessJournal {
  started(pid: number): void;
}

/** Opens an empty journal; read {@link findOrphans} first. */
export function openProcessJournal(file: string, maxLines: number = 5_000): ProcessJournal {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, "");
  let lines = 0;
  return {
    started(pid) {
      const start = readStat(pid)?.startTime;
      if (start === undefined) return;
      appendFileSync(file, `${pid} ${start}\n`);
      lines += 1;
      if (lines > maxLines) lines = keepLiving(file);
    },
  };
}

/** Rewrites the journal with what still runs, aside and renamed: a kill in between loses nothing. */
function keepLiving(file: string): number {
  const orphans = new Set(findOrphans(file));
  const living = [...readJournal(file)].filter(([pid]) => orphans.has(pid));
  writeFileSync(`${file}.new`, living.map(([pid, start]) => `${pid} ${start}\n`).join(""));
  renameSync(`${file}.new`, file);
  return living.length;
}

/**
 * Sessions of the journal that still have processes: each process was started with a session of its own, so members
 * are those of its session no older than it. Empty where /proc does not exist.
 */
export function findOrphans(file: string): readonly number[] {
  const startOf = readJournal(file);
  if (startOf.size === 0) return [];
  const found = new Set<number>();
  for (const { session, startTime } of listStats()) {
    const leaderStart = startOf.get(session);
    if (leaderStart === undefined || startTime < leaderStart) continue;
    const leader = readStat(session);
    if (leader === undefined || leader.startTime === leaderStart) found.add(session);
  }
  return [...found];
}

function readJournal(file: string): ReadonlyMap<number, number> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Map();
    throw error;
  }
  const startOf = new Map<number, number>();
  for (const line of text.split("\n")) {
    const [pid, start] = line.split(" ").map(Number);
    if (pid !== undefined && start !== undefined && pid > 1) startOf.set(pid, start);
  }
  return startOf;
}
