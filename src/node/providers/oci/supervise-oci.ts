import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { constants } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../../client/clock.ts";
import { ContainerStartError, type ContainerStart, type NetAddress, type RunningContainer } from "../../runtime.ts";
import { execInProcess } from "../process/exec.ts";
import { toContainerExit } from "../process/exit.ts";
import { parseListeningPorts } from "../process/listening-ports.ts";
import type { ProcessTable } from "../process/process-table.ts";
import type { OwnedProcess } from "../process/program.ts";
import { canGiveTerminal } from "../process/terminal.ts";
import type { CgroupReader } from "./cgroup-usage.ts";
import { openOverlay } from "./launch-script.ts";
import { runCommand } from "./run-command.ts";

export interface OciFacts {
  readonly request: ContainerStart;
  /** Resolves when all it printed was handed over. */
  readonly output: Promise<void>;
  readonly imageId: string;
  /** Host id of the container's first process; undefined when there never was one. */
  readonly pid: number | undefined;
  readonly name: string;
  readonly cgroupsPath: string;
  /** The runtime leaves the ended container, and so its control group, to us. */
  readonly keeps: boolean;
  /** The runtime's command with its global options. */
  readonly runtime: readonly string[];
  readonly address: NetAddress | undefined;
  /** What the runtime itself complained of. */
  readonly failure: () => string | undefined;
}

interface Deps {
  readonly clock: Clock;
  readonly cgroups: CgroupReader;
  readonly table: ProcessTable;
}

/**
 * Makes a running container of a runtime's foreground process. Throws ContainerStartError when there is no container:
 * what the runtime says of a command that cannot be run is the pod's to read.
 */
export async function superviseOci(deps: Deps, child: OwnedProcess, facts: OciFacts): Promise<RunningContainer> {
  const { request, output, pid, name, cgroupsPath } = facts;
  if (pid === undefined) {
    await child.exited;
    await remove(facts);
    const why = facts.failure() ?? "the OCI runtime ended without a container";
    throw new ContainerStartError("RunContainerError", why);
  }
  let ended = false;
  let oomKills = 0;
  const exited = child.exited.then(async (exit) => {
    // A kept container's group is still there and has counted all along.
    oomKills = Math.max(oomKills, deps.cgroups.oomKills(cgroupsPath));
    ended = true;
    const finishedAtMs = deps.clock.now();
    await output;
    await remove(facts);
    const failure = exit.code === 0 ? undefined : facts.failure();
    const cause = failure === undefined ? {} : { cause: { reason: "StartError", message: failure } };
    return { ...withSignal(toContainerExit(exit, finishedAtMs)), oomKilled: oomKills > 0, ...cause };
  });
  if (!facts.keeps) {
    deps.clock.after(oomEveryMs, function look(): void {
      if (ended) return;
      oomKills = Math.max(oomKills, deps.cgroups.oomKills(cgroupsPath));
      deps.clock.after(oomEveryMs, look);
    });
  }
  return {
    id: request.id,
    imageId: facts.imageId,
    startedAtMs: child.startedAtMs,
    address: facts.address,
    serves: undefined,
    exited,
    stdin: child.stdin,
    signal(signal) {
      if (!ended) signalOne(pid, signal);
    },
    // Without control groups its first process's session is what can be counted.
    usage: () => (ended ? undefined : (deps.cgroups.usage(cgroupsPath) ?? deps.table.usage(pid))),
    exec(command, options) {
      const tty = options.tty && canGiveTerminal() ? ["--tty"] : [];
      const words = [...facts.runtime, "exec", ...tty, name, ...command];
      const env = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };
      return execInProcess(words, { env, cwd: "/", launcher: [], ...options });
    },
    listeningPorts: async () => {
      const tables = ["tcp", "tcp6"].map((table) => readFile(`/proc/${pid}/net/${table}`, "latin1").catch(() => ""));
      return parseListeningPorts(await Promise.all(tables));
    },
  };
}

/** Where the group goes with the container, and its count with the group: often enough to have seen the last kill. */
const oomEveryMs = 1_000;

/**
 * With the first process of a process namespace all others end. The kernel drops signals that it does not handle,
 * where any other process would end by them: it is killed then, or it would live on until the grace period is over.
 */
function signalOne(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, ends.has(signal) && !minds(pid, constants.signals[signal]) ? "SIGKILL" : signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

const ends: ReadonlySet<NodeJS.Signals> = new Set(["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP"]);

/** Whether a process catches or ignores a signal by its own will (proc(5), SigCgt and SigIgn). */
function minds(pid: number, signal: number): boolean {
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/status`, "latin1");
  } catch {
    return true;
  }
  const bit = 1n << BigInt(signal - 1);
  const masks = [...status.matchAll(/^Sig(?:Cgt|Ign):\s*([0-9a-f]+)$/gm)].map(([, mask]) => BigInt(`0x${mask}`));
  return masks.length === 0 || masks.some((mask) => (mask & bit) !== 0n);
}

/** A runtime tells a signal by exit code 128 + n, as shells do. */
function withSignal<T extends { readonly exitCode: number; readonly signal?: number }>(exit: T): T {
  const signal = exit.exitCode - 128;
  return Object.values(constants.signals).includes(signal as 9) ? { ...exit, signal } : exit;
}

/** The runtime removes a container that ended by itself; one whose runtime was killed is left to us. */
async function remove({ runtime: [file = "", ...global], name, request }: OciFacts): Promise<void> {
  await runCommand(file, [...global, "delete", "--force", name]);
  await openOverlay(join(request.dir, "overlay"));
}
