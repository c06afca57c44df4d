import { randomInt } from "node:crypto";
import { isNotFound } from "../api/meta/errors.ts";
import { apiVersionOf, type Kind } from "../api/meta/kind.ts";
import type { Draft, KubeObject } from "../api/meta/object.ts";
import { formatTime } from "../api/meta/time.ts";
import { EventKind } from "../api/core/kinds.ts";
import type { Event, ObjectReference } from "../api/core/types.gen.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Client } from "./client.ts";
import type { Clock } from "./clock.ts";
import { isNamespaceTerminating } from "./terminating-namespaces.ts";

export interface EventFacts<T extends KubeObject = KubeObject> {
  readonly kind: Kind<T>;
  /** The object the event is about, as stored. */
  readonly object: T;
  readonly type: "Normal" | "Warning";
  /** One CamelCase word, the same for the same thing happening. */
  readonly reason: string;
  readonly message: string;
  /** Part of the object, such as `spec.containers{web}`. */
  readonly fieldPath?: string;
}

/**
 * Tells users what happened to their objects. Never blocks and never throws: an event that cannot be kept is logged.
 * Events are written in later turns of the event loop, behind the work they tell of.
 */
export interface EventRecorder {
  record<T extends KubeObject>(facts: EventFacts<T>): void;
  /** Resolves when what was recorded so far is written or given up. */
  flush(): Promise<void>;
}

export interface EventRecorderDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
  /** Events that are not written when this fires are given up without a word. */
  readonly until?: AbortSignal;
}

/** Bounds and periods of client-go tools/record/events_cache.go, but for the first, 4096 there: 0.5 kB each, three times. */
const maxRemembered = 1024;
const maxSimilar = 10;
const similarWindowMs = 600_000;
const burstPerObject = 25;
const refillMs = 300_000;

interface Written {
  readonly name: string;
  readonly count: number;
}

interface Similar {
  messages: readonly string[];
  lastMs: number;
}

interface Bucket {
  tokens: number;
  filledMs: number;
}

/**
 * Writes events as client-go does: the same event again raises the count of the one written before; more than ten
 * that differ only in their message within ten minutes become one; an object gets 25 at once and one more each five
 * minutes.
 */
export function createEventRecorder(deps: EventRecorderDeps, component: string): EventRecorder {
  const written = new Map<string, Written>();
  const similar = new Map<string, Similar>();
  const buckets = new Map<string, Bucket>();
  let last: Promise<void> = Promise.resolve();

  const write = async (event: Draft<Event>, key: string): Promise<void> => {
    const { namespace = "default" } = event.metadata;
    const before = written.get(key);
    if (before) {
      const body = { count: before.count + 1, lastTimestamp: event.lastTimestamp, message: event.message };
      try {
        await deps.client.patch(EventKind, { namespace, name: before.name }, { type: "merge", body });
        return remember(written, key, { name: before.name, count: before.count + 1 });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    const created = await deps.client.create(EventKind, event);
    remember(written, key, { name: created.metadata.name, count: 1 });
  };

  return {
    record(facts) {
      const now = deps.clock.now();
      const about = referenceTo(facts);
      const object = `${component}/${about.kind}/${about.namespace ?? ""}/${about.name}/${about.uid}`;
      if (!takeToken(buckets, object, now)) return;
      const group = `${object}/${facts.fieldPath ?? ""}/${facts.type}/${facts.reason}`;
      const combined = countSimilar(similar, { group, message: facts.message, now });
      const message = combined ? `(combined from similar events): ${facts.message}` : facts.message;
      const event = makeEvent({ about, facts, message, component, now });
      const key = combined ? group : `${group}/${message}`;
      last = last
        .then(() => new Promise<void>((resolve) => deps.clock.after(0, resolve)))
        .then(() => (deps.until?.aborted ? undefined : write(event, key)))
        .catch((error: unknown) => {
          if (!deps.until?.aborted && !isNamespaceTerminating(error))
            deps.log.warn("event was not written", { err: error, reason: facts.reason });
        });
    },
    flush: () => last,
  };
}

/** Keeps the map's newest entries: insertion order is age. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= maxRemembered) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}

function takeToken(buckets: Map<string, Bucket>, object: string, now: number): boolean {
  const bucket = buckets.get(object) ?? { tokens: burstPerObject, filledMs: now };
  const refilled = Math.floor((now - bucket.filledMs) / refillMs);
  if (refilled > 0) {
    bucket.tokens = Math.min(burstPerObject, bucket.tokens + refilled);
    bucket.filledMs += refilled * refillMs;
  }
  remember(buckets, object, bucket);
  if (bucket.tokens === 0) return false;
  bucket.tokens--;
  return true;
}

/** Whether this message joins the combined event of its group. */
function countSimilar(
  similar: Map<string, Similar>,
  { group, message, now }: { readonly group: string; readonly message: string; readonly now: number },
): boolean {
  const known = similar.get(group);
  const entry = known && now - known.lastMs <= similarWindowMs ? known : { messages: [], lastMs: now };
  entry.lastMs = now;
  const isKnown = entry.messages.includes(message);
  // concat, not push: a list that grew by push keeps room for sixteen.
  if (!isKnown && entry.messages.length < maxSimilar) entry.messages = entry.messages.concat(message);
  remember(similar, group, entry);
  return entry.messages.length >= maxSimilar && !entry.messages.includes(message);
}

function referenceTo({ kind, object, fieldPath }: EventFacts): ObjectReference {
  const { namespace, name, uid, resourceVersion } = object.metadata;
  return {
    kind: kind.kind,
    apiVersion: apiVersionOf(kind),
    name,
    ...(namespace ? { namespace } : {}),
    ...(uid ? { uid } : {}),
    ...(resourceVersion ? { resourceVersion } : {}),
    ...(fieldPath ? { fieldPath } : {}),
  };
}

interface EventParts {
  readonly about: ObjectReference;
  readonly facts: EventFacts;
  readonly message: string;
  readonly component: string;
  readonly now: number;
}

function makeEvent({ about, facts, message, component, now }: EventParts): Draft<Event> {
  const time = formatTime(now);
  // Clocks here count milliseconds; several recorders may tell of one object in the same one.
  const nanoseconds = BigInt(Math.floor(now)) * 1_000_000n + BigInt(randomInt(1_000_000));
  return {
    metadata: { name: `${about.name}.${nanoseconds.toString(16)}`, namespace: about.namespace ?? "default" },
    involvedObject: about,
    type: facts.type,
    reason: facts.reason,
    message,
    source: { component },
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
    reportingComponent: component,
    reportingInstance: "",
  };
}
