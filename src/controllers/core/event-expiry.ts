import { EventKind } from "../../api/core/kinds.ts";
import type { Event } from "../../api/core/types.gen.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import { keyOf, parseKey } from "../../api/meta/object.ts";
import { parseTime } from "../../api/meta/time.ts";
import type { ControllerSpec } from "../../client/controller.ts";
import type { CoreDeps } from "../core-deps.ts";

/** How long events are kept after they last happened (kube-apiserver --event-ttl). */
const ttlMs = 3_600_000;
/** Events are looked through this often: one timer for all, and none while there are no events. */
const sweepMs = 60_000;
const sweepKey = "sweep";

/** Removes events an hour after they last happened. */
export function eventExpiryController({ client, informers, clock }: CoreDeps): ControllerSpec {
  const events = informers.of(EventKind);
  return {
    name: "event-expiry",
    watches: [],
    onStart: (queue, signal) => {
      const remove = events.onChange(({ type }) => {
        if (type === "added") queue.addAfter(sweepKey, sweepMs);
      });
      signal.addEventListener("abort", remove, { once: true });
    },
    reconcile: async () => {
      const now = clock.now();
      const all = events.list();
      // As far ahead, it is of before the clock was set back, and would stay until that time comes again.
      const expired = all.filter((event) => Math.abs(now - lastHappened(event)) >= ttlMs);
      for (const event of expired) {
        try {
          await client.delete(EventKind, parseKey(keyOf(event.metadata)));
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      }
      return expired.length === all.length ? undefined : { requeueAfterMs: sweepMs };
    },
  };
}

function lastHappened({ series, lastTimestamp, eventTime, metadata }: Event): number {
  const text = series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? "";
  return parseTime(text) ?? 0;
}
