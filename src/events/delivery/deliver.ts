/** One attempt to deliver one event: knative/specs eventing data-plane; the sheet of outcomes is docs/rooms/events.md. */
import type { EventTarget } from "../../api/eventing/engine.ts";
import type { Span, Tracer } from "../../api/meta/tracer.ts";
import { contentMode } from "../../api/cloudevents/parse-http.ts";
import { formatStored } from "../wire/format-stored.ts";
import { parseStoredEvents } from "../wire/parse-stored.ts";
import { eventAttributes } from "../wire/event-attributes.ts";
import { withAttributes, type StoredEvent } from "../wire/stored-event.ts";
import type { CompiledDelivery } from "./delivery-options.ts";
import { isRetried } from "./delivery-options.ts";
import type { Answer, Sender } from "./http-sender.ts";

export interface Delivery {
  readonly target: EventTarget;
  readonly reply: EventTarget | "stream" | undefined;
  readonly options: CompiledDelivery;
  readonly stream: string;
  /** On whose behalf. */
  readonly consumer: string;
}

/** How a consumer's events are sent. One attempt each; neither rejects. */
export interface Deliverer {
  deliver(delivery: Delivery, event: StoredEvent, attempt: number): Promise<Outcome>;
  deliverDeadLetter(
    delivery: Omit<Delivery, "reply">,
    event: StoredEvent,
    why: { readonly failure: Failure; readonly attempt: number },
  ): Promise<Outcome>;
}

/** Sends events as CloudEvents over HTTP and takes replies. */
export const cloudEventDeliverer = (deps: DeliverDeps): Deliverer => ({
  deliver: (delivery, event, attempt) => deliver(deps, delivery, event, attempt),
  deliverDeadLetter: (delivery, event, why) => deliverDeadLetter(deps, delivery, event, why),
});

export interface DeliverDeps {
  readonly sender: Sender;
  /** Absent: nothing is traced. */
  readonly tracer?: Tracer | undefined;
  /** Puts a reply back into the stream the event came from; resolves when it is on disk. */
  storeReply(reply: StoredEvent, to: ReplyPlace): Promise<void>;
}

export interface ReplyPlace {
  /** What is answered. */
  readonly event: StoredEvent;
  readonly stream: string;
  /** Whose subscriber answers. */
  readonly consumer: string;
}

export type Outcome =
  /** `note`: the subscriber did something worth telling its owner, though it counts as delivered. */
  | { readonly kind: "done"; readonly note?: string }
  | {
      readonly kind: "failed";
      /** Worth another attempt. */
      readonly again: boolean;
      /** The sink as a whole is ill, not this event. */
      readonly sinkIll: boolean;
      readonly failure: Failure;
    };

/** What a dead letter tells. */
export interface Failure {
  readonly url: string;
  /** 500 when there was no answer. */
  readonly status: number;
  readonly reason: string;
  readonly body: Buffer;
  readonly retryAfter: string | undefined;
}

/** What a reply answers, and the hop that brought it there. */
interface Answered {
  readonly event: StoredEvent;
  readonly trace: string | undefined;
}

/** Internal to a broker: subscribers do not see it. */
export const ttlAttribute = "knativebrokerttl";

async function deliver(deps: DeliverDeps, delivery: Delivery, event: StoredEvent, attempt: number): Promise<Outcome> {
  const { target, options, stream } = delivery;
  const span = startSpan(deps, `deliver ${delivery.consumer}`, event, { "ebb.delivery.attempt": attempt });
  const answer = await post(deps.sender, target, { event, options, stream, attempt, trace: span?.traceparent });
  endSpan(span, target, answer);
  if (answer.kind === "none" || answer.status < 200 || answer.status > 299) return failed(target, answer);
  return takeReply(deps, delivery, { event, trace: span?.traceparent ?? traceOf(event) }, answer);
}

const traceOf = ({ attributes: { traceparent } }: StoredEvent): string | undefined =>
  typeof traceparent === "string" ? traceparent : undefined;

/** A span under the one that the event comes from; undefined where nothing is traced. */
function startSpan(
  { tracer }: DeliverDeps,
  name: string,
  event: StoredEvent,
  more: Readonly<Record<string, string | number>> = {},
): Span | undefined {
  if (!tracer) return undefined;
  const attributes = { ...eventAttributes(event), ...more };
  return tracer.start(name, { parent: traceOf(event), kind: "producer", attributes });
}

function endSpan(span: Span | undefined, { url }: EventTarget, answer: Answer): void {
  if (!span) return;
  if (answer.kind === "none") return span.end({ error: answer.reason, attributes: { "url.full": url } });
  const { status } = answer;
  span.end({
    attributes: { "url.full": url, "http.response.status_code": status },
    ...(status < 200 || status > 299 ? { error: `it answered ${status}` } : {}),
  });
}

