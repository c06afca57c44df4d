import { LeaseKind } from "../api/coordination/kinds.ts";
import type { Lease } from "../api/coordination/types.gen.ts";
import { isAlreadyExists, isConflict, isNotFound } from "../api/meta/errors.ts";
import { formatMicroTime } from "../api/meta/time.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Client } from "./client.ts";
import { sleep, type Clock } from "./clock.ts";

export interface LeaderElectionDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface LeaderElectionOptions {
  readonly lease: { readonly namespace: string; readonly name: string };
  /** Unlike every other candidate's, also after a restart. */
  readonly identity: string;
  /** How long a leader that says nothing still counts. Default 15,000. */
  readonly leaseMs?: number;
  /** A leader that could not renew for this long gives up; must be shorter than the lease. Default 10,000. */
  readonly renewDeadlineMs?: number;
  /** Between two tries to get or renew the lease. Default 2,000. */
  readonly retryMs?: number;
}

type Compiled = Required<LeaderElectionOptions>;

/** Another candidate may lead now: what this one did as leader has been told to stop, and has. */
export class LeadershipLost extends Error {
  override readonly name = "LeadershipLost";
}

/**
 * Waits until it holds a Lease, then runs `lead` for as long as it does (client-go tools/leaderelection). At most one
 * candidate leads at a time as long as clocks run at about the same speed: a lease counts as held from when this
 * candidate last saw it change, whatever times it carries.
 *
 * Resolves when `lead` ends by itself or the signal ends everything; the lease is then given back, so that another
 * candidate need not wait for it. Throws {@link LeadershipLost} when the lease could not be renewed. `lead` must end
 * soon after its signal fires.
 */
export async function runAsLeader(
  deps: LeaderElectionDeps,
  options: LeaderElectionOptions,
  lead: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const compiled: Compiled = { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2000, ...options };
  const candidate = new Candidate(deps, compiled);
  if (!(await candidate.acquire(signal))) return;
  deps.log.info("leading", { lease: compiled.lease.name, identity: compiled.identity });
  const leading = new AbortController();
  const ended = lead(AbortSignal.any([signal, leading.signal])).finally(() =>
    leading.abort(new Error("leading ended")),
  );
  const lost = await candidate.keep(AbortSignal.any([signal, leading.signal]));
  if (lost) leading.abort(lost);
  try {
    await ended;
  } catch (error) {
    if (!signal.aborted && !lost) throw error;
  } finally {
    if (!lost) await candidate.release();
  }
  if (lost) throw lost;
}

class Candidate {
  readonly #deps: LeaderElectionDeps;
  readonly #options: Compiled;
  /** The last attempt failed, and somebody was told. */
  #isCutOff = false;
  /** The lease as this candidate last wrote it: while nobody else has, it is renewed without reading it first. */
  #mine: Lease | undefined;
  /** The lease as last seen, and when it runs out, counted from when it was first seen so. */
  #seen: { readonly version: string | undefined; readonly expiresMs: number } | undefined;

  constructor(deps: LeaderElectionDeps, options: Compiled) {
    this.#deps = deps;
    this.#options = options;
  }

  /** True once the lease is held, false when the signal came first. */
  async acquire(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      if (await this.#try()) return true;
      await this.#pause(signal, Math.min(this.#options.retryMs, this.#expiresInMs()));
    }
    return false;
  }

