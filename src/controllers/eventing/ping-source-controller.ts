/**
 * PingSource: an event at each time of a schedule (eventing pkg/adapter/mtping). An event's id is made of the source and
 * the time it was for, so that two controllers that fire the same tick are one event to a Broker.
 */
import type { CloudEvent } from "../../api/cloudevents/cloud-event.ts";
import type { EventTarget } from "../../api/eventing/engine.ts";
import { isTrue } from "../../api/serving/conditions.ts";
import { PingSourceKind } from "../../api/sources/kinds.ts";
import { parseTime } from "../../api/meta/time.ts";
import type { PingSource } from "../../api/sources/types.gen.ts";
import type { ControllerSpec, ReconcileContext, ReconcileResult } from "../../client/controller.ts";
import { selfKey, watching } from "../../client/keys.ts";
import { latestDue, parseSchedule, type NextRun } from "../batch/cron-schedule.ts";
import { ownFacts, whenChanged } from "../serving/when-changed.ts";
import { observing, writeStatus } from "../serving/write.ts";
import { watchAddresses } from "./addresses.ts";
import { deliverSourceEvent, overridden } from "./deliver-source-event.ts";
import type { EventingDeps } from "./deps.ts";
import { resolveSink, sourceStatus, targetOf } from "./source-status.ts";
import { askAgainMs } from "./status-parts.ts";

const eventType = "dev.knative.sources.ping";
/** `latest`: after a time without ebb the last missed run is made up for. Missed runs are left out otherwise. */
export const missedRunsAnnotation = "events.ebb.dev/missed-runs";
const lastRunAnnotation = "events.ebb.dev/last-run";

interface Schedule {
  readonly uid: string | undefined;
  readonly generation: number | undefined;
  readonly next: NextRun;
  /** undefined: the schedule has no time left. */
  dueMs: number | undefined;
}

export function pingSourceController(deps: EventingDeps): ControllerSpec {
  const sources = deps.informers.of(PingSourceKind);
  const schedules = new Map<string, Schedule>();
  return {
    name: "eventing-ping-source",
    maxInFlight: 32,
    watches: [
      watching(PingSourceKind, whenChanged(ownFacts, selfKey)),
      ...watchAddresses(sources, "eventing-ping-sink", ({ spec }) => [spec.sink]),
    ],
    async reconcile(key, context) {
      const source = sources.get(key);
      if (!source || source.metadata.deletionTimestamp) return void schedules.delete(key);
      return observing(deps, PingSourceKind, source, async () => {
        const schedule = scheduleOf(schedules.get(key), source, deps.clock.now());
        schedules.set(key, schedule);
        return tick(deps, source, schedule, context);
      });
    },
  };
}

/** Kept while the spec is the same, begun anew when it changed. */
function scheduleOf(known: Schedule | undefined, { metadata, spec, status }: PingSource, now: number): Schedule {
  const { uid, generation } = metadata;
  if (known && known.uid === uid && known.generation === generation) return known;
  const next = parseSchedule(spec.schedule ?? "", spec.timezone || undefined);
  const last = parseTime(status?.annotations?.[lastRunAnnotation] ?? "");
  const missed =
    last !== undefined && metadata.annotations?.[missedRunsAnnotation] === "latest"
      ? latestDue({ next, sinceMs: last, now }).atMs
      : undefined;
  return { uid, generation, next, dueMs: missed ?? next(now) };
}

async function tick(
  deps: EventingDeps,
  source: PingSource,
  schedule: Schedule,
  { signal }: ReconcileContext,
): Promise<ReconcileResult | void> {
  const sink = resolveSink(deps, source);
  const target = targetOf(sink);
  const now = deps.clock.now();
  const { dueMs } = schedule;
  const isDue = dueMs !== undefined && dueMs <= now;
  if (isDue) {
    schedule.dueMs = schedule.next(now);
    // Not waited for: a sink that hangs must hold up no other schedule.
    if (target) void fire(deps, source, { target, dueMs, signal });
  }
  const keepsRun = source.metadata.annotations?.[missedRunsAnnotation] === "latest";
  const lastRun = isDue ? new Date(dueMs).toISOString() : source.status?.annotations?.[lastRunAnnotation];
  await writeStatus(deps, PingSourceKind, source, {
    ...sourceStatus(source, {
      sink,
      conditions: ["Deployed"],
      verdicts: { Deployed: isTrue },
      attributes: [{ type: eventType, source: sourceOf(source) }],
      now,
    }),
    ...(keepsRun && lastRun !== undefined ? { annotations: { [lastRunAnnotation]: lastRun } } : {}),
  });
  const waitMs = schedule.dueMs === undefined ? undefined : Math.max(0, schedule.dueMs - deps.clock.now());
  if (sink.kind === "failed" && sink.retry) return { requeueAfterMs: Math.min(askAgainMs, waitMs ?? askAgainMs) };
  if (waitMs !== undefined) return { requeueAfterMs: waitMs };
}

const sourceOf = ({ metadata }: PingSource): string =>
  `/apis/v1/namespaces/${metadata.namespace}/pingsources/${metadata.name}`;

interface Tick {
  readonly target: EventTarget;
  readonly dueMs: number;
  readonly signal: AbortSignal;
}

async function fire(deps: EventingDeps, source: PingSource, { target, dueMs, signal }: Tick): Promise<void> {
  try {
    const what = `the event of ${new Date(dueMs).toISOString()}`;
    const event = makePing(source, dueMs);
    await deliverSourceEvent(deps, { kind: PingSourceKind, source, what, target, event, signal });
  } catch (error) {
    if (!signal.aborted) deps.log.error("a scheduled event failed", { source: source.metadata.name, err: error });
  }
}

export function makePing(source: PingSource, dueMs: number): CloudEvent {
  const { data, dataBase64, contentType, ceOverrides } = source.spec;
  const time = new Date(dueMs).toISOString();
  const bytes = dataBase64 ? Buffer.from(dataBase64, "base64") : undefined;
  // As bytes, so that JSON stays as it was written.
  const body = bytes ?? (data && contentType ? Buffer.from(data) : data);
  return overridden(
    {
      specversion: "1.0",
      id: `${source.metadata.uid}-${time}`,
      source: sourceOf(source),
      type: eventType,
      time,
      ...(contentType ? { datacontenttype: contentType } : {}),
      ...(body ? { data: body } : {}),
    },
    ceOverrides,
  );
}
