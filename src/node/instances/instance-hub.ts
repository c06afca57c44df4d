import type { NetAddress } from "../runtime.ts";

/** One change of one instance: router/instance.ts says what the types mean. */
export interface InstanceEvent {
  readonly type: "coming" | "ready" | "unready" | "draining" | "gone";
  readonly revision: string;
  readonly id: string;
  readonly address: NetAddress;
  readonly protocol: "http1" | "h2c";
}

export type InstanceListener = (event: InstanceEvent) => void;

/** One instance's way from ready to gone; calls that change nothing say nothing. */
export interface InstanceTracker {
  readonly id: string;
  readonly revision: string;
  readonly isReady: boolean;
  /** It will serve there; before `ready`. */
  coming(address: NetAddress): void;
  ready(address: NetAddress): void;
  unready(): void;
  draining(): void;
  gone(): void;
}

export interface InstanceHub {
  /** Calls the listener for every instance that is ready or draining now, and every change from here on. */
  onInstance(listener: InstanceListener): () => void;
  track(facts: Pick<InstanceEvent, "id" | "revision" | "protocol">): InstanceTracker;
}

/** Tells whoever routes requests what instances there are, in the turn in which it becomes true. */
export function createInstanceHub(): InstanceHub {
  const listeners = new Set<InstanceListener>();
  const live = new Map<string, InstanceEvent>();

  const emit = (event: InstanceEvent): void => {
    if (event.type === "gone") live.delete(event.id);
    else live.set(event.id, event);
    for (const listener of listeners) listener(event);
  };

  return {
    onInstance(listener) {
      for (const event of live.values()) listener(event);
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    track(facts) {
      const change = (type: InstanceEvent["type"], allowed: readonly InstanceEvent["type"][]): void => {
        const last = live.get(facts.id);
        if (last && allowed.includes(last.type)) emit({ ...last, type });
      };
      return {
        id: facts.id,
        revision: facts.revision,
        get isReady() {
          return live.get(facts.id)?.type === "ready";
        },
        coming: (address) => emit({ ...facts, type: "coming", address }),
        ready(address) {
          const last = live.get(facts.id);
          if (last?.type === "ready" && last.address.port === address.port) return;
          if (last?.type !== "draining") emit({ ...facts, type: "ready", address });
        },
        unready: () => change("unready", ["ready"]),
        draining: () => change("draining", ["coming", "ready", "unready"]),
        gone: () => change("gone", ["coming", "ready", "unready", "draining"]),
      };
    },
  };
}
