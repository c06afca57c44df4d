/** Broker: a stream of the log, and where producers find it (eventing pkg/reconciler/broker). */
import { BrokerKind } from "../../api/eventing/kinds.ts";
import { eventingKeys, servedBrokerClasses } from "../../api/eventing/keys.ts";
import { streamKeyOf, type StreamState } from "../../api/eventing/engine.ts";
import { retentionOf } from "../../api/eventing/retention.ts";
import type { Broker } from "../../api/eventing/types.gen.ts";
import { keyOf } from "../../api/meta/object.ts";
import { isFalse, isTrue, nextConditions, type Verdict, type Verdicts } from "../../api/serving/conditions.ts";
import type { ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import { selfKey, watching } from "../../client/keys.ts";
import { ownFacts, whenChanged } from "../serving/when-changed.ts";
import { observing, writeStatus } from "../serving/write.ts";
import { watchAddresses } from "./addresses.ts";
import type { EventingDeps } from "./deps.ts";
import { addFinalizer, dropFinalizer } from "./finalizer.ts";
import { policiesOf, watchPolicies, type PolicyFacts } from "./policies.ts";
import { addressOf, askAgainMs, deadLetterOf, observedOf, type DeadLetterFacts } from "./status-parts.ts";

const finalizer = "brokers.eventing.knative.dev";
const conditions = [
  "IngressReady",
  "TriggerChannelReady",
  "FilterReady",
  "Addressable",
  "DeadLetterSinkResolved",
  "EventPoliciesReady",
] as const;

/** Annotation of the status: what an acknowledgement is worth here. */
export const durabilityAnnotation = "events.ebb.dev/durability";
/** In the status, too: where events are kept and when they are synced, in words. */
export const worthAnnotation = "events.ebb.dev/kept-as";

/** Whether ebb serves the Broker; other classes are somebody else's. */
export const isServed = ({ metadata }: Broker): boolean =>
  servedBrokerClasses.has(metadata.annotations?.[eventingKeys.brokerClass] ?? "");

export function brokerController(deps: EventingDeps): ControllerSpec {
  const brokers = deps.informers.of(BrokerKind);
  return {
    name: "eventing-broker",
    watches: [
      watching(BrokerKind, whenChanged(ownFacts, selfKey)),
      ...watchPolicies(brokers),
      ...watchAddresses(brokers, "eventing-broker-dead-letter", ({ spec }) => [spec.delivery?.deadLetterSink]),
    ],
    onStart: followLog(deps, () => brokers.list().map(({ metadata }) => keyOf(metadata))),
    async reconcile(key) {
      const broker = brokers.get(key);
      if (!broker || !isServed(broker)) return;
      if (broker.metadata.deletionTimestamp) return release(deps, broker);
      return observing(deps, BrokerKind, broker, () => reconcileBroker(deps, broker));
    },
  };
}

async function release({ client, engine }: EventingDeps, broker: Broker): Promise<void> {
  const { name, namespace = "", uid = "" } = broker.metadata;
  await engine.removeStream(streamKeyOf({ kind: "broker", namespace, name }), uid);
  await dropFinalizer(client, BrokerKind, broker, finalizer);
}

async function reconcileBroker(deps: EventingDeps, broker: Broker): Promise<ReconcileResult | void> {
  const { name, namespace = "", uid = "" } = broker.metadata;
  await addFinalizer(deps.client, BrokerKind, broker, finalizer);
  const deadLetter = deadLetterOf(deps, broker.spec.delivery, namespace);
  const policies = policiesOf(deps, BrokerKind, broker);
  const { access } = policies;
  const retention = retentionOf(broker.metadata);
  const limits = retention === undefined ? {} : { retention };
  const stream = await openStream(deps, {
    kind: "broker",
    namespace,
    name,
    uid,
    ...(access ? { access } : {}),
    ...limits,
  });
  const status = brokerStatus(broker, {
    stream,
    opened: logVerdict(deps, stream),
    deadLetter,
    policies,
    now: deps.clock.now(),
  });
  await writeStatus(deps, BrokerKind, broker, status);
  if ("failure" in stream) return { requeueAfterMs: askAgainMs };
  if (deadLetter.retry) return { requeueAfterMs: askAgainMs };
}

export type StreamFacts = StreamState | { readonly failure: string };

/** Puts all objects of streams on a queue when the log goes away or comes back: their statuses say so. */
export const followLog =
  ({ engine }: Pick<EventingDeps, "engine">, keys: () => readonly string[]): NonNullable<ControllerSpec["onStart"]> =>
  (queue, signal) => {
    const stop = engine.onTrouble(() => {
      for (const key of keys()) queue.add(key);
    });
    signal.addEventListener("abort", stop, { once: true });
  };

/** Whether events can be stored. An address stays while they cannot: who has it goes on to try. */
export function logVerdict({ engine }: Pick<EventingDeps, "engine">, stream: StreamFacts): Verdict {
  const trouble = "failure" in stream ? stream.failure : engine.trouble();
  return trouble === undefined ? isTrue : isFalse("LogUnavailable", trouble);
}

export async function openStream(
  { engine, log }: Pick<EventingDeps, "engine" | "log">,
  spec: Parameters<EventingDeps["engine"]["setStream"]>[0],
): Promise<StreamFacts> {
  try {
    return await engine.setStream(spec);
  } catch (error) {
    log.warn("a stream of events could not be opened", { stream: streamKeyOf(spec), err: error });
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

interface BrokerFacts {
  readonly stream: StreamFacts;
  readonly opened: Verdict;
  readonly deadLetter: DeadLetterFacts;
  readonly policies: PolicyFacts;
  readonly now: number;
}

/** Ingress, channel and filter of upstream are one log here: they are ready together. */
function brokerStatus(
  broker: Broker,
  { stream, opened, deadLetter, policies, now }: BrokerFacts,
): NonNullable<Broker["status"]> {
  const verdicts: Verdicts = {
    IngressReady: opened,
    TriggerChannelReady: opened,
    FilterReady: opened,
    Addressable: "failure" in stream ? isFalse("nil URL", "URL is nil") : isTrue,
    DeadLetterSinkResolved: deadLetter.verdict,
    EventPoliciesReady: policies.verdict,
  };
  const { annotations: _annotations, address: _address, ...kept } = broker.status ?? {};
  return {
    ...observedOf(broker),
    conditions: nextConditions({ dependents: conditions, info: [] }, kept.conditions, verdicts, now),
    ...("failure" in stream
      ? {}
      : {
          address: addressOf(stream.url, policies.access?.audience),
          annotations: { [durabilityAnnotation]: stream.durability, [worthAnnotation]: stream.worth },
        }),
    ...deadLetter.status,
    ...policies.status,
  };
}
