/** The Eventing controllers on the real API server in memory; the engine and the sinks are played and remembered. */
import type { SourceKey, SourceSpec, SourceState } from "../../src/api/eventing/source-engine.ts";
import type {
  ConsumerSpec,
  ConsumerState,
  EventEngine,
  EventTarget,
  SeenType,
  StreamSpec,
} from "../../src/api/eventing/engine.ts";
import type { CloudEvent } from "../../src/api/cloudevents/cloud-event.ts";
import { builtinDefinitions } from "../../src/api/definitions.ts";
import type { SinkSpec } from "../../src/api/eventing/sink-engine.ts";
import type { KubeObject } from "../../src/api/meta/object.ts";
import type { Condition } from "../../src/api/serving/types.gen.ts";
import { createApiServer } from "../../src/apiserver/server.ts";
import type { Client } from "../../src/client/client.ts";
import { systemClock, type Clock } from "../../src/client/clock.ts";
import { createController } from "../../src/client/create-controller.ts";
import { createInformers } from "../../src/client/create-informers.ts";
import { eventingControllers } from "../../src/controllers/eventing-controllers.ts";
import type { EventingDeps } from "../../src/controllers/eventing/deps.ts";
import { triggerLagController } from "../../src/controllers/eventing/trigger-lag-controller.ts";
import { createServedKinds } from "../../src/controllers/served-kinds.ts";
import { silentLogger as log } from "../silent-logger.ts";

export const namespace = "default";
const deadlineMs = 8000;

export interface EventingPlane {
  readonly client: Client;
  readonly streams: ReadonlyMap<string, StreamSpec>;
  readonly consumers: ReadonlyMap<string, ConsumerSpec>;
  /** What the engine says of consumers. */
  readonly states: Map<string, ConsumerState>;
  readonly sources: ReadonlyMap<SourceKey, SourceSpec>;
  /** What a source's reader says of itself. */
  tell(key: SourceKey, state: SourceState): void;
  readonly sinks: ReadonlyMap<string, SinkSpec>;
  /** `reason: message` of what was recorded. */
  readonly events: readonly string[];
  readonly sent: readonly { readonly target: EventTarget; readonly event: CloudEvent }[];
  /** What the engine and the sinks fail with, while it is not empty. */
  readonly played: { fails: string; sinkFails: string };
  /** The engine noticed a type of events. */
  see(seen: SeenType): void;
  close(): Promise<void>;
}

export async function createEventingPlane(
  clock: Clock = systemClock,
  more: Partial<EventingDeps> = {},
): Promise<EventingPlane> {
  const server = createApiServer(
    { dataDir: ":memory:", definitions: builtinDefinitions, freeze: true },
    { log, now: () => clock.now() },
  );
  const client = server.api;
  const informers = createInformers(client, { log, clock });
  const streams = new Map<string, StreamSpec>();
  const consumers = new Map<string, ConsumerSpec>();
  const consumerStates = new Map<string, ConsumerState>();
  const sinks = new Map<string, SinkSpec>();
  const events: string[] = [];
  let sees: (seen: SeenType) => void = () => undefined;
  const played = { fails: "", sinkFails: "" };
  const sent: EventingPlane["sent"][number][] = [];
  const engine: EventEngine = {
    async setStream(stream) {
      if (played.fails) throw new Error(played.fails);
      streams.set(`${stream.kind}/${stream.namespace}/${stream.name}`, stream);
      return { durability: "fsync", worth: "one copy", url: `http://${stream.name}.log/${stream.namespace}` };
    },
    async removeStream(key) {
      streams.delete(key);
    },
    async setConsumer(consumer) {
      consumers.set(consumer.key, consumer);
    },
    async removeConsumer(key) {
      consumers.delete(key);
    },
    consumerState: (key) => consumerStates.get(key),
    trouble: () => undefined,
    onTrouble: () => () => undefined,
    onNewType(listener) {
      sees = listener;
      return () => undefined;
    },
  };
  const sources = new Map<SourceKey, SourceSpec>();
  const states = new Map<SourceKey, SourceState>();
  const listeners = new Set<(key: SourceKey) => void>();
  const builtInKinds = builtinDefinitions.filter(({ conversion }) => !conversion).map(({ kind }) => kind);
  const deps: EventingDeps = {
    client,
    informers,
    clock,
    log,
    recorder: { record: ({ reason, message }) => void events.push(`${reason}: ${message}`) },
    engine,
    sources: {
      setSource: (spec) => void sources.set(spec.key, spec),
      async removeSource(key, _uid, options) {
        if (options?.forget && played.fails) throw new Error(played.fails);
        sources.delete(key);
        states.delete(key);
      },
      sourceState: (key) => states.get(key) ?? (sources.has(key) ? { connected: false } : undefined),
      onChange(listener) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    },
    sinks: {
      async setSink(sink) {
        if (played.fails) throw new Error(played.fails);
        sinks.set(sink.key, sink);
        return { url: `http://front.log/${sink.key}` };
      },
      async removeSink(key) {
        sinks.delete(key);
      },
    },
    served: createServedKinds(informers, builtInKinds),
    send: async (target, event) => {
      if (played.sinkFails) throw new Error(played.sinkFails);
      sent.push({ target, event });
    },
    urlForPrograms: (url) => url,
    ...more,
  };
  const controllers = [...eventingControllers(deps), triggerLagController(deps)].map((spec) =>
    createController(spec, { informers, log, clock }),
  );
  const stop = new AbortController();
  for (const controller of controllers) controller.start(stop.signal);
  await informers.synced(stop.signal);
  return {
    client,
    streams,
    consumers,
    states: consumerStates,
    sources,
    tell(key, state) {
      states.set(key, state);
      for (const listener of listeners) listener(key);
    },
    sinks,
    events,
    sent,
    played,
    see: (seen) => sees(seen),
    async close() {
      stop.abort();
      await Promise.all(controllers.map((controller) => controller.close()));
      await informers.close();
      await server.close();
    },
  };
}

export interface Judged extends KubeObject {
  readonly status?: { readonly conditions?: readonly Condition[] };
}

export const told = ({ status }: Judged, type: string): string => {
  const found = status?.conditions?.find((condition) => condition.type === type);
  return found ? [found.status, found.reason].filter(Boolean).join(" ") : "absent";
};

export async function until<T>(see: () => T | Promise<T>, holds: (seen: T) => boolean, what: string): Promise<T> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const seen = await see();
    if (holds(seen)) return seen;
    if (Date.now() > end) throw new Error(`no ${what}; last seen: ${JSON.stringify(seen)?.slice(0, 1500)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
