import type { Logger } from "../telemetry/logger.ts";
import type { AppInstance } from "./app-instance.ts";
import type { Knock } from "./knock.ts";
import type { LiveExchanges } from "./proxy/exchange.ts";
import type { ProxyPool } from "./proxy/sides.ts";
import type { RevisionRuntime } from "./revision-runtime.ts";
import type { RouterClock } from "./router-clock.ts";
import { silentMs, Vigil } from "./vigil.ts";

type Instance = AppInstance<ProxyPool>;

/** An instance as far as its machine goes. */
export interface ReachedInstance {
  readonly revision: string;
  readonly id: string;
  readonly node: string | undefined;
  readonly reachable: boolean;
}

export interface MachinesDeps {
  readonly log: Logger;
  readonly knock: Knock;
  readonly clock: RouterClock;
  readonly live: LiveExchanges;
  /** By key. */
  readonly runtimes: ReadonlyMap<string, RevisionRuntime<ProxyPool>>;
  readonly onReach?: (instance: ReachedInstance) => void;
}

/** The machines that instances are on: what follows for requests when one no longer answers ({@link Vigil}). */
export class Machines {
  readonly #deps: MachinesDeps;
  readonly #vigil: Vigil;

  constructor(deps: MachinesDeps) {
    this.#deps = deps;
    const { knock, clock, live } = deps;
    this.#vigil = new Vigil({
      knock,
      clock,
      onUnreachable: (instance) => {
        this.#tell(instance, false);
        for (const exchange of live.on(instance)) exchange.unreachable();
        this.#lookAround(instance);
      },
      onReachable: (instance) => this.#tell(instance, true),
      onGone: (instance) => instance.unreachable && deps.onReach?.({ ...named(instance), reachable: true }),
      onLost: (instance) => {
        for (const exchange of live.on(instance)) exchange.nodeLost();
      },
    });
  }

  /** To be called every 100 ms or so while there are requests. */
  sweep(nowMs: number): void {
    this.#deps.live.lookForSilence(nowMs, silentMs, (instance) => this.#vigil.look(instance));
  }

  close(): void {
    this.#vigil.close();
  }

  #tell(instance: Instance, reachable: boolean): void {
    const { log, runtimes, onReach } = this.#deps;
    const name = named(instance);
    log.warn(reachable ? "an instance's node answers again" : "an instance's node does not answer", name);
    runtimes.get(instance.revision)?.setUnreachable(instance, !reachable);
    onReach?.({ ...name, reachable });
  }

  /** Where one does not answer others may not either: their requests need not find out. */
  #lookAround({ node }: Instance): void {
    if (node === undefined) return;
    for (const runtime of this.#deps.runtimes.values())
      for (const instance of runtime.instances()) if (instance.node === node) this.#vigil.look(instance);
  }
}

const named = ({ revision, id, node }: Instance): Omit<ReachedInstance, "reachable"> => ({ revision, id, node });
