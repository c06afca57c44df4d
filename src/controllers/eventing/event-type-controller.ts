/** EventType: whether what it says to have the events is there (eventing pkg/reconciler/eventtype). */
import { EventTypeKind } from "../../api/eventing/kinds.ts";
import type { EventType } from "../../api/eventing/types.gen.ts";
import { nextConditions, isFalse, isTrue, type Verdict } from "../../api/serving/conditions.ts";
import type { ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import { selfKey, watching } from "../../client/keys.ts";
import { ownFacts, whenChanged } from "../serving/when-changed.ts";
import { observing, writeStatus } from "../serving/write.ts";
import { watchAddresses } from "./addresses.ts";
import type { EventingDeps } from "./deps.ts";
import { askAgainMs, observedOf } from "./status-parts.ts";

const conditions = ["ReferenceExists"] as const;

export function eventTypeController(deps: EventingDeps): ControllerSpec {
  const eventTypes = deps.informers.of(EventTypeKind);
  return {
    name: "eventing-event-type",
    watches: [
      watching(EventTypeKind, whenChanged(ownFacts, selfKey)),
      ...watchAddresses(eventTypes, "eventing-event-type-reference", ({ spec }) =>
        spec.reference ? [{ ref: spec.reference }] : [],
      ),
    ],
    async reconcile(key) {
      const eventType = eventTypes.get(key);
      if (!eventType || eventType.metadata.deletionTimestamp) return;
      return observing(deps, EventTypeKind, eventType, () => reconcileEventType(deps, eventType));
    },
  };
}

async function reconcileEventType(deps: EventingDeps, eventType: EventType): Promise<ReconcileResult | void> {
  const verdict = referenceVerdict(deps, eventType);
  const set = { dependents: conditions, info: [] };
  await writeStatus(deps, EventTypeKind, eventType, {
    ...observedOf(eventType),
    conditions: nextConditions(set, eventType.status?.conditions, { ReferenceExists: verdict }, deps.clock.now()),
  });
  // What is of a kind that nobody watches here is looked for again.
  if (verdict.status === "False") return { requeueAfterMs: askAgainMs };
}

function referenceVerdict({ informers, served }: EventingDeps, { metadata, spec }: EventType): Verdict {
  const { reference } = spec;
  if (!reference) return { status: "True", reason: "ReferenceNotSet", message: "no reference is set" };
  const { kind: kindName = "", apiVersion = "", name, namespace } = reference;
  const kind = served.find(apiVersion, kindName);
  const object = kind && informers.of(kind).get(`${namespace || metadata.namespace}/${name}`);
  return object ? isTrue : isFalse("ReferenceDoesNotExist", `${kindName} "${name}" does not exist`);
}
