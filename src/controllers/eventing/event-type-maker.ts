/**
 * Makes an EventType for each type of events that comes to a Broker or channel (eventing pkg/eventtype). Feature
 * `eventtype-auto-create`, on unless it is `disabled`.
 */
import { createHash } from "node:crypto";
import { BrokerKind, EventTypeKind } from "../../api/eventing/kinds.ts";
import type { SeenType } from "../../api/eventing/engine.ts";
import type { EventAttributeDefinition, EventType } from "../../api/eventing/types.gen.ts";
import { ChannelKind, InMemoryChannelKind } from "../../api/messaging/kinds.ts";
import { isAlreadyExists } from "../../api/meta/errors.ts";
import { apiVersionOf, type Kind } from "../../api/meta/kind.ts";
import type { Draft, KubeObject } from "../../api/meta/object.ts";
import { childName } from "../../api/serving/child-name.ts";
import type { ControllerSpec } from "../../client/controller.ts";
import type { EventingDeps } from "./deps.ts";
import { featuresNow } from "./features.ts";

export function eventTypeMaker(deps: EventingDeps): ControllerSpec {
  const waiting = new Map<string, SeenType>();
  return {
    name: "eventing-event-type-maker",
    maxInFlight: 1,
    watches: [],
    onStart(queue, signal) {
      const stop = deps.engine.onNewType((seen) => {
        const key = `${seen.stream.namespace}/${nameOf(seen)}`;
        waiting.set(key, seen);
        queue.add(key);
      });
      signal.addEventListener("abort", stop, { once: true });
    },
    async reconcile(key) {
      const seen = waiting.get(key);
      if (!seen) return;
      if (featuresNow(deps).eventTypeAutoCreate) await make(deps, seen);
      waiting.delete(key);
    },
  };
}

/** The same for every process that sees the type. */
function nameOf({ stream, type, source, schema = "" }: SeenType): string {
  const hash = createHash("md5").update(`${type}\n${source}\n${schema}`).digest("hex");
  return childName(`et-${stream.name}`, `-${hash}`).toLowerCase();
}

interface Owner {
  readonly kind: Kind;
  readonly object: KubeObject;
}

/** What people know the stream as: a Channel rather than what is behind it. */
function ownerOf({ informers }: EventingDeps, { stream }: SeenType): Owner | undefined {
  const key = `${stream.namespace}/${stream.name}`;
  const kinds: readonly Kind[] = stream.kind === "broker" ? [BrokerKind] : [ChannelKind, InMemoryChannelKind];
  for (const kind of kinds) {
    const object = informers.of(kind).get(key);
    if (object) return { kind, object };
  }
  return undefined;
}

async function make(deps: EventingDeps, seen: SeenType): Promise<void> {
  const owner = ownerOf(deps, seen);
  if (!owner || owner.object.metadata.deletionTimestamp) return;
  const draft = makeEventType(seen, owner);
  if (deps.informers.of(EventTypeKind).get(`${seen.stream.namespace}/${draft.metadata.name}`)) return;
  try {
    await deps.client.create(EventTypeKind, draft);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
  if (!seen.isLast) return;
  const message =
    "so many types of events came here that no more EventTypes are made for it: is each source different?";
  deps.recorder.record({ ...owner, type: "Warning", reason: "TooManyEventTypes", message });
}

function makeEventType(seen: SeenType, { kind, object }: Owner): Draft<EventType> {
  const { name, namespace = "", uid = "" } = object.metadata;
  const attribute = (attributeName: string, value?: string): EventAttributeDefinition => ({
    name: attributeName,
    required: true,
    ...(value === undefined ? {} : { value }),
  });
  return {
    metadata: {
      name: nameOf(seen),
      namespace,
      ownerReferences: [{ apiVersion: apiVersionOf(kind), kind: kind.kind, name, uid }],
    },
    spec: {
      reference: { apiVersion: apiVersionOf(kind), kind: kind.kind, name, namespace },
      description: "Event Type auto-created by controller",
      attributes: [
        attribute("type", seen.type),
        attribute("source", seen.source),
        attribute("specversion", "1.0"),
        attribute("id"),
        ...(seen.schema === undefined ? [] : [{ ...attribute("dataschema", seen.schema), required: false }]),
      ],
    },
  };
}
