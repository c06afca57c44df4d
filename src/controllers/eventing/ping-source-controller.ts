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
import type { ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import { selfKey, watching } from "../../client/keys.ts";
import { latestDue, parseSchedule } from "../batch/cron-schedule.ts";
import { ownFacts, whenChanged } from "../serving/when-changed.ts";
import { observing, writeStatus } from "../serving/write.ts";
import { watchAddresses } from "./addresses.ts";
import { deliverSourceEvent, overridden } from "./deliver-source-event.ts";
import type { EventingDeps } from "./deps.ts";
import { watchFeatures } from "./features.ts";
import { identityOf } from "./identity.ts";
import { resolveSink, sourceStatus, targetOf } from "./source-status.ts";
import { askAgainMs } from "./status-parts.ts";
import { createTimetable, type Timed, type Timetable } from "./timetable.ts";

const eventType = "dev.knative.sources.ping";
/** `latest`: after a time without ebb the last missed run is made up for. Missed runs are left out otherwise. */
export const missedRunsAnnotation = "events.ebb.dev/missed-runs";
const lastRunAnnotation = "events.ebb.dev/last-run";
const nextRunAnnotation = "events.ebb.dev/next-run";

/** Statuses that tell of runs are written no closer than this, so that ten thousand schedules do not fill the API. */
const tellEveryMs = 20;
/** What is told later than this is told at once with others: it has been overtaken anyway. */
const longestTellMs = 600_000;

interface Planned {
  readonly uid: string | undefined;
  readonly generation: number | undefined;
  readonly policy: string | undefined;
  lastRun: string | undefined;
}

export function pingSourceController(deps: EventingDeps): ControllerSpec {
  const sources = deps.informers.of(PingSourceKind);
  const planned = new Map<string, Planned>();
  let timetable: Timetable | undefined;
  return {
    name: "eventing-ping-source",
    maxInFlight: 32,
    watches: [
      watching(PingSourceKind, whenChanged(ownFacts, selfKey)),
      watchFeatures(sources),
      ...watchAddresses(sources, "eventing-ping-sink", ({ spec }) => [spec.sink]),
    ],
    onStart(queue, signal) {
      let tellMs = 0;
      const fire = (key: string, atMs: number): void => {
        const [source, plan] = [sources.get(key), planned.get(key)];
        if (!source || !plan || source.metadata.uid !== plan.uid) return;
        const target = targetOf(resolveSink(deps, PingSourceKind, source));
        // Not waited for: a sink that hangs must hold up no other schedule.
        if (target) void send(deps, source, { target, atMs, signal });
        plan.lastRun = new Date(atMs).toISOString();
        const now = deps.clock.now();
        tellMs = Math.max(now, Math.min(tellMs, now + longestTellMs) + tellEveryMs);
        queue.addAfter(key, tellMs - now);
      };
      const opened = (timetable = createTimetable({ clock: deps.clock, fire }));
      signal.addEventListener("abort", () => opened.close(), { once: true });
    },
    async reconcile(key) {
      const source = sources.get(key);
      if (!source || source.metadata.deletionTimestamp) {
        timetable?.delete(key);
        return void planned.delete(key);
      }
      return observing(deps, PingSourceKind, source, async () => {
        const plan = planOf(planned.get(key), source);
        const isFollowed = !planned.has(key) && source.status?.observedGeneration === source.metadata.generation;
        if (plan !== planned.get(key)) timetable?.set(key, timedOf(source, { ...plan, isFollowed }, deps.clock.now()));
        planned.set(key, plan);
        return tell(deps, source, plan, timetable?.dueMs(key));
      });
    },
  };
}

/** Kept while the spec is the same, begun anew when it changed. */
function planOf(known: Planned | undefined, { metadata, status }: PingSource): Planned {
  const { uid, generation, annotations } = metadata;
  const policy = annotations?.[missedRunsAnnotation];
  const isSame = known && known.uid === uid && known.generation === generation && known.policy === policy;
  return isSame
    ? known
    : { uid, generation, policy, lastRun: known?.lastRun ?? status?.annotations?.[lastRunAnnotation] };
}

/** A time that passed while one leader followed another, or ebb was started again, runs when it is no older. */
const lateMs = 60_000;

export interface FormerRuns {
  /** What the status or a former life tells of it. */
  readonly lastRun: string | undefined;
  /** Another process ran just this schedule before. */
  readonly isFollowed: boolean;
}

/** How a source runs that comes to the table now. */
export function timedOf({ metadata, spec }: PingSource, { lastRun, isFollowed }: FormerRuns, now: number): Timed {
  const next = parseSchedule(spec.schedule ?? "", spec.timezone || undefined);
  const catchUp = metadata.annotations?.[missedRunsAnnotation] === "latest";
  const before = lastRun ?? (isFollowed ? metadata.creationTimestamp : undefined);
  const last = catchUp || isFollowed ? parseTime(before ?? "") : undefined;
  const missed = last === undefined ? undefined : latestDue({ next, sinceMs: last, now }).atMs;
  const isMadeUp = missed !== undefined && (catchUp || now - missed <= lateMs);
  return { next, dueMs: isMadeUp ? missed : next(now), catchUp };
}

async function tell(
  deps: EventingDeps,
  source: PingSource,
  { lastRun }: Planned,
  dueMs: number | undefined,
): Promise<ReconcileResult | void> {
  const sink = resolveSink(deps, PingSourceKind, source);
  await writeStatus(deps, PingSourceKind, source, {
    ...sourceStatus(source, {
      sink,
      identity: await identityOf(deps, PingSourceKind, source),
      conditions: ["Deployed"],
      verdicts: { Deployed: isTrue },
      attributes: [{ type: eventType, source: sourceOf(source) }],
      now: deps.clock.now(),
    }),
    annotations: {
      ...(lastRun === undefined ? {} : { [lastRunAnnotation]: lastRun }),
      ...(dueMs === undefined ? {} : { [nextRunAnnotation]: new Date(dueMs).toISOString() }),
    },
  });
  if (sink.kind === "failed" && sink.retry) return { requeueAfterMs: askAgainMs };
}

const sourceOf = ({ metadata }: PingSource): string =>
  `/apis/v1/namespaces/${metadata.namespace}/pingsources/${metadata.name}`;

interface Tick {
  readonly target: EventTarget;
  readonly atMs: number;
  readonly signal: AbortSignal;
}

async function send(deps: EventingDeps, source: PingSource, { target, atMs, signal }: Tick): Promise<void> {
  try {
    const what = `the event of ${new Date(atMs).toISOString()}`;
    const event = makePing(source, atMs);
    await deliverSourceEvent(deps, { kind: PingSourceKind, source, what, target, event, signal });
  } catch (error) {
    if (!signal.aborted) deps.log.error("a scheduled event failed", { source: source.metadata.name, err: error });
  }
}

export function makePing(source: PingSource, atMs: number): CloudEvent {
  const { data, dataBase64, contentType, ceOverrides } = source.spec;
  const time = new Date(atMs).toISOString();
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
