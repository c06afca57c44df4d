/** One attempt to deliver one event: knative/specs eventing data-plane; the sheet of outcomes is docs/rooms/events.md. */
import type { EventTarget } from "../../api/eventing/engine.ts";
import { contentMode } from "../../api/cloudevents/parse-http.ts";
import { formatStored } from "../wire/format-stored.ts";
import { parseStoredEvents } from "../wire/parse-stored.ts";
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

/** Internal to a broker: subscribers do not see it. */
export const ttlAttribute = "knativebrokerttl";

async function deliver(deps: DeliverDeps, delivery: Delivery, event: StoredEvent, attempt: number): Promise<Outcome> {
  const { target, options, stream } = delivery;
  const answer = await post(deps.sender, target, { event, options, stream, attempt });
  if (answer.kind === "none" || answer.status < 200 || answer.status > 299) return failed(target, answer);
  return takeReply(deps, delivery, event, answer);
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
  const answer = await post(deps.sender, target, { event: letter, options, stream, attempt });
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
}

function post(sender: Sender, target: EventTarget, { event, options, stream, attempt }: Posting): Promise<Answer> {
  const shown =
    event.attributes[ttlAttribute] === undefined ? event : withAttributes(event, { [ttlAttribute]: undefined });
  const { headers, body } = formatStored(shown, options.format);
  const trace = event.attributes["traceparent"];
  return sender.send(target, {
    headers: {
      ...headers,
      prefer: "reply",
      "kn-namespace": stream.split("/")[1] ?? "",
      "ebb-delivery-attempt": String(attempt),
      ...(typeof trace === "string" ? { traceparent: trace } : {}),
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
  { reply, options, stream, consumer }: Delivery,
  event: StoredEvent,
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
  if (reply === undefined) return { kind: "done" };
  for (const one of replies) {
    if (reply === "stream") {
      try {
        await deps.storeReply(one, { event, stream, consumer });
      } catch (error) {
        const reason = `the reply could not be stored: ${error instanceof Error ? error.message : String(error)}`;
        const failure = { url: "", status: 500, reason, body: Buffer.alloc(0), retryAfter: undefined };
        return { kind: "failed", again: true, sinkIll: false, failure };
      }
      continue;
    }
    const sent = await post(deps.sender, reply, { event: one, options, stream, attempt: 1 });
    if (sent.kind === "none" || sent.status < 200 || sent.status > 299)
      return { ...failed(reply, sent), sinkIll: false };
  }
  return { kind: "done" };
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
