import { PodKind } from "../../api/core/kinds.ts";
import type { Pod } from "../../api/core/types.gen.ts";
import { isConflict, isNotFound } from "../../api/meta/errors.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../client/clock.ts";
import type { Change, Informers } from "../../client/informer.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Provider } from "../provider.ts";
import { createStatusWriter } from "./status-writer.ts";

export interface PodAgentDeps {
  readonly client: Client;
  readonly informers: Informers;
  readonly provider: Provider;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface PodAgent {
  start(): void;
  close(): Promise<void>;
}

/** Carries pods of one node from the API to the provider, their status back, and finishes their deletion. */
export function createPodAgent(deps: PodAgentDeps, nodeName: string): PodAgent {
  const { client, provider, clock, log } = deps;
  const statuses = createStatusWriter({ client, clock, log });
  const removing = new Set<string>();
  let stopWatching: (() => void) | undefined;
  const stop = new AbortController();
  let closing = false;

  // When the agent ends, its pods' containers do, but not the pods: the API keeps what it last knew of them, and the
  // next agent goes on from there.
  provider.onStatus((pod, status) => {
    if (!closing || pod.metadata.deletionTimestamp !== undefined) statuses.set(pod, status);
  });

  const onChange = ({ type, object: pod }: Change<Pod>): void => {
    if (stop.signal.aborted || pod.spec.nodeName !== nodeName) return;
    const uid = pod.metadata.uid ?? "";
    if (type === "deleted") {
      statuses.forget(uid);
      void provider.deletePod(uid, 0).catch((error: unknown) => log.error("pod not ended", { err: error, uid }));
    } else if (pod.metadata.deletionTimestamp !== undefined) void remove(pod);
    else if (!isTerminal(pod)) provider.setPod(pod);
  };

  /** Ends the pod, waits until its last status is in the API, and takes it out of the API. */
  async function remove(pod: Pod): Promise<void> {
    const { uid = "", namespace = "", name = "" } = pod.metadata;
    const graceMs = (pod.metadata.deletionGracePeriodSeconds ?? 30) * 1000;
    const ending = provider.deletePod(uid, graceMs);
    if (removing.has(uid)) return;
    removing.add(uid);
    try {
      await ending;
      await statuses.flushed(uid);
      await untilDone(() =>
        client.delete(PodKind, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } }),
      );
    } finally {
      removing.delete(uid);
      statuses.forget(uid);
    }
  }

  /** Tries until it worked or the pod is gone: a pod that is never removed blocks its owner. */
  async function untilDone(call: () => Promise<unknown>): Promise<void> {
    for (let waitMs = 100; !stop.signal.aborted; waitMs = Math.min(10_000, waitMs * 2)) {
      try {
        await call();
        return;
      } catch (error) {
        if (isNotFound(error) || isConflict(error)) return;
        log.warn("pod could not be removed from the API, trying again", { err: error });
        await new Promise<void>((resolve) => void clock.after(waitMs, resolve));
      }
    }
  }

  return {
    start() {
      stopWatching = deps.informers.of(PodKind).onChange(onChange);
    },
    async close() {
      stopWatching?.();
      closing = true;
      await provider.close();
      stop.abort(new Error("pod agent closed"));
      await statuses.close();
    },
  };
}

const isTerminal = (pod: Pod): boolean => pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
