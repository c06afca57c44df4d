import { isConflict, isNotFound } from "../../api/meta/errors.ts";
import { PodKind } from "../../api/core/kinds.ts";
import type { Pod, PodStatus } from "../../api/core/types.gen.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../client/clock.ts";
import { WorkQueue } from "../../client/work-queue.ts";
import type { Logger } from "../../telemetry/logger.ts";

export interface StatusWriter {
  /** Sets what the API should say of a pod; only the last value counts. */
  set(pod: Pod, status: PodStatus): void;
  /** Resolves when what was set last for this pod is in the API, or the pod is not. */
  flushed(uid: string): Promise<void>;
  forget(uid: string): void;
  close(): Promise<void>;
}

const gatherMs = 20;

interface Wanted {
  readonly key: { readonly namespace: string; readonly name: string };
  status: PodStatus;
  written: PodStatus | undefined;
  readonly waiters: (() => void)[];
}

/** Writes pod status behind the pods: coalesced, retried until it is there, one write at a time for each pod. */
export function createStatusWriter(deps: {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
}): StatusWriter {
  const wanted = new Map<string, Wanted>();

  const done = (uid: string, entry: Wanted): void => {
    for (const waiter of entry.waiters.splice(0)) waiter();
    if (wanted.get(uid) === entry && entry.written === undefined) wanted.delete(uid);
  };

  const queue = new WorkQueue(
    {
      clock: deps.clock,
      onError: ({ key, error, failures }) =>
        deps.log.warn("pod status not written", { uid: key, err: error, failures }),
      async run(uid) {
        const entry = wanted.get(uid);
        if (!entry || entry.status === entry.written) return;
        const { status } = entry;
        try {
          const body = { metadata: { uid }, status: toPatch(status) };
          await deps.client.patch(PodKind, entry.key, { type: "strategic", body }, { subresource: "status" });
          entry.written = status;
        } catch (error) {
          if (!isNotFound(error) && !isConflict(error)) throw error;
          entry.written = undefined;
          return done(uid, entry);
        }
        if (entry.status === status) done(uid, entry);
        else queue.add(uid);
      },
    },
    { maxInFlight: 8, maxBackoffMs: 10_000 },
  );
  queue.start();

  return {
    set(pod, status) {
      const { uid = "", namespace = "", name = "" } = pod.metadata;
      const entry = wanted.get(uid);
      if (entry) entry.status = status;
      else wanted.set(uid, { key: { namespace, name }, status, written: undefined, waiters: [] });
      // On the way to ready several changes follow each other closely, just while a request waits for the instance:
      // they become one write. Readiness itself, and its loss, gate traffic and are written at once.
      if (isUrgent(status) || (entry?.written && isUrgent(entry.written))) queue.add(uid);
      else queue.addAfter(uid, gatherMs);
    },
    async flushed(uid) {
      const entry = wanted.get(uid);
      if (!entry || entry.written === entry.status) return;
      await new Promise<void>((resolve) => entry.waiters.push(resolve));
    },
    forget(uid) {
      const entry = wanted.get(uid);
      wanted.delete(uid);
      if (entry) for (const waiter of entry.waiters.splice(0)) waiter();
    },
    close: () => queue.close(),
  };
}

const isUrgent = (status: PodStatus): boolean =>
  status.phase === "Succeeded" ||
  status.phase === "Failed" ||
  (status.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") ?? false);

/**
 * As a strategic merge patch: conditions merge by type, so those of others stay, and what no longer holds is nulled;
 * addresses would merge by value, so they are told to replace. The uid beside it guards against a namesake.
 */
function toPatch(status: PodStatus): Readonly<Record<string, unknown>> {
  const replace = { $patch: "replace" };
  const { podIPs, hostIPs, conditions = [] } = status;
  const nothing = { reason: null, message: null };
  return {
    ...nothing,
    ...status,
    conditions: conditions.map((condition) => ({ ...nothing, ...condition })),
    ...(podIPs ? { podIPs: [...podIPs, replace] } : {}),
    ...(hostIPs ? { hostIPs: [...hostIPs, replace] } : {}),
  };
}
