import type { IncomingMessage, ServerResponse } from "node:http";
import { describeError } from "./source-lines.ts";
import { requestId } from "../../models/request-id.ts";

/**
 * 500, or another status of the kind, with the request's id and nothing of the error; the stack goes to the log under the same id. When the response
 * has begun, the connection is cut: a clean end would pass for a whole answer.
 */
export function answerError(req: IncomingMessage, res: ServerResponse, error: unknown, status = 500): void {
  const id = requestId(req);
  const text = `request ${id} ${req.method} ${req.url} failed: ${describeError(error)}`;
  process.stderr.write(process.env["EBB_LOG_FORMAT"] === "json" ? asJson(id, text) : `${text}\n`);
  if (res.headersSent) {
    // Answered in its place already (too late, too long): nothing is to be cut.
    if (!res.writableEnded) res.destroy();
    return;
  }
  const body = `function failed, request ${id}\n`;
  res.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(body),
    "x-request-id": id,
  });
  res.end(body);
}

const asJson = (requestId: string, msg: string): string =>
  `${JSON.stringify({ time: new Date().toISOString(), level: "error", msg, requestId })}\n`;
