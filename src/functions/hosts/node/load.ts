import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { ClaimMessage } from "../protocol.ts";
import type { Drain } from "./drain.ts";
import { fetchListener, type FetchHandler } from "./fetch-listener.ts";
import { LoadError } from "./load-error.ts";
import { nodeListener, type NodeHandler } from "./node-listener.ts";

export { LoadError };

export interface Handler {
  readonly request: (req: IncomingMessage, res: ServerResponse) => void;
  readonly upgrade?: (req: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/**
 * Imports the function and finds its handler among the exports: `default`, or `handler`, as an object with `fetch`,
 * a function, or an http.Server that does not listen. `own-server`: it listens itself.
 */
export async function loadHandler(claim: ClaimMessage, drain: Drain): Promise<Handler | "own-server"> {
  const module = await loadModule(claim.entry);
  const exported = unwrap(module["default"]) ?? module["handler"];
  if (isServer(exported)) return exported.listening ? "own-server" : serverHandler(exported);
  if (hasFetch(exported)) return { request: fetchListener(exported, claim.env, drain) };
  if (hasFetch(module)) return { request: fetchListener(module, claim.env, drain) };
  if (typeof exported === "function")
    return fromFunction(exported as NodeHandler & FetchHandler["fetch"], claim, drain);
  if (exported === undefined || claim.model === "server") return "own-server";
  throw new LoadError(
    "NoHandler",
    `the module's export is ${typeof exported}, which cannot take requests: export an object with fetch(), or a function`,
  );
}

/**
 * By require first, which reads and links in one go where import() takes turns with a thread pool that a busy machine
 * is slow to serve; modules that await at their top level can only be imported, and are not begun before that is seen.
 */
async function loadModule(entry: string): Promise<Readonly<Record<string, unknown>>> {
  const { createRequire } = process.getBuiltinModule("node:module");
  try {
    return createRequire(entry)(entry) as Readonly<Record<string, unknown>>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_REQUIRE_ASYNC_MODULE") throw error;
  }
  const { pathToFileURL } = process.getBuiltinModule("node:url");
  return (await import(pathToFileURL(entry).href)) as Readonly<Record<string, unknown>>;
}

/** A bare function is `(req, res)` when it names two or more parameters, else `(request)`; the model settles it. */
function fromFunction(fn: NodeHandler & FetchHandler["fetch"], claim: ClaimMessage, drain: Drain): Handler {
  const web = claim.model === "fetch" || (claim.model === "auto" && fn.length < 2);
  return { request: web ? fetchListener({ fetch: fn }, claim.env, drain) : nodeListener(fn) };
}

/** `module.exports = …` compiled to ESM arrives as { default: { default } }. */
function unwrap(value: unknown): unknown {
  if (typeof value === "object" && value !== null && "default" in value && "__esModule" in value) return value.default;
  return value;
}

const hasFetch = (value: unknown): value is FetchHandler =>
  typeof value === "object" && value !== null && "fetch" in value && typeof value.fetch === "function";

const isServer = (value: unknown): value is Server =>
  typeof value === "object" && value !== null && "listen" in value && "emit" in value && "listening" in value;

function serverHandler(server: Server): Handler {
  return {
    request: (req, res) => void server.emit("request", req, res),
    ...(server.listenerCount("upgrade") > 0
      ? { upgrade: (req, socket, head) => void server.emit("upgrade", req, socket, head) }
      : {}),
  };
}
