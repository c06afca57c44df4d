import type { IncomingMessage, ServerResponse } from "node:http";
import { contentMode } from "../../../api/cloudevents/parse-http.ts";
import { answerError } from "../../hosts/node/answer-error.ts";
import { readEvents, sendEventReply } from "../cloudevents/event-exchange.ts";
import { isAbandoned } from "../expired.ts";
import { isFunction, member } from "../detect-model.ts";
import type { ModelContext, ServedFunction } from "../model.ts";
import { BodyError, parseBody } from "../parse-body.ts";
import { readBody } from "../read-body.ts";
import { send, sendText } from "../send.ts";
import { callWithCallback, fromBody, fromCloudEvent } from "./event-functions.ts";
import { expressRequestPrototype, type ExpressRequest } from "./express-request.ts";
import { expressResponsePrototype, type ExpressResponse } from "./express-response.ts";
import { findFunction } from "./find-function.ts";
import type { Registration } from "./registry.ts";

type Answer = (req: ExpressRequest, res: ExpressResponse) => Promise<void>;

/** The framework's own limit: 1024 MB. */
const bodyLimit = 1024 * 1024 * 1024;

/** Functions of the Functions Framework, by registration or by name; functions.md §3. */
export function functionsFrameworkModel(context: ModelContext): ServedFunction {
  const { env } = context;
  const answer = answerOf(findFunction(context));
  const ignored = new Set((env["IGNORED_ROUTES"] ?? "/favicon.ico,/robots.txt").split(",").filter(Boolean));
  const timeoutMs = Number(env["CLOUD_RUN_TIMEOUT_SECONDS"] ?? 0) * 1000;
  const prototypes = { request: expressRequestPrototype(), response: expressResponsePrototype() };
  return {
    request(req, res) {
      if (ignored.has((req.url ?? "").split("?", 1)[0] ?? "")) {
        sendText(res, 404, "not found\n");
        return;
      }
      const request = Object.setPrototypeOf(req, prototypes.request) as ExpressRequest;
      const response = Object.setPrototypeOf(res, prototypes.response) as ExpressResponse;
      prepare(request, response, timeoutMs);
      answer(request, response).catch((error: unknown) => fail(req, res, error));
    },
  };
}

function prepare(req: ExpressRequest, res: ExpressResponse, timeoutMs: number): void {
  req.params = { 0: req.path.slice(1) };
  req.originalUrl = req.url ?? "/";
  req.baseUrl = "";
  res.locals = {};
  const id = req.headers["function-execution-id"];
  if (typeof id === "string") req.executionId = id;
  const abort = new AbortController();
  req.abortController = abort;
  const timer = timeoutMs > 0 ? setTimeout(() => expire(res, abort), timeoutMs) : undefined;
  res.once("close", () => {
    clearTimeout(timer);
    if (isAbandoned(res)) abort.abort();
  });
}

/** 504 to the caller and the signal to the function, which may be busy still. */
function expire(res: ServerResponse, abort: AbortController): void {
  abort.abort(new DOMException("the function took longer than its timeout", "TimeoutError"));
  if (!res.headersSent) sendText(res, 504, "the function took longer than its timeout\n");
}

function answerOf({ signature, fn }: Registration): Answer {
  switch (signature) {
    case "http":
      return (req, res) => answerHttp(fn, req, res);
    case "typed":
      return (req, res) => answerTyped(fn, req, res);
    case "cloudevent":
    case "event":
      return (req, res) => answerEvent({ signature, fn }, req, res);
  }
}

async function answerHttp(fn: Registration["fn"], req: ExpressRequest, res: ExpressResponse): Promise<void> {
  if (!(await takeBody(req, res))) return;
  await Reflect.apply(fn, undefined, [req, res]);
}

/** Sets body and rawBody; false when the answer is given already. */
async function takeBody(req: ExpressRequest, res: ExpressResponse): Promise<boolean> {
  const raw = await readBody(req, res, bodyLimit);
  if (raw === undefined) return false;
  req.rawBody = raw;
  req._body = true;
  try {
    req.body = parseBody(req.headers["content-type"], raw) ?? {};
    return true;
  } catch (error) {
    if (!(error instanceof BodyError)) throw error;
    sendText(res, 400, `${error.message}\n`);
    return false;
  }
}

/** JSON in, JSON out; `{handler, format}` brings its own reading and writing. */
async function answerTyped(fn: unknown, req: ExpressRequest, res: ExpressResponse): Promise<void> {
  const handler = isFunction(fn) ? fn : (member(fn, "handler") as Registration["fn"]);
  const format = member(fn, "format");
  const raw = await readBody(req, res, bodyLimit);
  if (raw === undefined) return;
  let input: unknown;
  try {
    const own = member(format, "deserializeRequest");
    const invocation = { body: () => raw.toString("utf8"), header: (name: string) => req.get(name) };
    input = isFunction(own)
      ? Reflect.apply(own, format, [invocation])
      : raw.length === 0
        ? undefined
        : JSON.parse(raw.toString("utf8"));
  } catch (error) {
    sendText(res, 400, `the body is not JSON: ${error instanceof Error ? error.message : String(error)}\n`);
    return;
  }
  const output: unknown = await callWithCallback(handler, [input]);
  const write = member(format, "serializeResponse");
  if (isFunction(write)) {
    const out = {
      setHeader: (name: string, value: string) => res.setHeader(name, value),
      write: (text: string) => res.write(text),
      end: (text?: string) => res.end(text),
    };
    Reflect.apply(write, format, [out, output]);
  } else send(res, 200, { "content-type": "application/json; charset=utf-8" }, JSON.stringify(output) ?? "null");
}

async function answerEvent(
  { signature, fn }: Pick<Registration, "signature" | "fn">,
  req: ExpressRequest,
  res: ExpressResponse,
): Promise<void> {
  if (req.method !== "POST") {
    sendText(res, 405, "events are sent by POST\n", { allow: "POST" });
    return;
  }
  const mode = contentMode(req.headers);
  if (mode === undefined) {
    await answerBackground({ signature, fn }, req, res);
    return;
  }
  const events = await readEvents(req, res, mode);
  if (!events) return;
  const replies: unknown[] = [];
  for (const event of events) {
    const { data, context } = fromCloudEvent(event);
    replies.push(await callWithCallback(fn, signature === "event" ? [data, context] : [event]));
  }
  sendEventReply(req, res, mode === "batch" ? replies.flat().filter(Boolean) : replies[0]);
}

/** A body that is an event of the older kinds; functions of the cloudevent signature get it as a CloudEvent. */
async function answerBackground(
  { signature, fn }: Pick<Registration, "signature" | "fn">,
  req: ExpressRequest,
  res: ExpressResponse,
): Promise<void> {
  if (!(await takeBody(req, res))) return;
  const found = fromBody(req.body, req);
  if (!found) {
    sendText(res, 400, "not an event: send a CloudEvent, or an object with data and context\n");
    return;
  }
  const { data, context } = found;
  const event = {
    specversion: "1.0",
    id: context.eventId ?? "",
    source: typeof context.resource === "string" ? context.resource : "//background",
    type: context.eventType ?? "",
    time: context.timestamp,
    datacontenttype: "application/json",
    data,
  };
  sendEventReply(req, res, await callWithCallback(fn, signature === "event" ? [data, context] : [event]));
}

function fail(req: IncomingMessage, res: ServerResponse, error: unknown): void {
  if (!res.headersSent) res.setHeader("x-google-status", "error");
  answerError(req, res, error);
}
