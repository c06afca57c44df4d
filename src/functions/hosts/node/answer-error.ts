import type { IncomingMessage, ServerResponse } from "node:http";
import { requestId } from "../../models/request-id.ts";

/**
 * 500, or another status of the kind, with the request's id and nothing of the error; the stack goes to the log under the same id. When the response
 * has begun, the connection is cut: a clean end would pass for a whole answer.
 */
export function answerError(req: IncomingMessage, res: ServerResponse, error: unknown, status = 500): void {
  const id = requestId(req);
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`request ${id} ${req.method} ${req.url} failed: ${stack}\n`);
  if (res.headersSent) {
    res.destroy();
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
