import type { IncomingMessage, ServerResponse } from "node:http";
import { LoadError } from "../hosts/node/load-error.ts";
import { markExpired } from "./expired.ts";
import { createGate } from "./gate.ts";
import type { RequestListener } from "./model.ts";
import { requestId } from "./request-id.ts";
import { sendText } from "./send.ts";

/** What a function's environment may ask of its host. */
export interface Limits {
  /** EBB_TIMEOUT, seconds: then 504, and the request's signal fires. */
  readonly timeoutMs?: number;
  /** EBB_CONCURRENCY: requests at once; more wait their turn. */
  readonly concurrency?: number;
  /** EBB_BODY_LIMIT, bytes: more is 413. */
  readonly bodyLimit?: number;
  /** EBB_LOG_FORMAT=json: a line for each request, and the function's console as JSON with the request's id. */
  readonly jsonLog: boolean;
}

type Env = Readonly<Record<string, string>>;

/** Throws LoadError for what cannot be meant; undefined when nothing is asked, which costs nothing then. */
export function readLimits(env: Env): Limits | undefined {
  const timeout = number(env, "EBB_TIMEOUT");
  const concurrency = number(env, "EBB_CONCURRENCY");
  const bodyLimit = number(env, "EBB_BODY_LIMIT");
  const format = env["EBB_LOG_FORMAT"] ?? "text";
  if (format !== "text" && format !== "json")
    throw new LoadError("InitFailed", `EBB_LOG_FORMAT is "${format}": use text or json`);
  const jsonLog = format === "json";
  if (timeout === undefined && concurrency === undefined && bodyLimit === undefined && !jsonLog) return undefined;
  return {
    jsonLog,
    ...(timeout === undefined ? {} : { timeoutMs: timeout * 1000 }),
    ...(concurrency === undefined ? {} : { concurrency: Math.ceil(concurrency) }),
    ...(bodyLimit === undefined ? {} : { bodyLimit }),
  };
}

function number(env: Env, name: string): number | undefined {
  const text = env[name];
  if (text === undefined || text === "" || text === "0") return undefined;
  const value = Number(text);
  if (!(value > 0)) throw new LoadError("InitFailed", `${name} is "${text}": it must be a number, 0 for no limit`);
  return value;
}

/** Requests beyond the concurrency that may wait; then 503. */
const mayWait = 1000;

export function withLimits({ timeoutMs, concurrency, bodyLimit }: Limits, next: RequestListener): RequestListener {
  let listener = next;
  if (timeoutMs !== undefined) listener = limitTime(timeoutMs, listener);
  // Waiting does not count as running.
  if (concurrency !== undefined) listener = limitConcurrency(concurrency, listener);
  // Outermost: the body begins to come in while its request waits.
  if (bodyLimit !== undefined) listener = limitBody(bodyLimit, listener);
  return listener;
}

function limitTime(timeoutMs: number, next: RequestListener): RequestListener {
  return (req, res) => {
    const timer = setTimeout(() => expire(req, res, timeoutMs), timeoutMs);
    res.once("close", () => clearTimeout(timer));
    next(req, res);
  };
}

function expire(req: IncomingMessage, res: ServerResponse, timeoutMs: number): void {
  const id = requestId(req);
  process.stderr.write(`request ${id} ${req.method} ${req.url} took longer than ${timeoutMs} ms\n`);
  if (res.headersSent) {
    res.destroy();
    return;
  }
  markExpired(res);
  sendText(res, 504, `function took longer than its timeout, request ${id}\n`, { "x-request-id": id });
}

function limitConcurrency(most: number, next: RequestListener): RequestListener {
  const gate = createGate(most, mayWait);
  return (req, res) => {
    const entered = gate.enter();
    if (!entered) {
      sendText(res, 503, "too many requests wait for this function\n", { "retry-after": "1" });
      return;
    }
    void runWhenEntered(entered, req, res);
  };
  async function runWhenEntered(
    entered: Promise<() => void>,
    req: IncomingMessage,
    res: ServerResponse,
  ): Promise<void> {
    const release = await entered;
    res.once("close", release);
    // The caller may have left meanwhile, or have been refused.
    if (res.destroyed || res.writableEnded) release();
    else next(req, res);
  }
}

function limitBody(limit: number, next: RequestListener): RequestListener {
  return (req, res) => {
    if (Number(req.headers["content-length"] ?? 0) > limit) {
      refuse(req, res, limit);
      return;
    }
    if (req.headers["transfer-encoding"] !== undefined) countPieces(req, res, limit);
    next(req, res);
  };
}

/** Of unknown length: counted as it comes in, before the function sees it. */
function countPieces(req: IncomingMessage, res: ServerResponse, limit: number): void {
  const push = req.push.bind(req);
  let size = 0;
  req.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk instanceof Uint8Array) size += chunk.length;
    if (size <= limit) return push(chunk, encoding);
    if (!res.headersSent) refuse(req, res, limit);
    // To the function the body breaks off, as it would when the caller left.
    res.once("finish", () => req.destroy());
    return false;
  };
}

function refuse(req: IncomingMessage, res: ServerResponse, limit: number): void {
  res.setHeader("connection", "close");
  sendText(res, 413, `the request's body is longer than the ${limit} bytes this function takes\n`);
  req.resume();
}
