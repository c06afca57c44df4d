/** Trigger as the API server serves it (eventing pkg/apis/eventing/v1/trigger_{defaults,validation}.go). */
import { nameColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import { parseTime } from "../meta/time.ts";
import {
  disallowedField,
  invalidValue,
  missingField,
  multipleOneOf,
  problem,
  self,
  toFieldErrors,
  within,
  type Problem,
  type Problems,
} from "../serving/problems.ts";
import { schemaOf } from "../schemas.ts";
import { column } from "../serving/columns.ts";
import { fillStructs } from "../serving/go-structs.ts";
import { specDiff } from "../serving/spec-diff.ts";
import { stampUser } from "../serving/user-info.ts";
import { isBroker } from "./broker-definition.ts";
import { ageAndReady, annotationColumn, eventingKindFacts } from "./columns.ts";
import { checkDelivery, defaultDelivery } from "./delivery.ts";
import { checkDestination, defaultDestination } from "./destination.ts";
import { featuresOf, type EventingFeatures } from "./features.ts";
import { checkAttributeFilter, checkFilters } from "./filter-validation.ts";
import { eventingKeys } from "./keys.ts";
import { TriggerKind } from "./kinds.ts";
import type { Trigger } from "./types.gen.ts";

export const triggerDefinition: KindDefinition<Trigger> = {
  ...eventingKindFacts,
  kind: TriggerKind,
  schema: () => schemaOf("eventing.v1.Trigger"),
  columns: [
    nameColumn,
    column<Trigger>("Broker", "Whose events it takes.", ".spec.broker", brokerNameOf),
    column<Trigger>(
      "Subscriber_URI",
      "Where they go.",
      ".status.subscriberUri",
      ({ status }) => status?.subscriberUri ?? "",
    ),
    ...ageAndReady,
    annotationColumn("Lag", "Events that wait, while it is behind.", eventingKeys.lag),
    annotationColumn("Oldest", "When the oldest of them came.", eventingKeys.oldest),
  ],
  prepare: (trigger, old, context) => {
    fillStructs(trigger, "spec.subscriber");
    const { metadata, spec } = trigger;
    spec.filter ??= {};
    defaultDestination(spec.subscriber, metadata.namespace);
    defaultDelivery(spec.delivery, metadata.namespace);
    const broker = brokerNameOf(trigger as Trigger);
    if (broker !== "") metadata.labels = { ...metadata.labels, [eventingKeys.broker]: broker };
    stampUser<Trigger>(trigger, old, { ...context, group: TriggerKind.group });
  },
  validate: (trigger, old, context) => {
    const { spec } = trigger;
    const features = featuresOf(context);
    return toFieldErrors([
      ...within("spec", checkBroker(trigger, features)),
      ...within("spec.filter", checkAttributeFilter(spec.filter ?? {})),
      ...within("spec.filters", checkFilters(spec.filters)),
      ...within("spec.subscriber", checkDestination(spec.subscriber)),
      ...within("spec.subscriber", checkNotInCircle(trigger)),
      ...within("spec.delivery", checkDelivery(spec.delivery, features)),
      ...checkAnnotations(trigger),
      ...(old ? checkImmutable(trigger, old) : []),
    ]);
  },
};

/** The Broker's name, whichever way it is given. */
export function brokerNameOf({ spec }: Pick<Trigger, "spec">): string {
  return spec.broker || spec.brokerRef?.name || "";
}

/** The Broker's namespace: the Trigger's own unless brokerRef names another. */
export const brokerNamespaceOf = ({ metadata, spec }: Trigger): string =>
  spec.brokerRef?.namespace || metadata.namespace || "";

function checkBroker({ spec }: Trigger, features: EventingFeatures): Problems {
  const { broker, brokerRef } = spec;
  const problems: Problem[] = [];
  if (!brokerRef && !broker) problems.push(missingField("broker"));
  if (brokerRef && broker) problems.push(multipleOneOf("broker", "brokerRef"));
  if (brokerRef?.namespace && !features.crossNamespaceEventLinks) {
    const details =
      "only name, apiVersion and kind are supported fields when feature.CrossNamespaceEventLinks is disabled";
    problems.push(problem(disallowedField().message, ["namespace"], details));
  }
  return problems;
}

/** The same event would come back to the same Trigger for ever. */
function checkNotInCircle(trigger: Trigger): Problems {
  const { subscriber } = trigger.spec;
  const circle = isBroker(subscriber, brokerNamespaceOf(trigger), brokerNameOf(trigger));
  const message = "the subscriber is the Trigger's own Broker: every event would go round for ever";
  return circle ? [problem(message, ["ref"])] : [];
}

function checkAnnotations({ metadata }: Trigger): Problems {
  const { annotations = {} } = metadata;
  const found: Problem[] = [];
  const check = (key: string, judge: (value: string) => Problems): void => {
    const value = annotations[key];
    if (value !== undefined) found.push(...within(`metadata.annotations[${key}]`, judge(value)));
  };
  check(eventingKeys.dependency, (value) => checkDependency(value, metadata.namespace));
  check(eventingKeys.injection, (value) =>
    value === "enabled" || value === "disabled"
      ? []
      : [
          problem(
            `The provided injection annotation value can only be "enabled" or "disabled", not ${JSON.stringify(value)}`,
            [self],
          ),
        ],
  );
  check(eventingKeys.startAt, (value) =>
    value === "now" || value === "earliest" || /^id:./.test(value) || parseTime(value) !== undefined
      ? []
      : [
          invalidValue(
            value,
            self,
            'use "now", "earliest", a time such as 2026-01-02T03:04:05Z, or "id:" and an event\'s id',
          ),
        ],
  );
  check(eventingKeys.paused, (value) =>
    value === "true" || value === "false" ? [] : [invalidValue(value, self, 'use "true" or "false"')],
  );
  for (const key of [eventingKeys.order, eventingKeys.kafkaOrder])
    check(key, (value) =>
      value === "ordered" || value === "unordered" ? [] : [invalidValue(value, self, 'use "ordered" or "unordered"')],
    );
  for (const key of [eventingKeys.parallelism, eventingKeys.rabbitParallelism])
    check(key, (value) => (/^[1-9]\d{0,3}$/.test(value) ? [] : [invalidValue(value, self, "use 1 to 9999")]));
  return found;
}

function checkDependency(text: string, namespace: string | undefined): Problems {
  const dependency = parseDependency(text);
  if (!dependency)
    return [problem(`The provided annotation was not a corev1.ObjectReference: ${JSON.stringify(text)}`, [self])];
  const problems: Problem[] = [];
  if (dependency.namespace && dependency.namespace !== namespace) {
    const message = `Namespace must be empty or equal to the trigger namespace ${JSON.stringify(namespace)}`;
    problems.push(problem(message, ["namespace"]));
  }
  for (const field of ["kind", "name", "apiVersion"] as const)
    if (!dependency[field]) problems.push(missingField(field));
  return problems;
}

export interface Dependency {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
}

/** The object that a Trigger waits for; undefined when the annotation's text is none. */
export function parseDependency(text: string): Dependency | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    const fields = value as Readonly<Record<string, unknown>>;
    const isText = (name: string): boolean => fields[name] === undefined || typeof fields[name] === "string";
    return ["apiVersion", "kind", "name", "namespace"].every(isText) ? (fields as Dependency) : undefined;
  } catch {
    return undefined;
  }
}

function checkImmutable({ spec }: Trigger, old: Trigger): Problems {
  const before = { broker: old.spec.broker ?? "", ref: old.spec.brokerRef };
  const diff = specDiff(before, { broker: spec.broker ?? "", ref: spec.brokerRef }, "spec");
  return diff === "" ? [] : [problem("Immutable fields changed (-old +new)", ["spec", "broker"], diff)];
}
