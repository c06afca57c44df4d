import type { AppInstance } from "./app-instance.ts";
import type { ProxyPool } from "./proxy/sides.ts";
import type { Knock } from "./knock.ts";
import type { RouterClock } from "./router-clock.ts";

type Instance = AppInstance<ProxyPool>;

export interface VigilDeps {
  readonly knock: Knock;
  readonly clock: Pick<RouterClock, "nowMs" | "after">;
  /** Its machine does not answer: nothing is to be sent there. */
  readonly onUnreachable: (instance: Instance) => void;
  readonly onReachable: (instance: Instance) => void;
  /** It has ended, as the cluster says. */
  readonly onGone: (instance: Instance) => void;
  /** It has been unreachable for {@link lostMs}: what was sent there will not be answered. */
  readonly onLost: (instance: Instance) => void;
}

/** Requests that hear nothing for this long have their instance's machine knocked at. */
export const silentMs = 500;
/** An answer takes a round trip. */
const knockMs = 400;
/** A packet may get lost, two connections in a row not. */
const misses = 2;
/** One that answered is not asked again for this long: functions may be slow. */
const trustMs = 2000;
const againMs = 250;
/** A network that comes back within this time has only been slow. */
export const lostMs = 10_000;
const lostAgainMs = 2000;

interface Watch {
  missed: number;
  unreachableSinceMs: number;
  lost: boolean;
  cancel: () => void;
}

/**
 * Looks after instances that are silent while requests wait for them. A machine without power or network refuses
 * nothing: connections to it just hear no more, for as long as their time-outs let them, and the cluster's own word for
 * it takes most of a minute.
 *
 * | | |
 * |---|---|
 * | silent for 500 ms | knock: 400 ms, twice |
 * | no answer | unreachable: out of the choice, knocked at until it answers or is gone |
 * | unreachable for 10 s | lost: what is still waiting for it has failed |
 */
export class Vigil {
  readonly #deps: VigilDeps;
  readonly #watches = new Map<Instance, Watch>();

  constructor(deps: VigilDeps) {
    this.#deps = deps;
  }

  /** Begins to look, unless it does already or the instance has answered a moment ago. */
  look(instance: Instance): void {
    // A socket of this machine, and a router, whose others agree on whether it is there.
    if (instance.address.path !== undefined || instance.relay !== undefined) return;
    if (this.#watches.has(instance) || this.#deps.clock.nowMs() < instance.trustedUntilMs) return;
    const watch: Watch = { missed: 0, unreachableSinceMs: 0, lost: false, cancel: () => undefined };
    this.#watches.set(instance, watch);
    void this.#knock(instance, watch);
  }

  close(): void {
    for (const { cancel } of this.#watches.values()) cancel();
    this.#watches.clear();
  }

  async #knock(instance: Instance, watch: Watch): Promise<void> {
    const heardMs = instance.heardMs;
    const answered = await this.#deps.knock(instance.address, knockMs);
    if (this.#watches.get(instance) !== watch) return;
    if (instance.state === "gone") {
      this.#watches.delete(instance);
      this.#deps.onGone(instance);
    } else if (answered || instance.heard || instance.heardMs > heardMs) this.#reached(instance);
    else this.#missed(instance, watch);
  }

  #reached(instance: Instance): void {
    this.#watches.delete(instance);
    instance.trustedUntilMs = this.#deps.clock.nowMs() + trustMs;
    if (instance.unreachable) this.#deps.onReachable(instance);
  }

  #missed(instance: Instance, watch: Watch): void {
    const { clock } = this.#deps;
    const nowMs = clock.nowMs();
    watch.missed++;
    if (watch.missed < misses) {
      instance.suspect = true;
      void this.#knock(instance, watch);
      return;
    }
    if (watch.missed === misses) {
      watch.unreachableSinceMs = nowMs;
      this.#deps.onUnreachable(instance);
    } else if (!watch.lost && nowMs - watch.unreachableSinceMs >= lostMs) {
      watch.lost = true;
      this.#deps.onLost(instance);
    }
    if (this.#watches.get(instance) !== watch) return;
    watch.cancel = clock.after(watch.lost ? lostAgainMs : againMs, () => void this.#knock(instance, watch));
  }
}
