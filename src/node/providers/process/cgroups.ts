import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "../../../telemetry/logger.ts";
import type { Limits } from "../../runtime.ts";

/** A container's control group. */
export interface Cgroup {
  /** Files to write a process id into, to put it under the limits. */
  readonly procs: readonly string[];
  /** Moves a running process in. */
  add(pid: number): void;
  /** Whether the kernel has killed one of its processes for want of memory. */
  oomKilled(): boolean;
  /** False while a process is still in it. */
  remove(): boolean;
}

export interface Cgroups {
  readonly version: 1 | 2;
  create(id: string, limits: Limits): Cgroup;
  /** Takes the base away, if nothing is left in it. */
  close(): void;
}

/** Both versions account CPU in periods of 100 ms. */
const periodUs = 100_000;

/**
 * Control groups below one of ours, if this process may make them: version 2 where its memory controller is on,
 * else the version 1 hierarchies. Undefined when neither can be written.
 */
export function openCgroups(
  name: string,
  { log }: { readonly log: Logger },
  root = "/sys/fs/cgroup",
): Cgroups | undefined {
  try {
    if (hasController(join(root, "cgroup.controllers"), "memory")) return openV2(join(root, name));
    if (existsSync(join(root, "memory")) && existsSync(join(root, "cpu"))) return openV1(root, name);
  } catch (error) {
    log.debug("control groups cannot be written; limits fall back to process limits", { err: error });
  }
  return undefined;
}

const hasController = (file: string, controller: string): boolean =>
  existsSync(file) && readFileSync(file, "utf8").split(/\s+/).includes(controller);

/** Makes the base and lets go of what an earlier process left there: groups without processes. */
function prepare(base: string): void {
  mkdirSync(base, { recursive: true });
  for (const entry of readdirSync(base, { withFileTypes: true })) {
    if (entry.isDirectory()) removeIfEmpty(join(base, entry.name));
  }
}

function removeIfEmpty(dir: string): boolean {
  try {
    rmdirSync(dir);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EBUSY") throw error;
    return false;
  }
}

function openV2(base: string): Cgroups {
  prepare(base);
  writeFileSync(join(base, "..", "cgroup.subtree_control"), "+memory +cpu");
  writeFileSync(join(base, "cgroup.subtree_control"), "+memory +cpu");
  return {
    version: 2,
    create(id, { cpuMillis, memoryBytes }) {
      const dir = join(base, id);
      mkdirSync(dir);
      if (memoryBytes !== undefined) {
        writeFileSync(join(dir, "memory.max"), String(memoryBytes));
        writeFileSync(join(dir, "memory.oom.group"), "1");
      }
      if (cpuMillis !== undefined) writeFileSync(join(dir, "cpu.max"), `${cpuMillis * 100} ${periodUs}`);
      return group([dir], () => counter(join(dir, "memory.events"), "oom_kill") > 0);
    },
    close: () => void removeIfEmpty(base),
  };
}

function openV1(root: string, name: string): Cgroups {
  const bases = { memory: join(root, "memory", name), cpu: join(root, "cpu", name) };
  for (const base of Object.values(bases)) prepare(base);
  return {
    version: 1,
    create(id, { cpuMillis, memoryBytes }) {
      const dirs: string[] = [];
      const make = (base: string): string => {
        const dir = join(base, id);
        mkdirSync(dir);
        dirs.push(dir);
        return dir;
      };
      if (memoryBytes !== undefined)
        writeFileSync(join(make(bases.memory), "memory.limit_in_bytes"), String(memoryBytes));
      if (cpuMillis !== undefined) {
        const dir = make(bases.cpu);
        writeFileSync(join(dir, "cpu.cfs_period_us"), String(periodUs));
        // The kernel takes no quota below 1 ms.
        writeFileSync(join(dir, "cpu.cfs_quota_us"), String(Math.max(1_000, cpuMillis * 100)));
      }
      return group(dirs, () => counter(join(bases.memory, id, "memory.oom_control"), "oom_kill") > 0);
    },
    close() {
      for (const base of Object.values(bases)) removeIfEmpty(base);
    },
  };
}

function group(dirs: readonly string[], oomKilled: () => boolean): Cgroup {
  const procs = dirs.map((dir) => join(dir, "cgroup.procs"));
  return {
    procs,
    oomKilled,
    add(pid) {
      for (const file of procs) writeFileSync(file, String(pid));
    },
    remove: () => dirs.map((dir) => !existsSync(dir) || removeIfEmpty(dir)).every(Boolean),
  };
}

/** A `name value` line of a control file; 0 when there is none. */
function counter(file: string, name: string): number {
  if (!existsSync(file)) return 0;
  const line = readFileSync(file, "utf8")
    .split("\n")
    .find((text) => text.startsWith(`${name} `));
  return Number(line?.split(" ")[1] ?? 0);
}
