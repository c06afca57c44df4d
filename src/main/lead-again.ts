/** Leading by a Lease, again and again: a lost Lease ends what a replica did as leader, not the replica. */
import type { Clock } from "../client/clock.ts";
import { LeadershipLost, runAsLeader } from "../client/leader-election.ts";
import type { Cluster } from "./cluster.ts";

/** In milliseconds; see {@link standardLease}. */
export interface LeaseTiming {
  readonly leaseMs: number;
  readonly renewDeadlineMs: number;
  readonly retryMs: number;
}

/**
 * A leader that died is replaced at most leaseMs + retryMs after it last renewed: 4.5 s, so that scaling stalls less than
 * 5 s. Others try at the moment the lease runs out; retryMs is how late they may have seen it renewed. A leader writes
 * nothing from renewDeadlineMs after it last began to renew, a second before anybody else may lead; three seconds without
 * an answer are much for an API server that works. client-go's 15/10/2 s suits controllers nobody waits for.
 */
export const standardLease: LeaseTiming = { leaseMs: 4000, renewDeadlineMs: 3000, retryMs: 500 };

/** Leads whenever the Lease of that name is this replica's, until the signal. */
export async function leadAgainAndAgain(
  { leases, clock, log, identity, namespace }: Cluster,
  lease: LeaseTiming & { readonly name: string },
  lead: (leading: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { name, ...timing } = lease;
  while (!signal.aborted) {
    try {
      await runAsLeader(
        { client: leases, clock, log },
        { lease: { namespace, name }, identity: identity.holder, ...timing },
        lead,
        signal,
      );
    } catch (error) {
      if (!(error instanceof LeadershipLost)) throw error;
      log.warn("leadership was lost, waiting to lead again", { err: error });
    }
  }
}

/** A leader that leaves by itself has this long to end what it began; it still holds the lease. */
const farewellMs = 1000;

/** Fires when nothing may be written any more: at once when the lease was lost, a moment later on a stop. */
export function fenceAfter(signal: AbortSignal, clock: Clock): AbortSignal {
  const fence = new AbortController();
  const close = (): void => fence.abort(signal.reason);
  signal.addEventListener(
    "abort",
    () => (signal.reason instanceof LeadershipLost ? close() : clock.after(farewellMs, close)),
    { once: true },
  );
  return fence.signal;
}
