/**
 * What routers and the leading autoscaler say to each other over their one connection (a WebSocket, one JSON message
 * each). Types, and the reading of what came: whoever reads gets a message of the union or undefined.
 *
 * A router begins with `hello`, its `history` and what waits; the autoscaler with `welcome`. A message of a type that
 * this version does not know is left out, so that a newer end can speak to an older one.
 */
import type { LoadSample } from "./load.ts";

/** Where the autoscaler listens, on the port of its webhooks. */
export const loadPath = "/ebb.dev/v1/load";

/** Whom a router's token must be meant for. */
export const loadAudience = "ebb-controller";

/** Seconds of a revision's load that a router remembers for an autoscaler that has just begun. */
export const historyS = 60;

/** Anything one end tells the other beside load; `body` is read by whoever knows the topic. */
export interface Topic {
  readonly type: "topic";
  readonly topic: string;
  readonly body: unknown;
}

/** One revision's load at one router before now, oldest first, a second each. */
export interface LoadHistory {
  readonly revision: string;
  readonly averageConcurrency: readonly number[];
  readonly requestCount: readonly number[];
}

export type ToAutoscaler =
  | { readonly type: "hello"; readonly router: string }
  | { readonly type: "history"; readonly revisions: readonly LoadHistory[] }
  /** `waiting` and `ready` as in LoadListener.demand, of this router alone. */
  | { readonly type: "demand"; readonly revision: string; readonly waiting: number; readonly ready: number }
  | { readonly type: "samples"; readonly samples: readonly LoadSample[] }
  /** The router ends: what it reported no longer counts. */
  | { readonly type: "leaving" }
  | Topic;

export type ToRouter =
  | { readonly type: "welcome"; readonly autoscaler: string }
  /** Revisions reported as idle whose samples are no longer wanted. */
  | { readonly type: "rested"; readonly revisions: readonly string[] }
  | Topic;

/** Largest message: some ten thousand revisions with load at one router. */
export const maxMessageBytes = 8 * 1024 * 1024;

/** A sample as it travels: LoadSample's fields in order. */
type SampleTuple = readonly [string, number, number, number, number, number];

export function encodeToAutoscaler(message: ToAutoscaler): string {
  if (message.type !== "samples") return JSON.stringify(message);
  const samples = message.samples.map((one): SampleTuple => [
    one.revision,
    one.averageConcurrency,
    one.requestCount,
    one.periodS,
    one.queued,
    one.readyInstances,
  ]);
  return JSON.stringify({ type: "samples", samples });
}

export const encodeToRouter = (message: ToRouter): string => JSON.stringify(message);

type Fields = Readonly<Record<string, unknown>>;

/** Undefined for what is no message this version understands. */
export function parseToAutoscaler(text: string): ToAutoscaler | undefined {
  const fields = parseFields(text);
  switch (fields?.["type"]) {
    case "hello":
      return isName(fields["router"]) ? { type: "hello", router: fields["router"] } : undefined;
    case "history":
      return readList(fields["revisions"], toHistory, (revisions) => ({ type: "history", revisions }));
    case "demand": {
      const { revision, waiting, ready } = fields;
      if (!isName(revision) || !isAmount(waiting) || !isAmount(ready)) return undefined;
      return { type: "demand", revision, waiting, ready };
    }
    case "samples":
      return readList(fields["samples"], toSample, (samples) => ({ type: "samples", samples }));
    case "leaving":
      return { type: "leaving" };
    case "topic":
      return toTopic(fields);
    default:
      return undefined;
  }
}

/** Undefined for what is no message this version understands. */
export function parseToRouter(text: string): ToRouter | undefined {
  const fields = parseFields(text);
  switch (fields?.["type"]) {
    case "welcome":
      return isName(fields["autoscaler"]) ? { type: "welcome", autoscaler: fields["autoscaler"] } : undefined;
    case "rested":
      return readList(
        fields["revisions"],
        (name) => (isName(name) ? name : undefined),
        (revisions) => ({ type: "rested", revisions }),
      );
    case "topic":
      return toTopic(fields);
    default:
      return undefined;
  }
}

function parseFields(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

function readList<T, M>(
  list: unknown,
  read: (item: unknown) => T | undefined,
  make: (items: readonly T[]) => M,
): M | undefined {
  if (!Array.isArray(list)) return undefined;
  const items: T[] = [];
  for (const raw of list as readonly unknown[]) {
    const item = read(raw);
    if (item === undefined) return undefined;
    items.push(item);
  }
  return make(items);
}

function toSample(raw: unknown): LoadSample | undefined {
  if (!Array.isArray(raw)) return undefined;
  const [revision, averageConcurrency, requestCount, periodS, queued, readyInstances] = raw as readonly unknown[];
  if (!isName(revision) || !isAmount(averageConcurrency) || !isAmount(requestCount)) return undefined;
  if (!isAmount(periodS) || !isAmount(queued) || !isAmount(readyInstances)) return undefined;
  return { revision, averageConcurrency, requestCount, periodS, queued, readyInstances };
}

function toHistory(raw: unknown): LoadHistory | undefined {
  if (typeof raw !== "object" || raw === null) return undefined;
  const { revision, averageConcurrency, requestCount } = raw as Fields;
  if (!isName(revision) || !isSeries(averageConcurrency) || !isSeries(requestCount)) return undefined;
  return averageConcurrency.length === requestCount.length ? { revision, averageConcurrency, requestCount } : undefined;
}

const toTopic = ({ topic, body }: Fields): Topic | undefined =>
  isName(topic) ? { type: "topic", topic, body } : undefined;

const isName = (value: unknown): value is string => typeof value === "string" && value !== "" && value.length <= 600;
const isAmount = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value) && value >= 0;
const isSeries = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.length <= historyS && value.every(isAmount);
