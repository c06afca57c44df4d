import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What a container's control group has counted; undefined once it is gone. */
export interface CgroupUsage {
  readonly cpuNanoseconds: number;
  readonly memoryBytes: number;
}

export interface CgroupReader {
  usage(path: string): CgroupUsage | undefined;
  /** Times the kernel has killed a process of it for want of memory. */
  oomKills(path: string): number;
}

/** Reads the groups an OCI runtime makes (`cgroupsPath`), in whichever version the machine has. */
export function createCgroupReader(root = "/sys/fs/cgroup"): CgroupReader {
  const v2 = read(join(root, "cgroup.controllers")) !== undefined;
  return {
    usage(path) {
      const cpu = v2
        ? 1_000 * counter(join(root, path, "cpu.stat"), "usage_usec")
        : number(join(root, "cpuacct", path, "cpuacct.usage"));
      const memory = number(
        v2 ? join(root, path, "memory.current") : join(root, "memory", path, "memory.usage_in_bytes"),
      );
      const cache = v2
        ? counter(join(root, path, "memory.stat"), "inactive_file")
        : counter(join(root, "memory", path, "memory.stat"), "total_inactive_file");
      if (Number.isNaN(cpu) || Number.isNaN(memory)) return undefined;
      // The working set, as the kubelet reckons it: without what the kernel would give back first.
      return { cpuNanoseconds: cpu, memoryBytes: Math.max(0, memory - (Number.isNaN(cache) ? 0 : cache)) };
    },
    oomKills(path) {
      const file = v2 ? join(root, path, "memory.events") : join(root, "memory", path, "memory.oom_control");
      return counter(file, "oom_kill") || 0;
    },
  };
}

const number = (file: string): number => Number(read(file) ?? Number.NaN);

/** A `name value` line; NaN when there is none. */
function counter(file: string, name: string): number {
  const line = read(file)
    ?.split("\n")
    .find((text) => text.startsWith(`${name} `));
  return Number(line?.split(" ")[1] ?? Number.NaN);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
