import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { readStat } from "./session-members.ts";

/**
 * A record of every process started, so that the next ebb on the same data directory finds what a `kill -9` of this
 * one left running. A line is written in the turn of the spawn: `pid startTime`. The start time tells the process
 * from a later one with the same number.
 */
export interface ProcessJournal {
  started(pid: number): void;
}

/** Opens an empty journal; read {@link findOrphans} first. */
export function openProcessJournal(file: string): ProcessJournal {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, "");
  return {
    started(pid) {
      const start = readStat(pid)?.startTime;
      if (start !== undefined) appendFileSync(file, `${pid} ${start}\n`);
    },
  };
}

/**
 * Sessions of the journal that still have processes: each process was started with a session of its own, so members
 * are those of its session no older than it. Empty where /proc does not exist.
 */
export function findOrphans(file: string): readonly number[] {
  const startOf = readJournal(file);
  if (startOf.size === 0) return [];
  const found = new Set<number>();
  for (const name of readdirSync("/proc")) {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : undefined;
    const leaderStart = stat && startOf.get(stat.session);
    if (!stat || leaderStart === undefined || stat.startTime < leaderStart) continue;
    const leader = readStat(stat.session);
    if (leader === undefined || leader.startTime === leaderStart) found.add(stat.session);
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
