import type { Clock } from "../../../client/clock.ts";
import type { ContainerStart, NetAddress, RunningContainer } from "../../runtime.ts";
import type { Confinement } from "./confinement.ts";
import { execInProcess } from "./exec.ts";
import { forwardOutput, signalGroup, toContainerExit } from "./exit.ts";
import { listeningPorts } from "./listening-ports.ts";
import type { ProcessTable } from "./process-table.ts";
import type { OwnedProcess } from "./program.ts";

export interface SupervisedFacts {
  readonly request: ContainerStart;
  readonly imageId: string;
  readonly address: () => NetAddress | undefined;
  readonly serves?: Promise<void>;
  readonly comingAt?: string;
  /** Asked once the process has ended: a better word than its exit code. */
  readonly cause?: () => { readonly reason: string; readonly message: string } | undefined;
  /** The main process's environment, for commands run beside it. */
  readonly env: () => Readonly<Record<string, string>>;
  readonly cwd: string;
  /** The main process ends what it has started itself, when that is done: TERM is for it alone. */
  readonly endsItsOwn?: boolean;
  readonly confinement: Pick<Confinement, "join" | "oomKilled" | "user">;
}

/** A descendant that keeps the pipes open after the main process has ended is waited for this long, then killed. */
const lingerMs = 200;

/** Makes a running container of a process: output to the sink, exit in a pod's terms, its whole group as one. */
export function supervise(
  { clock, table }: { readonly clock: Clock; readonly table: ProcessTable },
  child: OwnedProcess,
  facts: SupervisedFacts,
): RunningContainer {
  const output = forwardOutput(child, facts.request.output);
  // Of a warm host: its claim, for it had nothing of the container's to run before.
  const startedAtMs = clock.now();
  let ended = false;
  const exited = child.exited.then(async (exit) => {
    const finishedAtMs = clock.now();
    ended = true;
    const lingering = clock.after(lingerMs, () => signalGroup(child.pid, "SIGKILL"));
    await output;
    lingering();
    // Whatever the main process left behind in its group does not outlive the container.
    signalGroup(child.pid, "SIGKILL");
    const cause = facts.cause?.();
    const oomKilled = facts.confinement.oomKilled();
    return { ...toContainerExit(exit, finishedAtMs), oomKilled, ...(cause ? { cause } : {}) };
  });
  return {
    id: facts.request.id,
    imageId: facts.imageId,
    startedAtMs,
    get address() {
      return facts.address();
    },
    ...(facts.comingAt === undefined ? {} : { comingAt: facts.comingAt }),
    serves: facts.serves,
    exited,
    stdin: child.stdin,
    signal(signal) {
      if (ended) return;
      if (facts.endsItsOwn === true && signal !== "SIGKILL") process.kill(child.pid, signal);
      else signalGroup(child.pid, signal);
    },
    usage: () => (ended ? undefined : table.usage(child.pid)),
    exec: (command, options) => {
      const { join, user } = facts.confinement;
      const place = { env: facts.env(), cwd: facts.cwd, launcher: join(child.pid), ...(user ? { user } : {}) };
      return execInProcess(command, { ...place, ...options });
    },
    listeningPorts: () => listeningPorts(child.pid),
  };
}
