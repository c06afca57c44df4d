import type { IncomingMessage, ServerResponse } from "node:http";
import { contentMode } from "../../../api/cloudevents/parse-http.ts";
import { answerError } from "../../hosts/node/answer-error.ts";
import { LoadError } from "../../hosts/node/load-error.ts";
import { readEvents } from "../cloudevents/event-exchange.ts";
import { isFunction, pick, unwrapDefault } from "../detect-model.ts";
import { listNames } from "../fetch/fetch-model.ts";
import type { ModelContext, RequestListener, ServedFunction } from "../model.ts";
import { parseBody } from "../parse-body.ts";
import { readBody } from "../read-body.ts";
import { requestId } from "../request-id.ts";
import { send, sendText } from "../send.ts";
import { makeContext, type KnativeContext } from "./context.ts";
import { createFunctionLog, type FunctionLog } from "./function-log.ts";
import { probeListener } from "./probe.ts";
import { sendResult } from "./send-result.ts";
import { readKnativeSettings, type KnativeSettings } from "./settings.ts";

type Handle = (context: KnativeContext, body: unknown) => unknown;

interface Served {
  readonly handle: Handle;
  readonly settings: KnativeSettings;
  readonly log: FunctionLog;
  readonly counts: Counts;
}

interface Counts {
  invocations: number;
  errors: number;
}

/** A function of `func`'s Node and TypeScript templates: handle(context, body), with its probes, CORS and log. */
export async function knativeModel({ exports, env, target }: ModelContext): Promise<ServedFunction> {
  const handle = findHandle(exports, target);
  const settings = await readKnativeSettings(exports, env);
  const log = createFunctionLog(settings.logLevel, { pid: process.pid }, (line) => process.stdout.write(line));
  const served: Served = { handle, settings, log, counts: { invocations: 0, errors: 0 } };
  const probes = new Map<string, RequestListener>([
    [settings.livenessPath, probeListener(pick(exports, "liveness"))],
    [settings.readinessPath, probeListener(pick(exports, "readiness"))],
  ]);
  if (settings.metricsPath !== undefined)
    probes.set(settings.metricsPath, (_req, res) => sendCounts(res, served.counts));
  return {
    request(req, res) {
      const probe = req.method === "GET" ? probes.get(req.url ?? "") : undefined;
      if (probe) probe(req, res);
      else if (!answersPreflight(req, res, settings)) void invoke(served, req, res);
    },
  };
}

function findHandle(exports: ModelContext["exports"], target: string | undefined): Handle {
  const { value, owner } = pick(exports, target ?? "handle");
  if (isFunction(value)) return (context, body) => Reflect.apply(value, owner, [context, body]) as unknown;
  const main = unwrapDefault(exports["default"]);
  if (target === undefined && isFunction(main)) return main as Handle;
  throw new LoadError(
    "NoHandler",
    `the module does not export the function ${target ?? "handle"} (it exports ${listNames(exports)}): ` +
      "write `export const handle = async (context, body) => { … }`",
  );
}

async function invoke(served: Served, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { settings, counts } = served;
  const context = makeContext(req, res, served.log.child({ reqId: requestId(req) }));
  counts.invocations++;
  try {
    const mode = contentMode(req.headers);
    if (mode === undefined) {
      const body = await readBody(req, res, settings.bodyLimit);
      if (body === undefined) return;
      if (settings.includeRaw) context.rawBody = body.toString("utf8");
      context.body = parseBody(req.headers["content-type"], body);
      sendResult(req, res, await served.handle(context, context.body), false);
      return;
    }
    const events = await readEvents(req, res, mode, settings.bodyLimit);
    if (!events) return;
    const replies: unknown[] = [];
    for (const event of events) {
      context.cloudevent = event;
      context.body = event.data;
      replies.push(await served.handle(context, event));
    }
    sendResult(req, res, mode === "batch" ? replies.flat().filter(Boolean) : replies[0], true);
  } catch (error) {
    counts.errors++;
    answerFailure(req, res, error, settings.showErrors);
  }
}

/**
 * An error that names a status from 400 to 499 is an answer: its message is for the caller. One from 500 to 599 keeps
 * its status; everything else is 500, and says nothing of the error unless in development.
 */
function answerFailure(req: IncomingMessage, res: ServerResponse, error: unknown, show: boolean): void {
  const { name, message, statusCode, status = statusCode } = (error ?? {}) as Readonly<Record<string, unknown>>;
  const code = name === "BodyError" ? 400 : Number(status);
  const valid = Number.isInteger(code) && code >= 400 && code <= 599;
  if (!res.headersSent && valid && code < 500) sendText(res, code, `${String(message)}\n`);
  else if (!res.headersSent && show) {
    process.stderr.write(`${req.method} ${req.url} failed: ${error instanceof Error ? error.stack : String(error)}\n`);
    sendText(res, valid ? code : 500, `${String(message ?? error)}\n`);
  } else answerError(req, res, error, valid ? code : 500);
}

/** Sets who may read the answer, and answers a browser's question whether it may ask at all. */
function answersPreflight(req: IncomingMessage, res: ServerResponse, { origins }: KnativeSettings): boolean {
  const { origin } = req.headers;
  if (origins === undefined) res.setHeader("access-control-allow-origin", "*");
  else {
    res.setHeader("vary", "origin");
    if (origin !== undefined && origins.includes(origin)) res.setHeader("access-control-allow-origin", origin);
  }
  if (req.method !== "OPTIONS" || req.headers["access-control-request-method"] === undefined) return false;
  const headers = req.headers["access-control-request-headers"] ?? "*";
  send(
    res,
    204,
    {
      "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
      "access-control-allow-headers": headers,
    },
    "",
  );
  return true;
}

function sendCounts(res: ServerResponse, { invocations, errors }: Counts): void {
  const text =
    `# TYPE faas_invocations_total counter\nfaas_invocations_total ${invocations}\n` +
    `# TYPE faas_errors_total counter\nfaas_errors_total ${errors}\n`;
  send(res, 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }, text);
}
