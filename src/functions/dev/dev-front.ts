import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Emit } from "./dev-events.ts";
import type { DevFunction, Version } from "./dev-function.ts";
import { overlay, renderError, shapeFor, type ErrorPage } from "./error-page.ts";
import { problemLine, toProblem, type Problem } from "./problem.ts";

export interface FrontFunction {
  readonly name: string;
  readonly dir: string;
  readonly dev: DevFunction;
}

/** Header on answers of the last good version while the newest source is broken: `index.ts:3:7: Expected ";"`. */
const problemHeader = "x-ebb-build-error";

/** Bodies longer than this are passed on without an overlay or page around them. */
const maxShown = 1024 * 1024;

/**
 * The HTTP side of `ebb dev`: one port for all functions. A single one has every path; several have `/NAME/…` and the
 * host `NAME.localhost`. Answers come from the newest version that works.
 */
export function createFront(functions: readonly FrontFunction[], emit: Emit): Server {
  const server = createServer({ requestTimeout: 0, headersTimeout: 0, noDelay: true });
  server.on("request", (req: IncomingMessage, res: ServerResponse) => {
    const started = performance.now();
    const route = routeOf(functions, req);
    const name = route?.target.name ?? "";
    const path = req.url ?? "/";
    let done = false;
    res.once("close", () => {
      if (done) return;
      done = true;
      // 499: the caller left before there was an answer.
      const status = res.headersSent ? res.statusCode : 499;
      const ms = performance.now() - started;
      emit({ type: "request", function: name, method: req.method ?? "GET", path, status, ms });
    });
    if (!route) list(functions, req, res);
    else serve(route, req, res).catch((error: unknown) => fail(req, res, route.target, error));
  });
  server.on("upgrade", (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    const route = routeOf(functions, req);
    if (!route) socket.end("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
    else upgrade(route, req, socket, head).catch(() => socket.destroy());
  });
  return server;
}

interface Target {
  readonly target: FrontFunction;
  /** Path and query as the function sees them. */
  readonly url: string;
}

function routeOf(functions: readonly FrontFunction[], req: IncomingMessage): Target | undefined {
  const url = req.url ?? "/";
  const [only] = functions;
  if (only && functions.length === 1) return { target: only, url };
  const host = (req.headers.host ?? "").split(":")[0] ?? "";
  const byHost = functions.find((f) => host.startsWith(`${f.name}.`));
  if (byHost) return { target: byHost, url };
  const name = /^\/([^/?#]*)/.exec(url)?.[1];
  const byPath = functions.find((f) => f.name === name);
  if (!byPath) return undefined;
  const rest = url.slice(byPath.name.length + 1);
  return { target: byPath, url: rest.startsWith("/") ? rest : `/${rest}` };
}

function list(functions: readonly FrontFunction[], req: IncomingMessage, res: ServerResponse): void {
  const status = req.url === "/" ? 200 : 404;
  const lines = functions.map((f) => `/${f.name}/`);
  const body = `${status === 404 ? `no function at ${req.url}; there are:` : "functions here:"}\n${lines.join("\n")}\n`;
  const html = shapeFor(req.headers.accept) === "html";
  const links = lines.map((path) => `<li><a href="${path}">${path}</a>`).join("");
  const shown = html ? `<!doctype html><title>ebb dev</title><ul>${links}</ul>` : body;
  res.writeHead(status, { "content-type": `text/${html ? "html" : "plain"}; charset=utf-8` }).end(shown);
}

async function serve(route: Target, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { dev } = route.target;
  dev.revive();
  const version = await dev.current();
  const { problem } = dev;
  if (!version) {
    if (problem) answerProblem(req, res, 503, pageOf(route.target, problem));
    else res.destroy();
    return;
  }
  forward(route, version, problem, { req, res });
}

interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

function forward(route: Target, version: Version, problem: Problem | undefined, { req, res }: Exchange): void {
  const release = version.hold();
  const id = typeof req.headers["x-request-id"] === "string" ? req.headers["x-request-id"] : makeId();
  const sent = request({
    host: "127.0.0.1",
    port: version.instance.port,
    agent: version.instance.agent,
    method: req.method,
    path: route.url,
    headers: forwardHeaders(req, id),
    setHost: false,
  });
  const leave = (): void => {
    release();
    if (!res.writableFinished) sent.destroy();
  };
  res.once("close", leave);
  sent.once("error", (error) => {
    if (res.destroyed) return;
    if (res.headersSent) res.destroy();
    else fail(req, res, route.target, error);
  });
  sent.on("information", (info) => {
    if (info.statusCode === 103) res.writeEarlyHints(info.headers as Record<string, string | string[]>);
  });
  sent.once("response", (answer: IncomingMessage) => {
    answer.once("error", () => res.destroy());
    answer.once("aborted", () => res.destroy());
    if (answer.statusCode === 500 && answer.headers["x-request-id"] === id)
      void explainFailure(route.target, { req, res }, answer, id).catch(() => res.destroy());
    else if (problem && wantsPage(req, answer)) void showProblem(route.target, problem, { req, res }, answer);
    else passOn(answer, res, problem);
  });
  req.pipe(sent);
}

function passOn(answer: IncomingMessage, res: ServerResponse, problem: Problem | undefined): void {
  const headers = withoutHop(answer.rawHeaders);
  if (problem) headers.push(problemHeader, headerText(problem));
  res.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers);
  res.flushHeaders();
  answer.pipe(res);
}

/** A person who opens the page in a browser would not see a header. */
const wantsPage = (req: IncomingMessage, answer: IncomingMessage): boolean =>
  req.method === "GET" &&
  req.headers["sec-fetch-dest"] !== "empty" &&
  shapeFor(req.headers.accept) === "html" &&
  Number(answer.headers["content-length"] ?? maxShown) <= maxShown &&
  answer.headers["content-encoding"] === undefined &&
  /^text\/|^application\/json/.test(answer.headers["content-type"] ?? "text/plain");

/** The last good version's answer with the problem in sight: as a strip on a page of HTML, else on a page around it. */
async function showProblem(
  target: FrontFunction,
  problem: Problem,
  { res }: Exchange,
  answer: IncomingMessage,
): Promise<void> {
  const text = await readText(answer);
  const html = answer.headers["content-type"]?.startsWith("text/html") === true;
  const body = html
    ? withOverlay(text, overlay(problem))
    : renderError("html", { ...pageOf(target, problem), answer: text }).body;
  const dropped = new Set(["content-length", "content-type", "transfer-encoding", "etag", "content-security-policy"]);
  const headers = pairs(withoutHop(answer.rawHeaders)).filter(([name]) => !dropped.has(name.toLowerCase()));
  const type = html ? (answer.headers["content-type"] ?? "text/html") : "text/html; charset=utf-8";
  const more = ["content-type", type, "cache-control", "no-store", problemHeader, headerText(problem)];
  res.writeHead(answer.statusCode ?? 200, [...headers.flat(), ...more]).end(body);
}

const withOverlay = (html: string, strip: string): string => {
  const end = html.search(/<\/body\s*>/i);
  return end < 0 ? html + strip : html.slice(0, end) + strip + html.slice(end);
};

function pageOf(target: FrontFunction, problem: Problem): ErrorPage {
  const titles = { build: "does not build", load: "does not load", exit: "has ended" } as const;
  const serving = "Save the file again when it is mended: the function is then served at once.";
  return { title: `${target.name} ${titles[problem.kind]}`, problem, note: serving };
}

function answerProblem(req: IncomingMessage, res: ServerResponse, status: number, page: ErrorPage): void {
  const { type, body } = renderError(shapeFor(req.headers.accept), page);
  res.writeHead(status, {
    "content-type": type,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    [problemHeader]: headerText(page.problem),
    ...(status === 503 ? { "retry-after": "1" } : {}),
  });
  if (req.method === "HEAD") res.end();
  else res.end(body);
}

/**
 * A host answers 500 with nothing but the request's id, and writes the stack under that id. Here the developer is the
 * caller: the stack goes into the answer.
 */
async function explainFailure(
  target: FrontFunction,
  { req, res }: Exchange,
  answer: IncomingMessage,
  id: string,
): Promise<void> {
  const body = await readText(answer);
  const stack = await stackOf(target.dev, id);
  if (stack === undefined) {
    res.writeHead(500, pairs(withoutHop(answer.rawHeaders)).flat()).end(body);
    return;
  }
  const problem = { ...toProblem("exit", stack, target.dir), kind: "load" as const };
  const note = `request ${id}; what the caller of a deployed function sees is "${body.trim()}"`;
  const page = { title: `${target.name} failed: ${req.method} ${req.url}`, problem, note };
  const rendered = renderError(shapeFor(req.headers.accept), page);
  const headers = { "content-type": rendered.type, "content-length": Buffer.byteLength(rendered.body) };
  res.writeHead(500, { ...headers, "x-request-id": id, "cache-control": "no-store" }).end(rendered.body);
}

/** The log travels by another pipe than the answer and may come a moment later. */
async function stackOf(dev: DevFunction, id: string): Promise<string | undefined> {
  for (let turn = 0; turn < 10; turn += 1) {
    const lines = dev.recentOutput();
    const at = lines.findLastIndex((line) => line.startsWith(`request ${id} `));
    const first = lines[at];
    if (first !== undefined) {
      const rest = lines.slice(at + 1);
      const end = rest.findIndex(
        (line) => /^request \S+ /.test(line) || !/^\s|^Traceback|^\w*(?:Error|Exception)\b/.test(line),
      );
      const stack = [first.replace(/^request \S+ \S+ \S+ failed: /, ""), ...(end < 0 ? rest : rest.slice(0, end))];
      return stack.filter((line) => !/^\s+at .*(?:\(node:|\/host-node-)/.test(line)).join("\n");
    }
    await new Promise((resolve) => void setTimeout(resolve, 10));
  }
  return undefined;
}

function fail(req: IncomingMessage, res: ServerResponse, target: FrontFunction, error: unknown): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const { problem } = target.dev;
  const words = error instanceof Error ? error.message : String(error);
  const message = `the function broke the connection before it answered (${words})`;
  const shown = problem ?? { kind: "exit" as const, summary: message, message };
  const note = "Its last words are in the terminal of ebb dev.";
  answerProblem(req, res, 502, { title: `${target.name} did not answer`, problem: shown, note });
}

async function upgrade(route: Target, req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  const version = await route.target.dev.current();
  if (!version) {
    socket.end("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n");
    return;
  }
  const release = version.hold();
  const sent = request({
    host: "127.0.0.1",
    port: version.instance.port,
    agent: false,
    method: req.method,
    path: route.url,
    headers: pairs(req.rawHeaders).flat(),
    setHost: false,
  });
  socket.once("close", () => {
    release();
    sent.destroy();
  });
  socket.on("error", () => socket.destroy());
  sent.once("error", () => socket.destroy());
  sent.once("upgrade", (answer, upstream, upstreamHead: Buffer) => {
    socket.write(rawHead(answer));
    upstream.on("error", () => socket.destroy());
    if (upstreamHead.length > 0) socket.write(upstreamHead);
    if (head.length > 0) upstream.write(head);
    upstream.pipe(socket).pipe(upstream);
    upstream.once("close", () => socket.destroy());
  });
  sent.once("response", (answer) => {
    socket.write(rawHead(answer));
    answer.pipe(socket);
  });
  sent.end();
}

function rawHead(answer: IncomingMessage): string {
  const lines = pairs(answer.rawHeaders).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`, ...lines, "", ""].join("\r\n");
}

function forwardHeaders(req: IncomingMessage, id: string): string[] {
  const headers = withoutHop(req.rawHeaders);
  const has = (name: string): boolean => req.headers[name] !== undefined;
  if (!has("x-request-id")) headers.push("x-request-id", id);
  if (!has("x-forwarded-for")) headers.push("x-forwarded-for", req.socket.remoteAddress ?? "127.0.0.1");
  if (!has("x-forwarded-proto")) headers.push("x-forwarded-proto", "http");
  return headers;
}

/** RFC 9110 §7.6.1: what belongs to one connection is not passed on. Framing is kept: it is the body's. */
const hop = new Set(["connection", "keep-alive", "proxy-connection", "te", "upgrade"]);

const withoutHop = (raw: readonly string[]): string[] =>
  pairs(raw)
    .filter(([name]) => !hop.has(name.toLowerCase()))
    .flat();

const pairs = (raw: readonly string[]): [string, string][] =>
  raw.flatMap((name, i): [string, string][] => (i % 2 === 0 ? [[name, raw[i + 1] ?? ""]] : []));

/** Header values are bytes; what is not printable ASCII is left out. */
const headerText = (problem: Problem): string =>
  problemLine(problem)
    .replaceAll(/[^\x20-\x7e]+/g, " ")
    .slice(0, 500);

const makeId = (): string => Math.random().toString(36).slice(2, 12);

async function readText(from: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of from) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
