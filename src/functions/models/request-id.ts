import type { IncomingMessage } from "node:http";

/** The caller's id for a request, or one of our own: what its log lines carry. */
export function requestId(req: IncomingMessage): string {
  const given = req.headers["x-request-id"];
  return typeof given === "string" && given !== "" ? given : Math.random().toString(36).slice(2, 12);
}
