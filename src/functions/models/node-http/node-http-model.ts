import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { LoadError } from "../../hosts/node/load-error.ts";
import { isFunction, isServer, member, pick, unwrapDefault } from "../detect-model.ts";
import type { ModelContext, RequestListener, ServedFunction } from "../model.ts";
import { nodeListener, type NodeHandler } from "./node-listener.ts";

/** `(req, res)` functions, exported servers that do not listen, and applications of fastify and koa. */
export async function nodeHttpModel(context: ModelContext): Promise<ServedFunction> {
  const value = exported(context);
  if (isServer(value)) return serverListener(value as Server);
  if (isFunction(value)) return { request: nodeListener(value as NodeHandler) };
  if (isFunction(member(value, "routing"))) {
    const app = value as { ready(): Promise<unknown>; routing: RequestListener };
    await app.ready();
    return { request: (req, res) => app.routing(req, res) };
  }
  if (isFunction(member(value, "callback"))) {
    return { request: (value as { callback(): RequestListener }).callback() };
  }
  const asked = context.target === undefined ? "its default export" : `the target "${context.target}"`;
  throw new LoadError(
    "NoHandler",
    `${asked} is ${value === undefined ? "missing" : typeof value}, which cannot take requests: ` +
      "write `export default (req, res) => { … }`, or export a server",
  );
}

function exported({ exports, target }: ModelContext): unknown {
  if (target !== undefined) return pick(exports, target).value;
  return unwrapDefault(exports["default"]) ?? exports["handler"];
}

function serverListener(server: Server): ServedFunction {
  return {
    request: (req: IncomingMessage, res: ServerResponse) => void server.emit("request", req, res),
    ...(server.listenerCount("upgrade") > 0
      ? { upgrade: (req, socket, head) => void server.emit("upgrade", req, socket, head) }
      : {}),
  };
}
