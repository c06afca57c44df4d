import type { IncomingMessage, ServerResponse } from "node:http";
import type { Writable } from "node:stream";
import { looksLikeCloudEvent } from "../../../api/cloudevents/cloud-event.ts";
import { toJson } from "../../../api/cloudevents/format-http.ts";
import { contentMode, type ContentMode } from "../../../api/cloudevents/parse-http.ts";
import type { Drain } from "../../hosts/node/drain.ts";
import { answerError } from "../../hosts/node/answer-error.ts";
import { readEvents, sendEventReply } from "../cloudevents/event-exchange.ts";
import type { RequestListener } from "../model.ts";
import { readBody } from "../read-body.ts";
import { send, sendText } from "../send.ts";
import { createGate } from "../gate.ts";
import { toHttpEvent } from "./http-event.ts";
import { fromPrelude, toHttpResult } from "./http-result.ts";
import { invokeApi } from "./invoke-api.ts";
import type { FunctionError, Invocation, Invoke, Outcome, StreamHead } from "./invocation.ts";
import type { LambdaLog } from "./lambda-log.ts";
import type { LambdaSettings } from "./lambda-settings.ts";

export interface FrontDeps {
  readonly invoke: Invoke;
  readonly settings: LambdaSettings;
  readonly log: LambdaLog;
  readonly drain: Pick<Drain, "hold">;
  readonly now: () => number;
}

/**
 * HTTP in front of a Lambda function, however it runs: the Invoke API's paths, CloudEvents as they are, and every other
 * request as an event of the chosen shape.
 */
export function lambdaFront(deps: FrontDeps): RequestListener {
  const invoke = inTurn(deps);
  const newId = (req: IncomingMessage): string => {
    const given = req.headers["x-request-id"];
    return typeof given === "string" && given !== "" ? given : process.getBuiltinModule("node:crypto").randomUUID();
  };
  const newInvocation = (event: unknown, id: string): Omit<Invocation, "openStream"> => ({
    id,
    event,
    deadlineMs: deps.now() + deps.settings.timeoutMs,
  });
  const direct = invokeApi({ ...deps, invoke, newInvocation, newId });
  return (req, res) => {
    if (direct(req, res)) return;
    const id = newId(req);
    const mode = contentMode(req.headers);
    const run =
      mode === undefined ? onHttp(deps, invoke, { req, res, id }) : onEvents(deps, invoke, { req, res, id, mode });
    run.catch((error: unknown) => answerError(req, res, error));
  };
}

/** One after the other, or as many as the settings say; each with its lines in the log. */
function inTurn({ invoke, settings, log, now }: FrontDeps): Invoke {
  const gate = createGate(settings.concurrency, settings.queue);
  return async (invocation) => {
    const entered = gate.enter();
    if (!entered) return { kind: "throttled" };
    const release = await entered;
    const began = now();
    log.start(invocation.id);
    try {
      const outcome = await invoke({ ...invocation, deadlineMs: began + settings.timeoutMs });
      if (outcome.kind === "error" || outcome.kind === "timeout") log.error(invocation.id, outcome.error);
      return outcome;
    } finally {
      log.end(invocation.id, now() - began);
      release();
    }
  };
}

interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly id: string;
}

async function onHttp({ settings, now }: FrontDeps, invoke: Invoke, { req, res, id }: Exchange): Promise<void> {
  const body = await readBody(req, res, settings.payloadLimit);
  if (body === undefined) return;
  const url = req.url ?? "/";
  const mark = url.indexOf("?");
  const event = toHttpEvent(settings.shape, {
    method: req.method ?? "GET",
    path: mark < 0 ? url : url.slice(0, mark),
    rawQuery: mark < 0 ? "" : url.slice(mark + 1),
    rawHeaders: req.rawHeaders,
    body,
    httpVersion: req.httpVersion,
    sourceIp: firstForwarded(req) ?? req.socket.remoteAddress ?? "127.0.0.1",
    requestId: id,
    atMs: now(),
  });
  const openStream = (head: StreamHead): Writable => openHttp(res, head);
  const outcome = await invoke({ id, event, deadlineMs: now() + settings.timeoutMs, openStream });
  sendOutcome({ res, id }, outcome, (value) => {
    const result = toHttpResult(settings.shape, value);
    if (Buffer.byteLength(result.body) > settings.payloadLimit)
      throw new RangeError(
        `the function's answer is longer than the ${settings.payloadLimit} bytes that are allowed: stream it`,
      );
    send(res, result.status, result.headers as Record<string, string>, result.body);
  });
}

function firstForwarded(req: IncomingMessage): string | undefined {
  const list = req.headers["x-forwarded-for"];
  return typeof list === "string" ? list.split(",", 1)[0]?.trim() : undefined;
}

function openHttp(res: ServerResponse, head: StreamHead): Writable {
  if (head.kind === "bytes") res.writeHead(200, { "content-type": head.contentType });
  else {
    const { status, headers } = fromPrelude(head.prelude);
    res.writeHead(status, headers as Record<string, string>);
  }
  return res;
}

/** A CloudEvent is the event, in its JSON form; a returned one is the reply. */
async function onEvents(
  deps: FrontDeps,
  invoke: Invoke,
  { req, res, id, mode }: Exchange & { readonly mode: ContentMode },
): Promise<void> {
  const events = await readEvents(req, res, mode, deps.settings.payloadLimit);
  if (!events) return;
  const replies: unknown[] = [];
  for (const [i, event] of events.entries()) {
    const invocation: Invocation = {
      id: i === 0 ? id : `${id}-${i}`,
      event: toJson(event),
      deadlineMs: deps.now() + deps.settings.timeoutMs,
      openStream: (head) => openHttp(res, head),
    };
    const outcome = await invoke(invocation);
    if (outcome.kind !== "value" && outcome.kind !== "json") {
      sendOutcome({ res, id }, outcome, () => undefined);
      return;
    }
    const value = valueOf(outcome);
    if (looksLikeCloudEvent(value)) replies.push(value);
  }
  sendEventReply(req, res, mode === "batch" ? replies : replies[0]);
}

const valueOf = (outcome: Outcome & { readonly kind: "value" | "json" }): unknown =>
  outcome.kind === "value" ? outcome.value : (JSON.parse(outcome.json.toString("utf8")) as unknown);

function sendOutcome({ res, id }: Omit<Exchange, "req">, outcome: Outcome, send: (value: unknown) => void): void {
  switch (outcome.kind) {
    case "value":
    case "json":
      return send(valueOf(outcome));
    case "streamed":
      if (!res.headersSent) sendText(res, 200, "");
      else res.end();
      return undefined;
    case "throttled":
      return sendText(res, 429, "too many requests wait for this function\n", { "retry-after": "1" });
    case "timeout":
      return sendFailure(res, 504, outcome.error, id);
    case "error":
      return sendFailure(res, outcome.error.errorType === "Runtime.ExitError" ? 502 : 500, outcome.error, id);
  }
}

/** What went wrong is in the log under the id; a response that has begun is cut. */
function sendFailure(res: ServerResponse, status: number, { errorType }: FunctionError, id: string): void {
  if (res.headersSent) res.destroy();
  else {
    const what = errorType === "Sandbox.Timedout" ? "function took longer than its timeout" : "function failed";
    sendText(res, status, `${what}, request ${id}\n`, { "x-request-id": id, "x-amzn-errortype": "Unhandled" });
  }
}
