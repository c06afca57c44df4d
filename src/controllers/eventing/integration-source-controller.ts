/** IntegrationSource: a timer that sends from this process, or queues and buckets that src/events/sources reads. */
import type { CloudEvent } from "../../api/cloudevents/cloud-event.ts";
import { isFalse, isTrue } from "../../api/serving/conditions.ts";
import { sourceKeyOf } from "../../api/eventing/source-engine.ts";
import { IntegrationSourceKind } from "../../api/sources/kinds.ts";
import type { IntegrationSource, Timer } from "../../api/sources/types-v1alpha1.gen.ts";
import type { ControllerSpec, ReconcileContext, ReconcileResult } from "../../client/controller.ts";
import { selfKey, watching } from "../../client/keys.ts";
import { ownFacts, whenChanged } from "../serving/when-changed.ts";
import { observing, writeStatus } from "../serving/write.ts";
import { watchAddresses } from "./addresses.ts";
import { awsSecretRefs, needsSecret } from "./aws-credentials.ts";
import { deliverSourceEvent, overridden } from "./deliver-source-event.ts";
import type { EventingDeps } from "./deps.ts";
import { watchFeatures } from "./features.ts";
import { identityOf } from "./identity.ts";
import { messageSourceController, type MessageSourceKind } from "./message-source-controller.ts";
import { resolveSink, sourceStatus, targetOf } from "./source-status.ts";
import { askAgainMs } from "./status-parts.ts";

const eventType = "dev.knative.connector.event.timer";
const defaultPeriodMs = 1000;

interface Ticking {
  readonly uid: string | undefined;
  readonly generation: number | undefined;
  sent: number;
  dueMs: number;
}

export function integrationSourceController(deps: EventingDeps): ControllerSpec {
  const sources = deps.informers.of(IntegrationSourceKind);
  const ticking = new Map<string, Ticking>();
  const aws = messageSourceController<IntegrationSource>(deps, awsKind);
  return {
    ...aws,
    name: "eventing-integration-source",
    maxInFlight: 32,
    watches: [
      watching(IntegrationSourceKind, whenChanged(ownFacts, selfKey)),
      watchFeatures(sources),
      ...watchAddresses(sources, "eventing-integration-sink", ({ spec }) => [spec.sink]),
    ],
    async reconcile(key, context) {
      const source = sources.get(key);
      if (!source?.spec.timer || source.metadata.deletionTimestamp) ticking.delete(key);
      if (!source) return;
      if (isRead(source) || source.metadata.deletionTimestamp) return aws.reconcile(key, context);
      const { name, namespace = "", uid = "" } = source.metadata;
      await deps.sources.removeSource(sourceKeyOf(IntegrationSourceKind.kind, namespace, name), uid);
      return observing(deps, IntegrationSourceKind, source, async () => {
        const { uid, generation } = source.metadata;
        const known = ticking.get(key);
        const isSame = known && known.uid === uid && known.generation === generation;
        const state = isSame ? known : { uid, generation, sent: 0, dueMs: deps.clock.now() };
        ticking.set(key, state);
        return tick(deps, source, state, context);
      });
    },
  };
}

/** In a process that does not lead: knows what is to be read, and leaves timers to the leader. */
export function integrationSourceFollower(deps: EventingDeps): ControllerSpec {
  const spec = integrationSourceController(deps);
  const sources = deps.informers.of(IntegrationSourceKind);
  return {
    ...spec,
    async reconcile(key, context) {
      if (!sources.get(key)?.spec.timer) await spec.reconcile(key, context);
    },
  };
}

/** What is read, not ticked: with credentials that are served. */
const isRead = ({ spec: { aws } }: IntegrationSource): boolean =>
  Boolean((aws?.s3 || aws?.sqs) && aws.auth?.secret?.ref?.name);

const awsKind: MessageSourceKind<IntegrationSource> = {
  kind: IntegrationSourceKind,
  conditions: ["ContainerSourceReady"],
  secretsOf: ({ aws }) => awsSecretRefs(aws?.auth),
  attributesOf: ({ spec: { aws } }, source) => [
    { type: `dev.knative.connector.event.${aws?.s3 ? "aws-s3" : "aws-sqs"}`, source },
  ],
};

async function tick(
  deps: EventingDeps,
  source: IntegrationSource,
  state: Ticking,
  { signal }: ReconcileContext,
): Promise<ReconcileResult | void> {
  const { spec } = source;
  const { timer } = spec;
  const sink = resolveSink(deps, IntegrationSourceKind, source);
  const served = timer
    ? isTrue
    : isFalse("NotServed", spec.aws?.ddbStreams ? "streams of DynamoDB are not served here" : needsSecret);
  await writeStatus(
    deps,
    IntegrationSourceKind,
    source,
    sourceStatus(source, {
      sink,
      identity: await identityOf(deps, IntegrationSourceKind, source),
      conditions: ["ContainerSourceReady"],
      verdicts: { ContainerSourceReady: served },
      attributes: timer ? [{ type: eventType, source: sourceOf(source) }] : [],
      now: deps.clock.now(),
    }),
  );
  const target = targetOf(sink);
  if (!timer || !target) return sink.kind === "failed" && sink.retry ? { requeueAfterMs: askAgainMs } : undefined;
  const now = deps.clock.now();
  const period = Math.max(1, timer.period ?? defaultPeriodMs);
  if (state.dueMs <= now && (!timer.repeatCount || state.sent < timer.repeatCount)) {
    state.sent += 1;
    // Not waited for: a sink that hangs must hold up no other timer.
    void send(deps, source, makeTimerEvent(source, timer, state.dueMs), signal);
    state.dueMs = Math.max(state.dueMs + period, now);
  }
  const isOver = timer.repeatCount && state.sent >= timer.repeatCount;
  if (!isOver) return { requeueAfterMs: Math.max(1, state.dueMs - deps.clock.now()) };
}

async function send(
  deps: EventingDeps,
  source: IntegrationSource,
  event: CloudEvent,
  signal: AbortSignal,
): Promise<void> {
  const target = targetOf(resolveSink(deps, IntegrationSourceKind, source));
  if (!target) return;
  try {
    await deliverSourceEvent(deps, { kind: IntegrationSourceKind, source, what: "an event", target, event, signal });
  } catch (error) {
    if (!signal.aborted) deps.log.error("a timer's event failed", { source: source.metadata.name, err: error });
  }
}

const sourceOf = ({ metadata }: IntegrationSource): string =>
  `/apis/v1alpha1/namespaces/${metadata.namespace}/integrationsources/${metadata.name}`;

function makeTimerEvent(source: IntegrationSource, { message, contentType }: Timer, dueMs: number): CloudEvent {
  const time = new Date(dueMs).toISOString();
  return overridden(
    {
      specversion: "1.0",
      id: `${source.metadata.uid}-${time}`,
      source: sourceOf(source),
      type: eventType,
      time,
      ...(contentType ? { datacontenttype: contentType } : {}),
      ...(message ? { data: contentType ? Buffer.from(message) : message } : {}),
    },
    source.spec.ceOverrides,
  );
}
