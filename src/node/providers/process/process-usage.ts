import { readStat, sessionMembers } from "./session-members.ts";

const nanosecondsPerTick = 10_000_000;
const pageBytes = 4096;

/** CPU time and resident memory of a session's processes; undefined when none is left or /proc does not exist. */
export function processUsage(
  session: number,
): { readonly cpuNanoseconds: number; readonly memoryBytes: number } | undefined {
  let ticks = 0;
  let pages = 0;
  let seen = 0;
  for (const pid of sessionMembers(session) ?? []) {
    const stat = readStat(pid);
    if (!stat) continue;
    seen += 1;
    ticks += stat.cpuTicks;
    pages += stat.residentPages;
  }
  return seen === 0 ? undefined : { cpuNanoseconds: ticks * nanosecondsPerTick, memoryBytes: pages * pageBytes };
}
