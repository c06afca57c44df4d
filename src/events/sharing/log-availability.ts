import type { Clock } from "../../client/clock.ts";
import type { ConsumerShares } from "./consumer-shares.ts";

/** Whether the log that processes share can be reached from this one. */
export interface LogAvailability {
  /** Since when and why nothing can be stored; undefined while it can. */
  trouble(): string | undefined;
  /** Calls after every change; returns the removal. */
  onChange(listener: () => void): () => void;
  close(): void;
}

/** A server that is started again is not worth telling of. */
const patienceMs = 5000;

/** A process that is out does not hear itself by way of the server: it is told of when that lasts. */
export function watchAvailability({
  shares,
  clock,
}: {
  readonly shares: Pick<ConsumerShares, "isOut" | "onChange">;
  readonly clock: Clock;
}): LogAvailability {
  const listeners = new Set<() => void>();
  let hasBeenIn = !shares.isOut;
  let cancel: (() => void) | undefined;
  let trouble: string | undefined;
  const tell = (now: string | undefined): void => {
    if (now === trouble) return;
    trouble = now;
    for (const listener of listeners) listener();
  };
  const look = (): void => {
    if (!shares.isOut) {
      hasBeenIn = true;
      cancel?.();
      cancel = undefined;
      tell(undefined);
    } else if (hasBeenIn && trouble === undefined)
      cancel ??= clock.after(patienceMs, () => {
        cancel = undefined;
        const since = new Date(clock.now() - patienceMs).toISOString();
        tell(
          `NATS has not been heard from since ${since}: events are refused with 503, and none is delivered, until it is back`,
        );
      });
  };
  const stop = shares.onChange(look);
  return {
    trouble: () => trouble,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      stop();
      cancel?.();
    },
  };
}
