import { looksLikeCloudEvent, type CloudEvent } from "../../../api/cloudevents/cloud-event.ts";
import { contentMode } from "../../../api/cloudevents/parse-http.ts";
import { answerError } from "../../hosts/node/answer-error.ts";
import { isFunction, member } from "../detect-model.ts";
import { readEvents, sendEventReply } from "../cloudevents/event-exchange.ts";
import type { ModelContext, RequestListener } from "../model.ts";
import type { FetchContext } from "./fetch-listener.ts";

type EventFunction = (subject: unknown, env: unknown, ctx: FetchContext) => unknown;

/** What Knative's PingSource sends; its schedule is the function's cron. */
const pingType = "dev.knative.sources.ping";

/**
 * Events for a web-standard function: a batch goes to queue(), a ping to scheduled(), any other to event(), where the
 * function has them. All else, and events without a taker, go to fetch().
 */
export function eventsBeside(owner: unknown, next: RequestListener, { env, drain }: ModelContext): RequestListener {
  const method = (name: string): EventFunction | undefined => {
    const fn = member(owner, name);
    return isFunction(fn) ? (...args) => Reflect.apply(fn, owner, args) as unknown : undefined;
  };
  const [event, scheduled, queue] = [method("event"), method("scheduled"), method("queue")];
  const ctx: FetchContext = {
    waitUntil: (work) => drain.hold(Promise.resolve(work)),
    passThroughOnException: () => undefined,
  };
  const run = async (events: readonly CloudEvent[], isBatch: boolean): Promise<unknown> => {
    if (isBatch && queue) return await runQueue(queue, events, env, ctx);
    const replies: unknown[] = [];
    for (const one of events) {
      if (one.type === pingType && scheduled) await scheduled(controllerOf(one), env, ctx);
      else replies.push(await event?.(one, env, ctx));
    }
    const sent = replies.flat().filter((reply) => looksLikeCloudEvent(reply));
    return isBatch ? sent : replies[0];
  };
  return (req, res) => {
    const mode = contentMode(req.headers);
    const isPing = req.headers["ce-type"] === pingType;
    const taker = mode === "batch" ? (queue ?? event) : isPing ? (scheduled ?? event) : event;
    if (mode === undefined || (!taker && !(mode === "structured" && scheduled))) {
      next(req, res);
      return;
    }
    readEvents(req, res, mode)
      .then((events) => events && run(events, mode === "batch").then((reply) => sendEventReply(req, res, reply)))
      .catch((error: unknown) => answerError(req, res, error));
  };
}

interface ScheduledController {
  readonly cron: string;
  /** Milliseconds since the epoch. */
  readonly scheduledTime: number;
  noRetry(): void;
}

function controllerOf(event: CloudEvent): ScheduledController {
  const { schedule, cron = schedule } = event;
  const at = event.time === undefined ? Date.now() : Date.parse(event.time);
  return { cron: typeof cron === "string" ? cron : "", scheduledTime: at, noRetry: () => undefined };
}

/** Throws when a message is to come again, so that the sender sends the batch once more. */
async function runQueue(
  queue: EventFunction,
  events: readonly CloudEvent[],
  env: unknown,
  ctx: FetchContext,
): Promise<undefined> {
  const again = new Set<string>();
  const messages = events.map((event) => ({
    id: event.id,
    timestamp: new Date(event.time ?? Date.now()),
    body: event.data,
    attempts: 1,
    ack: () => void again.delete(event.id),
    retry: () => void again.add(event.id),
  }));
  const batch = {
    queue: events[0]?.source ?? "",
    messages,
    ackAll: () => again.clear(),
    retryAll: () => events.forEach((event) => again.add(event.id)),
  };
  await queue(batch, env, ctx);
  if (again.size > 0) throw new Error(`queue(): ${again.size} of ${events.length} messages are to be delivered again`);
}
