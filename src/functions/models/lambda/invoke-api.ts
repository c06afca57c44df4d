import type { IncomingMessage, ServerResponse } from "node:http";
import type { Drain } from "../../hosts/node/drain.ts";
import { readBody } from "../read-body.ts";
import { send, sendJson } from "../send.ts";
import { invokeComplete, payloadChunk } from "./event-stream.ts";
import type { Invocation, Invoke, Outcome } from "./invocation.ts";
import type { LambdaLog } from "./lambda-log.ts";
import type { LambdaSettings } from "./lambda-settings.ts";

export interface InvokeApiDeps {
  readonly invoke: Invoke;
  readonly settings: LambdaSettings;
  readonly log: Pick<LambdaLog, "tail">;
  readonly drain: Pick<Drain, "hold">;
  readonly newInvocation: (event: unknown, id: string) => Omit<Invocation, "openStream">;
  readonly newId: (req: IncomingMessage) => string;
}

const buffered = /^\/2015-03-31\/functions\/([^/]+)\/invocations(?:\?|$)/;
const streaming = /^\/2021-11-15\/functions\/([^/]+)\/response-streaming-invocations(?:\?|$)/;

/** Lambda's own Invoke API on the function's port, so that SDKs with an endpoint override work; functions.md §5.3. */
export function invokeApi(deps: InvokeApiDeps): (req: IncomingMessage, res: ServerResponse) => boolean {
  return (req, res) => {
    const url = req.url ?? "";
    // The first character tells nearly all other requests apart without a pattern.
    if (req.method !== "POST" || url.charCodeAt(1) !== 50) return false;
    const kind = buffered.test(url) ? invokeBuffered : streaming.test(url) ? invokeStreaming : undefined;
    if (!kind) return false;
    const id = deps.newId(req);
    res.setHeader("x-amzn-requestid", id);
    void readEvent(deps, req, res).then(
      (read) => read && kind(deps, { req, res, id, event: read.event }),
      (error: unknown) => refuse(res, 400, "InvalidRequestContentException", String(error)),
    );
    return true;
  };
}

interface Call {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly id: string;
  readonly event: unknown;
}

async function readEvent(
  { settings }: InvokeApiDeps,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<{ readonly event: unknown } | undefined> {
  if (Number(req.headers["content-length"] ?? 0) > settings.payloadLimit) {
    refuse(res, 413, "RequestTooLargeException", `the event is longer than ${settings.payloadLimit} bytes`);
    req.resume();
    return undefined;
  }
  const body = await readBody(req, res, settings.payloadLimit);
  if (body === undefined) return undefined;
  try {
    return { event: body.length === 0 ? {} : (JSON.parse(body.toString("utf8")) as unknown) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    refuse(res, 400, "InvalidRequestContentException", `Could not parse request body into json: ${why}`);
    return undefined;
  }
}

function refuse(res: ServerResponse, status: number, type: string, message: string): void {
  sendJson(res, status, { Type: "User", message }, { "x-amzn-errortype": type });
}

async function invokeBuffered(deps: InvokeApiDeps, { req, res, id, event }: Call): Promise<void> {
  const type = req.headers["x-amz-invocation-type"] ?? "RequestResponse";
  if (type === "DryRun") {
    send(res, 204, {}, "");
    return;
  }
  const { PassThrough } = process.getBuiltinModule("node:stream");
  const stream = new PassThrough();
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  const openStream: Invocation["openStream"] = (head) => {
    if (head.kind === "http") stream.write(Buffer.concat([Buffer.from(JSON.stringify(head.prelude)), Buffer.alloc(8)]));
    return stream;
  };
  const running = deps.invoke({ ...withContext(req, deps.newInvocation(event, id)), openStream });
  if (type === "Event") {
    deps.drain.hold(running);
    send(res, 202, {}, "");
    return;
  }
  if (type !== "RequestResponse") {
    refuse(res, 400, "InvalidParameterValueException", `X-Amz-Invocation-Type "${String(type)}" is unknown`);
    return;
  }
  const outcome = await running;
  if (req.headers["x-amz-log-type"] === "Tail")
    res.setHeader("x-amz-log-result", Buffer.from(deps.log.tail()).toString("base64"));
  res.setHeader("x-amz-executed-version", deps.settings.functionVersion);
  sendOutcome(res, outcome, () => Buffer.concat(chunks));
}

function withContext(req: IncomingMessage, invocation: Omit<Invocation, "openStream">): Omit<Invocation, "openStream"> {
  const given = req.headers["x-amz-client-context"];
  const trace = req.headers["x-amzn-trace-id"];
  return {
    ...invocation,
    ...(typeof given === "string" ? { clientContext: parseClientContext(given) } : {}),
    ...(typeof trace === "string" ? { traceId: trace } : {}),
  };
}

function parseClientContext(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, "base64").toString("utf8")) as unknown;
  } catch {
    return undefined;
  }
}

function sendOutcome(res: ServerResponse, outcome: Outcome, streamed: () => Buffer): void {
  switch (outcome.kind) {
    case "value":
      return sendJson(res, 200, outcome.value === undefined ? null : outcome.value);
    case "json":
      return send(res, 200, { "content-type": "application/json" }, outcome.json);
    case "streamed":
      return send(res, 200, { "content-type": "application/octet-stream" }, streamed());
    case "throttled":
      return refuse(res, 429, "TooManyRequestsException", "Rate Exceeded.");
    case "error":
    case "timeout":
      // The invocation itself went well: a failing function is still 200.
      return sendJson(res, 200, outcome.error, { "x-amz-function-error": "Unhandled" });
  }
}

async function invokeStreaming(deps: InvokeApiDeps, { req, res, id, event }: Call): Promise<void> {
  const { Writable } = process.getBuiltinModule("node:stream");
  res.writeHead(200, {
    "content-type": "application/vnd.amazon.eventstream",
    "x-amz-executed-version": deps.settings.functionVersion,
  });
  const out = new Writable({
    write: (chunk: Buffer, _encoding, done) => void res.write(payloadChunk(chunk), () => done()),
  });
  const openStream: Invocation["openStream"] = (head) => {
    if (head.kind === "http") out.write(Buffer.concat([Buffer.from(JSON.stringify(head.prelude)), Buffer.alloc(8)]));
    return out;
  };
  const outcome = await deps.invoke({ ...withContext(req, deps.newInvocation(event, id)), openStream });
  if (outcome.kind === "value" || outcome.kind === "json") {
    const bytes = outcome.kind === "json" ? outcome.json : Buffer.from(JSON.stringify(outcome.value) ?? "null");
    res.write(payloadChunk(bytes));
  }
  const error = outcome.kind === "error" || outcome.kind === "timeout" ? outcome.error : undefined;
  const tail = req.headers["x-amz-log-type"] === "Tail" ? Buffer.from(deps.log.tail()).toString("base64") : undefined;
  res.end(invokeComplete(error, tail));
}
