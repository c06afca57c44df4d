import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * 500 with the request's id and nothing of the error; the stack goes to the log under the same id. When the response
 * has begun, the connection is cut: a clean end would pass for a whole answer.
 */
export function answerError(req: IncomingMessage, res: ServerResponse, error: unknown): void {
  const given = req.headers["x-request-id"];
  const id = typeof given === "string" ? given : Math.random().toString(36).slice(2, 12);
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`request ${id} ${req.method} ${req.url} failed: ${stack}\n`);
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const body = `function failed, request ${id}\n`;
  res.writeHead(500, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(body),
    "x-request-id": id,
  });
  res.end(body);
}
