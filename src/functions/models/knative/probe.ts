import type { ServerResponse } from "node:http";
import { isFunction } from "../detect-model.ts";
import type { RequestListener } from "../model.ts";
import { answerHealth } from "../health.ts";
import { sendJson, sendText } from "../send.ts";

/** What probes of Knative functions are given as second argument: a little of Fastify's Reply. */
interface Reply {
  code(status: number): Reply;
  status(status: number): Reply;
  header(name: string, value: string): Reply;
  type(value: string): Reply;
  send(payload?: unknown): Reply;
}

/**
 * A function's liveness or readiness: `(req, reply) =>`, answered by reply.send() or by what it returns; false or an error
 * means 503. Without one, 200.
 */
export function probeListener({ value, owner }: { readonly value: unknown; readonly owner: unknown }): RequestListener {
  if (!isFunction(value)) return (_req, res) => void answerHealth(res, () => true);
  return (req, res) => {
    const reply = makeReply(res);
    const run = async (): Promise<unknown> => (await Reflect.apply(value, owner, [req, reply])) as unknown;
    run().then(
      (answer) => {
        if (res.writableEnded) return;
        if (answer === false) sendText(res, 503, "not well\n");
        else if (typeof answer === "string") sendText(res, res.statusCode, answer);
        else if (typeof answer === "object" && answer !== null && answer !== reply)
          sendJson(res, res.statusCode, answer);
        else sendText(res, res.statusCode, "OK");
      },
      (error: unknown) => {
        if (!res.headersSent) sendText(res, 503, `${error instanceof Error ? error.message : String(error)}\n`);
      },
    );
  };
}

function makeReply(res: ServerResponse): Reply {
  const status = (code: number): Reply => {
    res.statusCode = code;
    return reply;
  };
  const header = (name: string, value: string): Reply => {
    res.setHeader(name, value);
    return reply;
  };
  const reply: Reply = {
    code: status,
    status,
    header,
    type: (value) => header("content-type", value),
    send(payload) {
      if (typeof payload === "object" && payload !== null) sendJson(res, res.statusCode, payload);
      else sendText(res, res.statusCode, payload === undefined ? "" : String(payload));
      return reply;
    },
  };
  return reply;
}
