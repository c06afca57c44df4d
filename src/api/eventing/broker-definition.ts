/** Broker as the API server serves it (eventing pkg/apis/eventing/v1/broker_{defaults,validation}.go). */
import { nameColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import { missingField, problem, toFieldErrors, within, type Problems } from "../serving/problems.ts";
import { schemaOf } from "../schemas.ts";
import { column } from "../serving/columns.ts";
import { fillStructs } from "../serving/go-structs.ts";
import { stampUser } from "../serving/user-info.ts";
import { addressColumn, ageAndReady, eventingKindFacts } from "./columns.ts";
import { brokerDefaultsFor } from "./config-defaults.ts";
import { checkDelivery, defaultDelivery } from "./delivery.ts";
import { checkReference } from "./destination.ts";
import { featuresOf } from "./features.ts";
import { checkUnchangedSpec } from "./immutable.ts";
import { defaultBrokerClass, eventingKeys } from "./keys.ts";
import { BrokerKind } from "./kinds.ts";
import { checkRetention } from "./retention.ts";
import type { Destination } from "./types-duck.gen.ts";
import type { Broker } from "./types.gen.ts";

export const brokerDefinition: KindDefinition<Broker> = {
  ...eventingKindFacts,
  kind: BrokerKind,
  schema: () => schemaOf("eventing.v1.Broker"),
  columns: [
    nameColumn,
    addressColumn,
    ...ageAndReady,
    {
      ...column<Broker>(
        "Class",
        "What serves it.",
        ".metadata.annotations['eventing\\.knative\\.dev/broker\\.class']",
        ({ metadata }) => metadata.annotations?.[eventingKeys.brokerClass] ?? "",
      ),
      priority: 1,
    },
  ],
  prepare: (broker, old, context) => {
    fillStructs(broker, "spec");
    const { metadata, spec } = broker;
    const { brokerClass, config, delivery } = brokerDefaultsFor(metadata.namespace, context);
    if (!metadata.annotations?.[eventingKeys.brokerClass])
      metadata.annotations = { ...metadata.annotations, [eventingKeys.brokerClass]: brokerClass ?? defaultBrokerClass };
    if (config) spec.config ??= { ...config };
    if (delivery) spec.delivery ??= structuredClone(delivery);
    if (spec.config && !spec.config.namespace && metadata.namespace) spec.config.namespace = metadata.namespace;
    defaultDelivery(spec.delivery, metadata.namespace);
    stampUser<Broker>(broker, old, { ...context, group: BrokerKind.group });
  },
  validate: (broker, old, context) => {
    const { metadata, spec } = broker;
    return toFieldErrors([
      ...(metadata.annotations?.[eventingKeys.brokerClass] ? [] : [missingField(eventingKeys.brokerClass)]),
      ...(spec.config ? within("spec.config", checkReference(spec.config)) : []),
      ...within("spec.delivery", checkDelivery(spec.delivery, featuresOf(context))),
      ...within("spec.delivery.deadLetterSink", checkNotItself(spec.delivery?.deadLetterSink, broker)),
      ...checkRetention(metadata),
      ...(old ? checkImmutable(broker, old) : []),
    ]);
  },
};

function checkImmutable(broker: Broker, old: Broker): Problems {
  const [before, now] = [old, broker].map(({ metadata }) => metadata.annotations?.[eventingKeys.brokerClass] ?? "");
  const details = `\t-: ${JSON.stringify(before)}\n\t+: ${JSON.stringify(now)}`;
  return [
    ...checkUnchangedSpec(old.spec, broker.spec, ["delivery"]),
    ...(before === now ? [] : [problem("Immutable annotations changed (-old +new)", ["annotations"], details)]),
  ];
}

/** What could not be delivered would come in again, and again not be delivered. */
function checkNotItself(sink: Destination | undefined, { metadata }: Broker): Problems {
  const itself = isBroker(sink, metadata.namespace, metadata.name);
  return itself ? [problem("a Broker cannot be its own dead letter sink: its events would go round", ["ref"])] : [];
}

/** Whether a destination is that Broker. */
export function isBroker(sink: Destination | undefined, namespace: string | undefined, name: string): boolean {
  const { ref } = sink ?? {};
  const isKind = ref?.kind === BrokerKind.kind && ref.apiVersion?.split("/")[0] === BrokerKind.group;
  return isKind && ref?.name === name && (ref.namespace ?? namespace) === namespace;
}
