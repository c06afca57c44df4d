import type { ChildProcess } from "node:child_process";
import type { IncomingMessage, ServerResponse } from "node:http";
import { requestId } from "../request-id.ts";
import { endProgram, explainSpawnError, sayExit } from "../program.ts";
import { sendText } from "../send.ts";
import { requestEnv } from "./request-env.ts";
import type { StdioSettings } from "./stdio-settings.ts";

/** Answers longer than this are begun before the program has ended. */
const heldBytes = 4 * 1024 * 1024;
/** How much of what a failed program wrote to standard error is said in the log line of its failure. */
const keptError = 2048;

interface Run {
  readonly settings: StdioSettings;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly child: ChildProcess;
  readonly began: number;
  /** What is not sent yet, while it is not known how the program ends. */
  held: Buffer[] | undefined;
  heldSize: number;
  errorTail: string;
  written: number;
  timedOut: boolean;
}

/** Starts the program for one request: the body goes in, what it writes comes out; it ends when the caller leaves. */
export function forkRequest(
  settings: StdioSettings,
  env: Readonly<Record<string, string>>,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const { spawn } = process.getBuiltinModule("node:child_process");
  let child: ChildProcess;
  try {
    child = spawn(settings.file, settings.args, {
      env: { ...env, ...requestEnv(req) },
      stdio: ["pipe", "pipe", "pipe"],
    });
  } catch (error) {
    // Too long for the system: the headers of one request.
    sendText(res, 500, "function could not be started\n");
    process.stderr.write(`request ${requestId(req)}: ${explainSpawnError(settings.file, error)}\n`);
    return Promise.resolve();
  }
  const run: Run = {
    settings,
    req,
    res,
    child,
    began: performance.now(),
    held: settings.mode === "streaming" ? undefined : [],
    heldSize: 0,
    errorTail: "",
    written: 0,
    timedOut: false,
  };
  feed(run);
  collect(run);
  const timer = settings.timeoutMs > 0 ? setTimeout(() => expire(run), settings.timeoutMs) : undefined;
  res.once("close", () => {
    if (!res.writableFinished) abandon(run, 2000);
  });
  return new Promise((resolve) => {
    let done = false;
    const end = (finish: () => void): void => {
      // A failed start is an error first and a close then.
      if (done) return;
      done = true;
      clearTimeout(timer);
      finish();
      logRequest(run);
      resolve();
    };
    child.once("error", (error) => end(() => fail(run, explainSpawnError(settings.file, error))));
    child.once("close", (code, signal) => end(() => finish(run, code, signal)));
  });
}

function feed({ req, child }: Run): void {
  const { stdin } = child;
  if (!stdin) return;
  // A program need not read its input.
  stdin.on("error", () => req.resume());
  req.pipe(stdin);
}

function collect(run: Run): void {
  const { child, res, settings } = run;
  child.stdout?.on("data", (chunk: Buffer) => take(run, chunk));
  child.stderr?.on("data", (chunk: Buffer) => {
    if (settings.mode === "classic") take(run, chunk);
    else process.stderr.write(settings.prefixLogs ? prefixed("stderr", chunk) : chunk);
    run.errorTail = (run.errorTail + chunk.toString("utf8")).slice(-keptError);
  });
  res.on("drain", () => child.stdout?.resume());
}

function take(run: Run, chunk: Buffer): void {
  run.written += chunk.length;
  if (run.held) {
    run.held.push(chunk);
    run.heldSize += chunk.length;
    if (run.heldSize > heldBytes) release(run);
    return;
  }
  begin(run);
  if (!run.res.write(chunk)) run.child.stdout?.pause();
}

function release(run: Run): void {
  const held = run.held ?? [];
  run.held = undefined;
  begin(run);
  for (const chunk of held) run.res.write(chunk);
}

function begin({ res, settings, req }: Run): void {
  if (res.headersSent) return;
  const type = settings.contentType ?? (settings.mode === "classic" ? req.headers["content-type"] : undefined);
  res.writeHead(200, { "content-type": type ?? "application/octet-stream" });
}

function finish(run: Run, code: number | null, signal: NodeJS.Signals | null): void {
  const { res, req, settings, began } = run;
  if (res.destroyed) return;
  if (run.timedOut) {
    if (res.headersSent) res.destroy();
    else sendText(res, 504, `function took longer than its timeout, request ${requestId(req)}\n`);
    return;
  }
  if (code !== 0) {
    fail(run, sayExit(code, signal));
    return;
  }
  if (run.held) {
    const body = Buffer.concat(run.held);
    const type = settings.contentType ?? (settings.mode === "classic" ? req.headers["content-type"] : undefined);
    res.writeHead(200, {
      "content-type":
        type ?? (req.method === "HEAD" || body.length === 0 ? "text/plain; charset=utf-8" : "application/octet-stream"),
      "content-length": body.length,
      "x-duration-seconds": ((performance.now() - began) / 1000).toFixed(6),
    });
    res.end(body);
    return;
  }
  begin(run);
  res.end();
}

/** What the program wrote before it failed is no answer; a response that has begun is cut. */
function fail({ req, res, errorTail }: Run, why: string): void {
  const id = requestId(req);
  process.stderr.write(`request ${id} ${req.method} ${req.url} failed: ${why}: ${errorTail.trim()}\n`);
  if (res.headersSent) res.destroy();
  else sendText(res, 500, `function failed, request ${id}\n`, { "x-request-id": id });
}

function expire(run: Run): void {
  run.timedOut = true;
  process.stderr.write(
    `request ${requestId(run.req)} took longer than ${run.settings.timeoutMs} ms: the program is ended\n`,
  );
  abandon(run, 1000);
}

/** Ends the program; children of its own may hold its pipes open longer than it lives. */
function abandon({ child }: Run, graceMs: number): void {
  child.once("exit", () => {
    child.stdout?.destroy();
    child.stderr?.destroy();
  });
  endProgram(child, graceMs);
}

/** `POST / - 200 OK - ContentLength: 12B (0.0023s)`, which people look for; not for probes. */
function logRequest({ req, res, began, written }: Run): void {
  if (req.headers["user-agent"]?.startsWith("kube-probe") === true) return;
  const seconds = ((performance.now() - began) / 1000).toFixed(4);
  const { STATUS_CODES } = process.getBuiltinModule("node:http");
  const status = `${res.statusCode} ${STATUS_CODES[res.statusCode] ?? ""}`;
  process.stdout.write(
    `${req.method} ${req.url} - ${status} - ContentLength: ${written}B (${seconds}s) [${requestId(req)}]\n`,
  );
}

const prefixed = (stream: string, chunk: Buffer): string =>
  chunk
    .toString("utf8")
    .replaceAll(
      /^(?=.)/gm,
      `${new Date().toISOString().slice(0, 19).replaceAll("-", "/").replace("T", " ")} ${stream}: `,
    );
