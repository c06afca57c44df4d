/**
 * How much the servers of NATS still take. A server that is full takes no positions and no dead letters either, and then
 * nobody can take over what another process delivered: the last of its room is kept for those.
 */
import type { Clock } from "../../client/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { NewRecord } from "./event-store.ts";

export interface NatsRoom {
  /** Why events are not taken just now; undefined where they are, and then they are counted. Never blocks. */
  refusal(records: readonly NewRecord[]): string | undefined;
}

/** Kept free of a server's store. */
const keptFree = (maxBytes: number): number => Math.min(64 * 1024 * 1024, maxBytes / 20);
/** More than what a message has beside its data. */
const eachBytes = 512;
const lookMs = 1000;
const answerMs = 5000;

interface Usage {
  readonly used: number;
  readonly max: number;
}

const leftOf = ({ used, max }: Usage): number => max - used - keptFree(max);

/** Looks at the servers' monitoring ports, each of which is one of those that keep a copy; again while there are events. */
export async function openNatsRoom(
  monitorUrls: readonly string[],
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Promise<NatsRoom> {
  let [tightest, taken, lookedMs]: [Usage | undefined, number, number] = [undefined, 0, clock.now()];
  const look = async (): Promise<void> => {
    lookedMs = clock.now();
    const usages = await Promise.all(monitorUrls.map(askUsage));
    const known = usages.filter((usage) => usage !== undefined).sort((a, b) => leftOf(a) - leftOf(b));
    // Servers that do not answer are not thought to be full.
    [tightest, taken] = [known[0], 0];
  };
  await look();
  return {
    refusal(records) {
      if (clock.now() - lookedMs >= lookMs) look().catch((err: unknown) => log.debug("room is not known", { err }));
      if (!tightest) return undefined;
      const bytes = records.reduce((sum, { event }) => sum + (event.data?.length ?? 0) + eachBytes, 0);
      if (taken + bytes > leftOf(tightest))
        return `about ${tightest.used + taken} of ${tightest.max} bytes are used, and the rest is kept for positions and dead letters`;
      taken += bytes;
      return undefined;
    },
  };
}

async function askUsage(url: string): Promise<Usage | undefined> {
  try {
    const response = await fetch(new URL("/jsz?config=true", url), { signal: AbortSignal.timeout(answerMs) });
    const { storage, config } = (await response.json()) as {
      readonly storage?: number;
      readonly config?: { readonly max_storage?: number };
    };
    const max = config?.max_storage ?? 0;
    return storage !== undefined && max > 0 ? { used: storage, max } : undefined;
  } catch {
    return undefined;
  }
}
