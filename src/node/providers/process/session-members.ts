import { readdirSync, readFileSync } from "node:fs";

/** Every process of this machine, by /proc; empty where there is none. */
export function listStats(): readonly ProcessStat[] {
  return processIds()?.flatMap((pid) => readStat(pid) ?? []) ?? [];
}

/**
 * Process ids of a session: a container's main process and all its descendants that did not start a session of their
 * own. Undefined where there is no /proc.
 */
export function sessionMembers(session: number): readonly number[] | undefined {
  return processIds()?.filter((pid) => readStat(pid)?.session === session);
}

function processIds(): readonly number[] | undefined {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return undefined;
  }
}

export interface ProcessStat {
  readonly pid: number;
  readonly session: number;
  /** User and system time, clock ticks (100 a second on every Linux). */
  readonly cpuTicks: number;
  /** Clock ticks since boot. */
  readonly startTime: number;
  readonly residentPages: number;
}

/** Reads /proc/<pid>/stat, fields as in proc(5); undefined when there is no such process. */
export function readStat(pid: number): ProcessStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined;
  }
  // The second field, the command, may hold spaces and brackets: count from its end.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const field = (number: number): number => Number(fields[number - 3]);
  return {
    pid,
    session: field(6),
    cpuTicks: field(14) + field(15),
    startTime: field(22),
    residentPages: field(24),
  };
}
