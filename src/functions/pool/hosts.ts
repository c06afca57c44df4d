import type { HostProcess } from "./host-process.ts";
import { WarmPool, type PoolDeps, type PoolOptions } from "./warm-pool.ts";

/** One kind of host: those that wait, and the starting of more. */
export interface Hosts {
  /** A waiting host, now the caller's; undefined when none waits. */
  take(): HostProcess | undefined;
  /** Puts the filling of the pool off: claims or direct starts are under way. */
  busy(): void;
  /** Starts a host to be claimed at once, with these words before its command. Rejects when there is no runtime for it. */
  start(launcher: readonly string[]): Promise<HostProcess>;
  close(): void;
}

export interface HostsDeps extends Omit<PoolDeps, "start"> {
  readonly startHost: (
    command: readonly string[],
    purpose: "warm" | "direct",
    launcher?: readonly string[],
  ) => HostProcess;
}

export interface HostsOptions extends PoolOptions {
  /** Asked once, when the first function of the kind is seen; rejects when the machine cannot run the kind. */
  readonly command: () => Promise<readonly string[]>;
  /** 0 keeps none waiting, whatever is seen. */
  readonly minIdle: number;
}

/**
 * Hosts of one kind, asleep until the first function of that kind is seen: who runs none pays nothing. `wake` opens
 * the pool before that.
 */
export function createHosts(deps: HostsDeps, options: HostsOptions): Hosts & { wake(): Promise<void> } {
  let command: readonly string[] = [];
  let opened: Promise<void> | undefined;
  let closed = false;
  const pool = new WarmPool({ ...deps, start: () => deps.startHost(command, "warm") }, options);
  const open = async (afterMs: number): Promise<void> => {
    command = await options.command();
    if (options.minIdle > 0 && !closed) pool.start(afterMs);
  };
  const wake = (afterMs = 0): Promise<void> => {
    opened ??= open(afterMs);
    // Tried again by the next function: the runtime may be installed meanwhile.
    opened.catch(() => (opened = undefined));
    return opened;
  };
  return {
    wake,
    take() {
      if (!opened) void wake(options.replenishAfterMs).catch(() => undefined);
      return pool.take();
    },
    busy: () => pool.busy(),
    async start(launcher) {
      if (command.length === 0) await wake(options.replenishAfterMs);
      return deps.startHost(command, "direct", launcher);
    },
    close() {
      closed = true;
      pool.close();
    },
  };
}
