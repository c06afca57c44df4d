/** A server of node:http, or the function's own of any kind. */
interface Closable {
  close(done?: () => void): unknown;
  closeIdleConnections?(): void;
}

/** Counts what is unfinished, so that SIGTERM ends the process when the last of it is done and not before. */
export interface Drain {
  readonly draining: boolean;
  /** Work that outlives its response, as given to `ctx.waitUntil`. */
  hold(work: Promise<unknown>): void;
  /** Called when the last request is done, before the process ends. */
  onStop(hook: () => unknown): void;
  /** The function brought a server of its own: drain that one. */
  follow(server: Closable): void;
  /** Stops taking connections; resolves when nothing is in flight. A second call gives the same promise. */
  start(): Promise<void>;
}

export function createDrain(host: Closable): Drain {
  let server: Closable = host;
  let draining: Promise<void> | undefined;
  const held = new Set<Promise<unknown>>();
  const hooks: (() => unknown)[] = [];
  return {
    get draining() {
      return draining !== undefined;
    },
    hold(work) {
      held.add(work);
      work
        .catch((error: unknown) => process.stderr.write(`waitUntil: ${String(error)}\n`))
        .finally(() => held.delete(work));
    },
    onStop(hook) {
      hooks.push(hook);
    },
    follow(next) {
      server = next;
    },
    start() {
      draining ??= drain(server, held).then(() => runHooks(hooks));
      return draining;
    },
  };
}

async function drain(server: Closable, held: ReadonlySet<Promise<unknown>>): Promise<void> {
  // Connections become idle one by one as their last responses end; kept alive they would hold the server open.
  const closeIdle = setInterval(() => server.closeIdleConnections?.(), 20);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections?.();
  });
  clearInterval(closeIdle);
  await Promise.allSettled(held);
}

async function runHooks(hooks: readonly (() => unknown)[]): Promise<void> {
  for (const hook of hooks) {
    try {
      await hook();
    } catch (error) {
      process.stderr.write(`shutdown: ${error instanceof Error ? error.stack : String(error)}\n`);
    }
  }
}