/** The original event and why it failed, to the dead letter sink; what that answers is of no interest. */
async function deliverDeadLetter(
  deps: DeliverDeps,
  delivery: Omit<Delivery, "reply">,
  event: StoredEvent,
  { failure, attempt }: { readonly failure: Failure; readonly attempt: number },
): Promise<Outcome> {
  const letter = withAttributes(event, errorAttributes(failure));
  const { target, options, stream } = delivery;
  const span = startSpan(deps, `dead letter ${delivery.consumer}`, event, { "ebb.delivery.attempt": attempt });
  const answer = await post(deps.sender, target, { event: letter, options, stream, attempt, trace: span?.traceparent });
  endSpan(span, target, answer);
  const taken = answer.kind === "answer" && answer.status >= 200 && answer.status <= 299;
  return taken ? { kind: "done" } : failed(target, answer);
}

/** knativeerrordata holds 768 bytes at most: 1024 characters of base64. */
const errorAttributes = ({ url, status, body }: Failure): Readonly<Record<string, string | number | undefined>> => ({
  knativeerrordest: url,
  knativeerrorcode: status,
  knativeerrordata: body.length === 0 ? undefined : body.subarray(0, 768).toString("base64"),
});

interface Posting {
  readonly event: StoredEvent;
  readonly options: CompiledDelivery;
  readonly stream: string;
  readonly attempt: number;
  /** Of this hop; absent: the event's own. */
  readonly trace?: string | undefined;
}

function post(
  sender: Sender,
  target: EventTarget,
  { event, options, stream, attempt, trace = traceOf(event) }: Posting,
): Promise<Answer> {
  const shown =
    event.attributes[ttlAttribute] === undefined ? event : withAttributes(event, { [ttlAttribute]: undefined });
  const { headers, body } = formatStored(shown, options.format);
  return sender.send(target, {
    headers: {
      ...headers,
      prefer: "reply",
      "kn-namespace": stream.split("/")[1] ?? "",
      "ebb-delivery-attempt": String(attempt),
      ...(trace === undefined ? {} : { traceparent: trace }),
    },
    body,
    timeoutMs: options.timeoutMs,
  });
}

/**
 * A 2xx that carries an event is a reply, but for 202, which must not be read as one. Anything else in its body is
 * let be: the functions of many frameworks say "OK".
 */
async function takeReply(
  deps: DeliverDeps,
  delivery: Delivery,
  about: Answered,
  answer: Extract<Answer, { kind: "answer" }>,
): Promise<Outcome> {
  if (answer.status === 202 || contentMode(answer.headers) === undefined) return { kind: "done" };
  let replies: readonly StoredEvent[];
  try {
    if (answer.cut) throw new Error("it is longer than 8 MiB");
    replies = parseStoredEvents(answer.headers, answer.body);
  } catch (error) {
    return { kind: "done", note: `the reply is no event: ${error instanceof Error ? error.message : String(error)}` };
  }
  const { reply } = delivery;
  if (reply === undefined) return { kind: "done" };
  for (const one of replies) {
    const sent = await sendReply(deps, { ...delivery, reply }, about, one);
    if (sent.kind === "failed") return sent;
  }
  return { kind: "done" };
}

/** A reply belongs to the trace of what it answers, unless it says where it began itself. */
async function sendReply(
  deps: DeliverDeps,
  { reply, options, stream, consumer }: Delivery & { readonly reply: EventTarget | "stream" },
  { event, trace }: Answered,
  given: StoredEvent,
): Promise<Outcome> {
  const traced = traceOf(given) === undefined ? withAttributes(given, { traceparent: trace }) : given;
  const span = startSpan(deps, `reply ${consumer}`, traced);
  const one = span && traceOf(given) === undefined ? withAttributes(given, { traceparent: span.traceparent }) : traced;
  if (reply !== "stream") {
    const sent = await post(deps.sender, reply, { event: one, options, stream, attempt: 1, trace: span?.traceparent });
    endSpan(span, reply, sent);
    const taken = sent.kind === "answer" && sent.status >= 200 && sent.status <= 299;
    return taken ? { kind: "done" } : { ...failed(reply, sent), sinkIll: false };
  }
  try {
    await deps.storeReply(one, { event, stream, consumer });
    span?.end();
    return { kind: "done" };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    span?.end({ error: why });
    const reason = `the reply could not be stored: ${why}`;
    const failure = { url: "", status: 500, reason, body: Buffer.alloc(0), retryAfter: undefined };
    return { kind: "failed", again: true, sinkIll: false, failure };
  }
}

/** Statuses of a sink that is not there or overwhelmed, rather than of an event it cannot take. */
const illness: ReadonlySet<number> = new Set([502, 503, 504]);

function failed({ url }: EventTarget, answer: Answer): Extract<Outcome, { kind: "failed" }> {
  if (answer.kind === "none") {
    const failure = { url, status: 500, reason: answer.reason, body: Buffer.from(`dispatch error: ${answer.reason}`) };
    return { kind: "failed", again: true, sinkIll: true, failure: { ...failure, retryAfter: undefined } };
  }
  const { status, body, headers } = answer;
  const retryAfter = headers["retry-after"];
  return {
    kind: "failed",
    again: isRetried(status),
    sinkIll: illness.has(status),
    failure: {
      url,
      status,
      reason: `it answered ${status}`,
      body,
      retryAfter: typeof retryAfter === "string" ? retryAfter : retryAfter?.[0],
    },
  };
}
