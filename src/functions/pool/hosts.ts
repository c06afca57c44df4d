import type { ForkServer } from "./fork-server.ts";
import type { HostProcess, PreparedHost } from "./host-process.ts";
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

export interface HostsDeps extends Omit<PoolDeps, "start" | "prepare"> {
  readonly prepareHost: (command: readonly string[]) => PreparedHost;
  readonly startHost: (
    command: readonly string[],
    purpose: "warm" | "direct",
    launcher?: readonly string[],
  ) => HostProcess;
  readonly startForkServer: (command: readonly string[]) => Promise<ForkServer>;
}

export interface HostsOptions extends PoolOptions {
  /** Asked once, when the first function of the kind is seen; rejects when the machine cannot run the kind. */
  readonly command: () => Promise<readonly string[]>;
  /** 0 keeps none waiting, whatever is seen. */
  readonly minIdle: number;
  /** The program can give off copies of itself, which is how its hosts are then started wherever that will do. */
  readonly forks: boolean;
}

/**
 * Hosts of one kind, asleep until the first function of that kind is seen: who runs none pays nothing. `wake` opens
 * the pool before that.
 */
export function createHosts(deps: HostsDeps, options: HostsOptions): Hosts & { wake(): Promise<void> } {
  let command: readonly string[] = [];
  let opened: Promise<void> | undefined;
  let closed = false;
  const forks = createForks(deps, options.forks && options.minIdle > 0);
  const pool = new WarmPool(
    {
      ...deps,
      start: () => (forks.wanted ? notYet(forks.fork(command)) : deps.startHost(command, "warm")),
      prepare: () => deps.prepareHost(command),
      // One that is not there yet ends with its socket.
      end: (host) => host.pid > 0 && deps.end(host),
    },
    options,
  );
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
      if (launcher.length > 0) return deps.startHost(command, "direct", launcher);
      return (await forks.tryFork()) ?? pool.takePrepared()?.begin() ?? deps.startHost(command, "direct");
    },
    close() {
      closed = true;
      pool.close();
      forks.close();
    },
  };
}

interface Forks {
  readonly wanted: boolean;
  /** Starts the fork server first when there is none. */
  fork(command: readonly string[]): Promise<HostProcess>;
  /** A copy when the server is up, else undefined. */
  tryFork(): Promise<HostProcess | undefined>;
  close(): void;
}

function createForks({ startForkServer }: Pick<HostsDeps, "startForkServer">, wanted: boolean): Forks {
  let starting: Promise<ForkServer> | undefined;
  let server: ForkServer | undefined;
  return {
    wanted,
    async fork(command) {
      if (server?.alive) return await server.fork("warm");
      starting ??= startForkServer(command);
      try {
        server = await starting;
      } finally {
        starting = undefined;
      }
      return await server.fork("warm");
    },
    tryFork: async () => (server?.alive ? await server.fork("direct").catch(() => undefined) : undefined),
    close: () => void (server?.close(), starting?.then((late) => late.close()).catch(() => undefined)),
  };
}

/** A host on its way, for whoever only waits until it is idle. */
function notYet(coming: Promise<HostProcess>): HostProcess {
  let host: HostProcess | undefined;
  const idle = coming.then((here) => {
    host = here;
    return here.idle;
  });
  const exited = coming.then((here) => here.exited);
  for (const promise of [idle, exited]) promise.catch(() => undefined);
  const here = (): HostProcess => {
    if (!host) throw new Error("the host is not there yet");
    return host;
  };
  return {
    idle,
    exited,
    get pid() {
      return host?.pid ?? -1;
    },
    get startedAtMs() {
      return here().startedAtMs;
    },
    get stdout() {
      return here().stdout;
    },
    get stderr() {
      return here().stderr;
    },
    claim: (claim) => here().claim(claim),
  };
}
