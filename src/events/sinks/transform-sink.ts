/**
 * EventTransform: the event as JSON through an expression in JSONata (eventing transform-jsonata). What comes out is the
 * answer, or goes on to a sink whose answer may be changed, too.
 */
import type { EventTarget } from "../../api/eventing/engine.ts";
import type { SinkAction } from "../../api/eventing/sink-engine.ts";
import { contentMode } from "../../api/cloudevents/parse-http.ts";
import type { Answer, Sender } from "../delivery/http-sender.ts";
import type { Reply } from "../ingress/answer.ts";
import type { JsonataPool } from "../transform/jsonata-pool.ts";
import { formatStored, toJsonText } from "../wire/format-stored.ts";
import { parseStoredEvents, parseStoredJson } from "../wire/parse-stored.ts";
import type { StoredEvent } from "../wire/stored-event.ts";
import type { OpenSink, SinkRequest } from "./sink-action.ts";

export interface TransformDeps {
  readonly pool: Pick<JsonataPool, "evaluate">;
  readonly sender: Sender;
}

type Transform = Extract<SinkAction, { readonly kind: "transform" }>;

/** Longest time a sink may take; whoever delivers to the transform has a time-out of its own. */
const sinkMs = 300_000;

export function openTransformSink(
  of: Pick<OpenSink, "key" | "uid">,
  { expression, sink, reply }: Transform,
  deps: TransformDeps,
): OpenSink {
  return {
    ...of,
    batches: false,
    async take(event, request) {
      const changed = await change(deps, { owner: of.key, expression }, toJsonText(event));
      if (changed.kind === "reply") return changed.reply;
      if (!sink) return { status: 200, ...eventBody(changed.event) };
      const answer = await forward(deps, sink, changed.event, request);
      if (answer.kind === "none") return { status: 502, message: `the sink did not answer: ${answer.reason}` };
      if (answer.status < 200 || answer.status > 299) return passOn(answer);
      if (reply === "discard") return { status: 202 };
      if (!reply || answer.body.length === 0) return passOn(answer);
      const answered = answerText(answer);
      if (answered === undefined) return passOn(answer);
      const second = await change(deps, { owner: of.key, expression: reply.expression }, answered);
      return second.kind === "reply" ? second.reply : { status: 200, ...eventBody(second.event) };
    },
  };
}

type Changed =
  | { readonly kind: "event"; readonly event: StoredEvent }
  | { readonly kind: "reply"; readonly reply: Reply };

/** 422 for what no other attempt will mend: a bad expression for this event, or a result that is no event. */
async function change(
  { pool }: TransformDeps,
  { owner, expression }: { readonly owner: string; readonly expression: string },
  input: string,
): Promise<Changed> {
  const result = await pool.evaluate(owner, { expression, input });
  const refuse = (message: string): Changed => ({ kind: "reply", reply: { status: 422, message } });
  if (result.kind === "failed") return refuse(`the expression failed: ${result.reason}`);
  if (result.json === undefined) return refuse("the expression yields nothing for this event");
  try {
    return { kind: "event", event: parseStoredJson(result.json) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return refuse(`what the expression yields is no event: ${reason}`);
  }
}

/** What came in the answer as JSON: the event, or the body where that is JSON. undefined for anything else. */
function answerText({ headers, body }: Extract<Answer, { kind: "answer" }>): string | undefined {
  try {
    const [event] = contentMode(headers) === undefined ? [] : parseStoredEvents(headers, body);
    if (event) return toJsonText(event);
    const text = body.toString("utf8");
    JSON.parse(text);
    return text;
  } catch {
    return undefined;
  }
}

function forward(
  { sender }: TransformDeps,
  sink: EventTarget,
  event: StoredEvent,
  { signal }: SinkRequest,
): Promise<Answer> {
  const { headers, body } = formatStored(event, "json");
  return sender.send(sink, { headers: { ...headers, prefer: "reply" }, body, timeoutMs: sinkMs, signal });
}

const eventBody = (event: StoredEvent): Pick<Reply, "headers" | "body"> => formatStored(event, "json");

/** The sink's answer as it is, but for what belongs to its connection. */
function passOn({ status, headers, body }: Extract<Answer, { kind: "answer" }>): Reply {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const isEvents = name.startsWith("ce-") || name === "content-type" || name === "retry-after" || name === "location";
    const text = Array.isArray(value) ? value[0] : value;
    if (isEvents && text !== undefined) kept[name] = text;
  }
  return { status, headers: kept, body };
}
