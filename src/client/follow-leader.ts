import { LeaseKind } from "../api/coordination/kinds.ts";
import type { Lease } from "../api/coordination/types.gen.ts";
import type { ObjectKey } from "../api/meta/object.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Client } from "./client.ts";
import { sleep, type Clock } from "./clock.ts";

export interface FollowLeaderDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
}

const firstRetryMs = 100;
const longestRetryMs = 2000;

/**
 * Tells who holds a Lease, each time that changes, until the signal: the holder's identity, or undefined when nobody
 * does. What was told last stays true while the API server does not answer. Only this one Lease is watched.
 */
export async function followLeader(
  { client, clock, log }: FollowLeaderDeps,
  lease: ObjectKey,
  onLeader: (identity: string | undefined) => void,
  signal: AbortSignal,
): Promise<void> {
  const { namespace = "", name } = lease;
  let told: string | undefined;
  const tell = (identity: string | undefined): void => {
    if (identity === told) return;
    told = identity;
    onLeader(identity);
  };
  let retryMs = firstRetryMs;
  while (!signal.aborted) {
    try {
      const fieldSelector = `metadata.name=${name}`;
      for await (const event of client.watch(LeaseKind, { namespace, fieldSelector, signal })) {
        retryMs = firstRetryMs;
        if (event.type === "ADDED" || event.type === "MODIFIED") tell(holderOf(event.object));
        else if (event.type === "DELETED") tell(undefined);
      }
    } catch (error) {
      if (signal.aborted) return;
      log.warn("the lease of the leader cannot be watched, trying again", { err: error, lease: name, retryMs });
    }
    await sleep(clock, retryMs, signal).catch(() => undefined);
    retryMs = Math.min(retryMs * 2, longestRetryMs);
  }
}

const holderOf = ({ spec }: Lease): string | undefined => spec?.holderIdentity || undefined;

/** The address in an identity of the form `podname_podip`; pod names have no underscore. */
export function addressOf(identity: string): string | undefined {
  const at = identity.lastIndexOf("_");
  return at < 0 || at === identity.length - 1 ? undefined : identity.slice(at + 1);
}