  /** Renews until the signal; gives the reason when that failed for too long. */
  async keep(signal: AbortSignal): Promise<LeadershipLost | undefined> {
    const { clock } = this.#deps;
    const { lease, renewDeadlineMs, retryMs } = this.#options;
    // Counted from when the renewal was sent: others count from when they saw it, which is later.
    let renewedMs = clock.steadyMs();
    for (let renewed = true; ;) {
      const leftMs = (): number => renewedMs + renewDeadlineMs - clock.steadyMs();
      // Three tries before it is too late, and those that follow a failure soon after it.
      const pauseMs = renewed ? Math.max(retryMs, Math.floor(renewDeadlineMs / 3)) : retryMs;
      await this.#pause(signal, Math.min(pauseMs, leftMs()));
      if (signal.aborted) return undefined;
      const sentMs = clock.steadyMs();
      renewed = leftMs() > 0 && (await this.#try(leftMs()));
      if (renewed) renewedMs = sentMs;
      else if (leftMs() <= 0) return new LeadershipLost(`lease ${lease.name} could not be renewed in time`);
    }
  }

  /** Gives the lease back if it is still ours; what fails here runs out by itself. */
  async release(): Promise<void> {
    const { client, clock, log } = this.#deps;
    const { lease: key, identity } = this.#options;
    try {
      const lease = await client.get(LeaseKind, key);
      if (lease.spec?.holderIdentity !== identity) return;
      const now = formatMicroTime(clock.now());
      const spec = { ...lease.spec, holderIdentity: "", leaseDurationSeconds: 1, renewTime: now, acquireTime: now };
      await client.update(LeaseKind, { ...lease, spec });
    } catch (error) {
      log.warn("lease was not given back", { err: error, lease: key.name });
    }
  }

  async #pause(signal: AbortSignal, ms: number): Promise<void> {
    await sleep(this.#deps.clock, ms, signal).catch((reason: unknown) => {
      if (!signal.aborted) throw reason;
    });
  }

  /** One attempt to get or renew the lease; any failure is a no, and so is an answer that does not come in time. */
  async #try(withinMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    const { promise: tooLate, resolve } = Promise.withResolvers<false>();
    const limitMs = Math.min(withinMs, this.#options.renewDeadlineMs / 2);
    const disarm = this.#deps.clock.after(limitMs, () => resolve(false));
    try {
      return await Promise.race([this.#attempt(), tooLate]);
    } finally {
      disarm();
    }
  }

  async #attempt(): Promise<boolean> {
    try {
      const got = await this.#getOrRenew();
      this.#isCutOff = false;
      return got;
    } catch (error) {
      this.#mine = undefined;
      if (!isConflict(error) && !isAlreadyExists(error)) this.#complain(error);
      return false;
    }
  }

  /** Once: an API server that is away for a minute is asked more than a hundred times. */
  #complain(error: unknown): void {
    const level = this.#isCutOff ? "debug" : "warn";
    this.#isCutOff = true;
    this.#deps.log[level]("lease could not be read or written, trying again", {
      err: error,
      lease: this.#options.lease.name,
    });
  }

  async #getOrRenew(): Promise<boolean> {
    const { client, clock } = this.#deps;
    const { lease: key, identity, leaseMs } = this.#options;
    const now = formatMicroTime(clock.now());
    const mine = { holderIdentity: identity, leaseDurationSeconds: Math.ceil(leaseMs / 1000), renewTime: now };
    if (this.#mine) {
      const renewed = { ...this.#mine, spec: { ...this.#mine.spec, renewTime: now } };
      this.#mine = await client.update(LeaseKind, renewed);
      return true;
    }
    const lease = await this.#read();
    if (!lease) {
      const spec = { ...mine, acquireTime: now, leaseTransitions: 0 };
      this.#mine = await client.create(LeaseKind, { metadata: key, spec });
      return true;
    }
    const { holderIdentity = "", leaseTransitions = 0 } = lease.spec ?? {};
    if (holderIdentity !== identity && holderIdentity !== "" && !this.#hasExpired()) return false;
    const taken = holderIdentity === identity ? {} : { acquireTime: now, leaseTransitions: leaseTransitions + 1 };
    this.#mine = await client.update(LeaseKind, { ...lease, spec: { ...lease.spec, ...mine, ...taken } });
    return true;
  }

  async #read(): Promise<Lease | undefined> {
    try {
      const lease = await this.#deps.client.get(LeaseKind, this.#options.lease);
      const version = lease.metadata.resourceVersion;
      if (this.#seen?.version !== version) {
        const durationMs = (lease.spec?.leaseDurationSeconds ?? 0) * 1000;
        this.#seen = { version, expiresMs: this.#deps.clock.steadyMs() + durationMs };
      }
      return lease;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Never nothing: a lease that has run out and still cannot be had is tried again as usual. */
  #expiresInMs(): number {
    const ms = this.#seen ? this.#seen.expiresMs - this.#deps.clock.steadyMs() : 0;
    return ms > 0 ? ms : Number.POSITIVE_INFINITY;
  }

  #hasExpired(): boolean {
    return this.#seen !== undefined && this.#seen.expiresMs <= this.#deps.clock.steadyMs();
  }
}
