/**
 * What every replica of ebb-events does that does not lead: the same reconcilers that drive the engine of the leader
 * drive this one's, and what they would write is left to the leader.
 */
import { BrokerKind, TriggerKind } from "../api/eventing/kinds.ts";
import { sourceKeyOf } from "../api/eventing/source-engine.ts";
import { InMemoryChannelKind, SubscriptionKind } from "../api/messaging/kinds.ts";
import type { Kind } from "../api/meta/kind.ts";
import type { KubeObject } from "../api/meta/object.ts";
import type { DeleteResult } from "../api/meta/requests.ts";
import type { Client } from "../client/client.ts";
import type { ControllerSpec } from "../client/controller.ts";
import type { Informers } from "../client/informer.ts";
import { engineControllers, sourceFollowers } from "../controllers/eventing-controllers.ts";
import type { EventingDeps } from "../controllers/eventing/deps.ts";
import type { Engine } from "../events/event-engine.ts";
import type { SharedSources } from "../events/sources/shared-sources.ts";

/** Reads as `client` does; a write answers as if it had been done, and does nothing. */
export function silentClient(client: Client): Client {
  return {
    get: (kind, key, options) => client.get(kind, key, options),
    list: (kind, options) => client.list(kind, options),
    watch: (kind, options) => client.watch(kind, options),
    create: <T extends KubeObject>(_kind: Kind<T>, object: unknown) => Promise.resolve(object as T),
    update: <T extends KubeObject>(_kind: Kind<T>, object: T) => Promise.resolve(object),
    patch: <T extends KubeObject>(kind: Kind<T>, key: { readonly name: string; readonly namespace?: string }) =>
      Promise.resolve({ apiVersion: `${kind.group}/${kind.version}`, kind: kind.kind, metadata: { ...key } } as T),
    delete: <T extends KubeObject>() => Promise.resolve({} as DeleteResult<T>),
  };
}

/** Where the objects of each kind stand in the engine. */
const places = [
  { controller: "eventing-broker", kind: BrokerKind, prefix: "broker" },
  { controller: "eventing-in-memory-channel", kind: InMemoryChannelKind, prefix: "channel" },
  { controller: "eventing-trigger", kind: TriggerKind, prefix: "trigger" },
  { controller: "eventing-subscription", kind: SubscriptionKind, prefix: "subscription" },
] as const;

/** The controllers by which a replica's engine follows the objects. `deps.client` is made silent. */
export function mirrorControllers(
  deps: Omit<EventingDeps, "recorder" | "sources"> & { readonly engine: Engine; readonly shared: SharedSources },
): readonly ControllerSpec[] {
  const recorder = { record: () => undefined };
  const { shared, informers } = deps;
  const quiet: EventingDeps = { ...deps, client: silentClient(deps.client), recorder, sources: shared.follow };
  const sources = sourceFollowers(quiet).map(({ kind, spec }): ControllerSpec => {
    const objects = informers.of(kind as Kind<KubeObject>);
    return {
      ...spec,
      name: `${spec.name}-mirror`,
      async reconcile(key, context) {
        if (objects.get(key)) return spec.reconcile(key, context);
        const [namespace = "", name = ""] = key.split("/");
        shared.drop(sourceKeyOf(kind.kind, namespace, name));
      },
    };
  });
  return [...engineControllers(quiet).map((spec) => forgetting(spec, deps)), ...sources];
}

/** A leader ends what belongs to an object before that goes; here only what this process holds of it is left. */
function forgetting(
  spec: ControllerSpec,
  { engine, informers }: { readonly engine: Engine; readonly informers: Informers },
): ControllerSpec {
  const place = places.find(({ controller }) => controller === spec.name);
  if (!place) return spec;
  const { prefix } = place;
  const objects = informers.of(place.kind as Kind<KubeObject>);
  return {
    ...spec,
    name: `${spec.name}-mirror`,
    async reconcile(key, context) {
      if (objects.get(key)) return spec.reconcile(key, context);
      await engine.forget(`${prefix}/${key}` as Parameters<Engine["forget"]>[0]);
    },
  };
}
