import { EventKind, PodKind } from "../../api/core/kinds.ts";
import type { Event, Pod } from "../../api/core/types.gen.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../client/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";

export interface PodEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  /** Names the container the event is about. */
  readonly container?: string | undefined;
}

export interface EventRecorder {
  /** Notes an event; written behind, repeated ones as a count. Losing one is no error. */
  podEvent(pod: Pod, event: PodEvent): void;
  close(): Promise<void>;
}

interface Known {
  readonly key: { readonly namespace: string; readonly name: string };
  count: number;
  writtenMs: number;
}

/** One kind of event is written at most this often; repeats in between only count. */
const leastIntervalMs = 1_000;
const delayMs = 250;
const maxKnown = 1_000;
const maxPending = 500;

/**
 * Records kubelet-style events. The same event (object, reason, message) is one object whose count goes up, as
 * client-go's aggregation does. Writes go one by one behind everything else.
 */
export function createEventRecorder(
  { client, clock, log }: { readonly client: Client; readonly clock: Clock; readonly log: Logger },
  host: string,
): EventRecorder {
  const known = new Map<string, Known>();
  const pending: (() => Promise<void>)[] = [];
  let working: Promise<void> | undefined;
  let closed = false;
  const closing = Promise.withResolvers<void>();
  let serial = 0;

  const enqueue = (write: () => Promise<void>): void => {
    if (pending.length >= maxPending) return;
    pending.push(write);
    working ??= drain();
  };

  async function drain(): Promise<void> {
    // A while later: events are for reading, and what caused them may have a request waiting.
    await Promise.race([new Promise<void>((resolve) => void clock.after(delayMs, resolve)), closing.promise]);
    for (let write = pending.shift(); write; write = pending.shift()) {
      await write().catch((error: unknown) => log.debug("event not recorded", { err: error }));
    }
    working = undefined;
  }

  async function create(pod: Pod, event: PodEvent, id: string): Promise<void> {
    const { namespace = "", name = "" } = pod.metadata;
    const nowMs = clock.now();
    const key = { namespace, name: `${name}.${nowMs.toString(16)}${(serial++ % 4096).toString(16).padStart(3, "0")}` };
    await client.create(EventKind, makeEvent(pod, event, { ...key, host, now: seconds(nowMs) }));
    if (known.size >= maxKnown) known.delete(known.keys().next().value ?? "");
    known.set(id, { key, count: 1, writtenMs: clock.steadyMs() });
  }

  async function repeat(entry: Known, id: string): Promise<void> {
    entry.writtenMs = clock.steadyMs();
    const body = { count: entry.count, lastTimestamp: seconds(clock.now()) };
    try {
      await client.patch(EventKind, entry.key, { type: "merge", body });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      known.delete(id);
    }
  }

  return {
    podEvent(pod, event) {
      if (closed) return;
      const id = `${pod.metadata.uid} ${event.reason} ${event.container ?? ""} ${event.message}`;
      const entry = known.get(id);
      if (!entry) return enqueue(() => (known.has(id) ? Promise.resolve() : create(pod, event, id)));
      entry.count += 1;
      if (clock.steadyMs() - entry.writtenMs >= leastIntervalMs) enqueue(() => repeat(entry, id));
    },
    async close() {
      closed = true;
      closing.resolve();
      await working;
    },
  };
}

interface EventFacts {
  readonly namespace: string;
  readonly name: string;
  readonly host: string;
  readonly now: string;
}

function makeEvent(pod: Pod, event: PodEvent, facts: EventFacts): Event {
  const field = (pod.spec.initContainers ?? []).some((c) => c.name === event.container)
    ? "initContainers"
    : "containers";
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: facts.name, namespace: facts.namespace },
    involvedObject: {
      apiVersion: "v1",
      kind: PodKind.kind,
      name: pod.metadata.name,
      namespace: facts.namespace,
      ...(pod.metadata.uid === undefined ? {} : { uid: pod.metadata.uid }),
      ...(pod.metadata.resourceVersion === undefined ? {} : { resourceVersion: pod.metadata.resourceVersion }),
      ...(event.container === undefined ? {} : { fieldPath: `spec.${field}{${event.container}}` }),
    },
    reason: event.reason,
    message: event.message.slice(0, 1024),
    type: event.type,
    source: { component: "kubelet", host: facts.host },
    reportingComponent: "kubelet",
    reportingInstance: facts.host,
    firstTimestamp: facts.now,
    lastTimestamp: facts.now,
    count: 1,
  };
}

const seconds = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
