import type { Clock } from "../../../client/clock.ts";
import { listStats, type ProcessStat } from "./session-members.ts";

export interface SessionUsage {
  readonly cpuNanoseconds: number;
  readonly memoryBytes: number;
}

/** What every session on this machine uses, for those asked about; undefined where /proc does not exist. */
export interface ProcessTable {
  usage(session: number): SessionUsage | undefined;
}

/** Readings this old are given again: asking about a thousand containers then reads /proc once, not a thousand times. */
const keepMs = 100;
/** USER_HZ is 100 on every Linux. */
const nanosecondsPerTick = 10_000_000;
const pageBytes = 4096;

export function createProcessTable(clock: Clock, read: () => readonly ProcessStat[] = listStats): ProcessTable {
  let readMs = -Infinity;
  let sessions = new Map<number, SessionUsage>();
  return {
    usage(session) {
      const nowMs = clock.steadyMs();
      if (nowMs - readMs >= keepMs) {
        sessions = bySession(read());
        readMs = nowMs;
      }
      return sessions.get(session);
    },
  };
}

function bySession(stats: readonly ProcessStat[]): Map<number, SessionUsage> {
  const sessions = new Map<number, SessionUsage>();
  for (const { session, cpuTicks, residentPages } of stats) {
    const sum = sessions.get(session) ?? { cpuNanoseconds: 0, memoryBytes: 0 };
    sessions.set(session, {
      cpuNanoseconds: sum.cpuNanoseconds + cpuTicks * nanosecondsPerTick,
      memoryBytes: sum.memoryBytes + residentPages * pageBytes,
    });
  }
  return sessions;
}
