import type { Logger } from "../../telemetry/logger.ts";
import type { HostProcess, PreparedHost } from "./host-process.ts";
import { noHistory, noteClaim, wantedIdle, wantedPrepared, type PoolHistory, type PoolLimits } from "./pool-size.ts";

export interface PoolDeps {
  readonly start: () => HostProcess;
  readonly prepare: () => PreparedHost;
  /** Whether nobody waits for a start: filling the pool must not take the processor from it. */
  readonly mayFill: () => boolean;
  readonly end: (host: Pick<HostProcess, "pid">) => void;
  readonly now: () => number;
  /** Calls back after a time; returns the cancelling. */
  readonly after: (ms: number, callback: () => void) => () => void;
  readonly log: Logger;
}

export interface PoolOptions extends PoolLimits {
  /** Quiet time after a claim before the next host is started: the claimed function gets the processor first. */
  readonly replenishAfterMs: number;
}

/** Between two preparations: each stops this process for a millisecond. */
const preparePauseMs = 10;

/**
 * Hosts that are started and wait for a function, and behind them processes prepared to become hosts. Taking one is
 * synchronous; the place is filled later, one host at a time, behind the request that took it.
 */
export class WarmPool {
  readonly #deps: PoolDeps;
  readonly #options: PoolOptions;
  readonly #waiting: HostProcess[] = [];
  readonly #prepared: PreparedHost[] = [];
  #starting: HostProcess | undefined;
  #history: PoolHistory = noHistory;
  #cancel: (() => void) | undefined;
  #failures = 0;
  #closed = true;

  constructor(deps: PoolDeps, options: PoolOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get prepared(): number {
    return this.#prepared.length;
  }

  /** Begins to fill, after a while when something more urgent is under way. */
  start(afterMs = 0): void {
    this.#closed = false;
    this.#schedule(afterMs);
  }

  /** A waiting host, now the caller's; undefined when none waits. Either way the wish is remembered. */
  take(): HostProcess | undefined {
    this.#history = noteClaim(this.#history, this.#options, this.#deps.now());
    const host = this.#waiting.shift();
    this.#schedule(this.#options.replenishAfterMs);
    return host;
  }

  /** For a claim that found no waiting host: a process that becomes one when told, now the caller's, if any is left. */
  takePrepared(): PreparedHost | undefined {
    return this.#prepared.shift();
  }

  /** Puts the filling off again, while claims or direct starts are still under way. */
  busy(): void {
    this.#schedule(this.#options.replenishAfterMs);
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
    for (const host of [...this.#waiting.splice(0), ...this.#prepared.splice(0)]) this.#deps.end(host);
    if (this.#starting) this.#deps.end(this.#starting);
  }

  #schedule(ms: number): void {
    if (this.#closed) return;
    this.#cancel?.();
    this.#cancel = this.#deps.after(ms, () => this.#fill());
  }

  #fill(): void {
    this.#cancel = undefined;
    if (this.#closed || this.#starting) return;
    if (!this.#deps.mayFill()) return this.#schedule(this.#options.replenishAfterMs);
    const wanted = wantedIdle(this.#history, this.#options, this.#deps.now());
    while (this.#waiting.length > wanted) {
      const host = this.#waiting.pop();
      if (host) this.#deps.end(host);
    }
    if (this.#waiting.length < wanted) this.#startOne();
    else this.#fillPrepared(wanted);
  }

  #fillPrepared(wantedHosts: number): void {
    const { minIdle, minPrepared, memoryMs } = this.#options;
    const wanted = wantedPrepared(this.#history, this.#options, this.#deps.now());
    for (const spare of this.#prepared.splice(wanted)) this.#deps.end(spare);
    if (this.#prepared.length < wanted) {
      this.#prepareOne();
      this.#schedule(preparePauseMs);
    } else if (wantedHosts > minIdle || wanted > minPrepared) this.#schedule(memoryMs / 4);
  }

  #prepareOne(): void {
    const one = this.#deps.prepare();
    this.#prepared.push(one);
    const dropped = (): void => {
      const at = this.#prepared.indexOf(one);
      if (at < 0) return;
      this.#prepared.splice(at, 1);
      this.#schedule(this.#options.memoryMs / 4);
    };
    void one.exited.then(dropped, dropped);
  }

  #startOne(): void {
    const host = this.#deps.start();
    this.#starting = host;
    const isUp = (up: boolean, error?: unknown): void => {
      this.#starting = undefined;
      if (this.#closed) return;
      if (!up) {
        this.#failures += 1;
        this.#deps.log.warn("warm host did not start", { err: error, failures: this.#failures });
        this.#schedule(Math.min(30_000, 100 * 2 ** this.#failures));
        return;
      }
      this.#failures = 0;
      this.#waiting.push(host);
      void host.exited.then(
        () => this.#dropped(host),
        () => this.#dropped(host),
      );
      // Unless a claim has put it off meanwhile.
      if (!this.#cancel) this.#fill();
    };
    host.idle.then(
      () => isUp(true),
      (error: unknown) => isUp(false, error),
    );
  }

  #dropped(host: HostProcess): void {
    const at = this.#waiting.indexOf(host);
    if (at < 0) return;
    this.#waiting.splice(at, 1);
    this.#schedule(this.#options.replenishAfterMs);
  }
}
