/**
 * RequestReply: an event goes into a broker, and the request is answered with the event that replies to it (eventing
 * cmd/requestreply). The request's event gets `<its id>:<random>:<uid of the RequestReply>`, which the reply brings back
 * in another attribute; the last part is what the Trigger for replies filters by. The random part cannot be guessed, so
 * nobody answers in another's place. Where several processes take requests, the name of the one that waits stands in
 * front of the uid: the Trigger may bring the reply to any of them.
 */
import { randomBytes } from "node:crypto";
import type { SinkAction } from "../../api/eventing/sink-engine.ts";
import type { Clock } from "../../client/clock.ts";
import type { Sender } from "../delivery/http-sender.ts";
import type { Reply } from "../ingress/answer.ts";
import { formatStored } from "../wire/format-stored.ts";
import type { ReplyRelay } from "./reply-relay.ts";
import { withAttributes, type StoredEvent } from "../wire/stored-event.ts";
import type { OpenSink, SinkRequest } from "./sink-action.ts";

export type RequestReplyAction = Extract<SinkAction, { readonly kind: "request-reply" }>;

/** Requests that wait for a reply, by what the reply will bring back. They outlive a change of the spec. */
export type ReplyWaiters = Map<string, (reply: StoredEvent) => void>;

export interface RequestReplyDeps {
  readonly sender: Sender;
  readonly clock: Clock;
  readonly waiters: ReplyWaiters;
  /** To the other processes that take requests, where there are any. */
  readonly relay?: ReplyRelay;
}

/** More requests than this wait for nothing good. */
const maxWaiting = 10_000;
/** Longest time the broker may take to store an event. */
const storeMs = 30_000;
/** Path behind the sink's own at which the Trigger delivers replies. */
export const repliesPath = "replies";

export function openRequestReply(
  of: Pick<OpenSink, "key" | "uid">,
  action: RequestReplyAction,
  deps: RequestReplyDeps,
): OpenSink {
  return {
    ...of,
    batches: false,
    // Who knows what a reply must bring back was sent it.
    isOpenTo: ([first]) => first === repliesPath,
    async take(event, request) {
      const [first, ...rest] = request.path;
      if (rest.length > 0 || (first !== undefined && first !== repliesPath))
        return { status: 404, message: "send requests to /NAMESPACE/NAME" };
      return first === undefined ? ask(of.uid, action, deps, { event, request }) : hear(action, deps, event);
    },
  };
}

/** A reply that nobody waits for any more is taken, too: there is nothing to try again. */
async function hear(
  { replyAttribute }: RequestReplyAction,
  { waiters, relay }: RequestReplyDeps,
  event: StoredEvent,
): Promise<Reply> {
  const name = String(event.attributes[replyAttribute] ?? "");
  if (answerWaiter(waiters, name, event)) return { status: 202 };
  const waitsAt = relay && name.split(":").at(-2);
  if (waitsAt === undefined || waitsAt === relay?.self) return { status: 202 };
  try {
    await relay?.pass(waitsAt, name, event);
    return { status: 202 };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { status: 503, message: `the process whose caller waits does not answer: ${why}` };
  }
}

/** False when nobody here waits for it. */
export function answerWaiter(waiters: ReplyWaiters, name: string, reply: StoredEvent): boolean {
  const answer = waiters.get(name);
  waiters.delete(name);
  answer?.(reply);
  return answer !== undefined;
}

interface Asked {
  readonly event: StoredEvent;
  readonly request: SinkRequest;
}

async function ask(
  uid: string,
  { broker, correlationAttribute, timeoutMs }: RequestReplyAction,
  { sender, clock, waiters, relay }: RequestReplyDeps,
  { event, request: { signal } }: Asked,
): Promise<Reply> {
  if (waiters.size >= maxWaiting)
    return { status: 503, message: "too many requests wait for replies", headers: { "retry-after": "1" } };
  const at = relay ? `${relay.self}:` : "";
  const name = `${String(event.attributes["id"])}:${randomBytes(18).toString("base64url")}:${at}${uid}`;
  const waiting = Promise.withResolvers<StoredEvent | "timeout">();
  // Before the event is in the broker: the reply may be quicker than the broker's answer.
  waiters.set(name, waiting.resolve);
  const cancel = clock.after(timeoutMs, () => waiting.resolve("timeout"));
  const gone = (): void => waiting.reject(signal.reason);
  signal.addEventListener("abort", gone, { once: true });
  // It may be rejected while the broker is still being waited for.
  waiting.promise.catch(() => undefined);
  try {
    const marked = withAttributes(event, { [correlationAttribute]: name });
    const sent = await sender.send(broker, { ...formatStored(marked), timeoutMs: storeMs, signal });
    if (sent.kind === "none") return { status: 502, message: `the broker did not answer: ${sent.reason}` };
    if (sent.status < 200 || sent.status > 299)
      return { status: sent.status, message: `the broker answered ${sent.status}: ${sent.body.toString().trim()}` };
    const reply = await waiting.promise;
    if (reply === "timeout") return { status: 504, message: `no reply within ${timeoutMs / 1000} s` };
    const { headers, body } = formatStored(withAttributes(reply, { knativebrokerttl: undefined }));
    return { status: 200, headers, body };
  } finally {
    cancel();
    signal.removeEventListener("abort", gone);
    waiters.delete(name);
  }
}
