import type { IncomingMessage } from "node:http";

const made = new WeakMap<IncomingMessage, string>();

/** The caller's id for a request, or one of our own, the same each time it is asked for: what its log lines carry. */
export function requestId(req: IncomingMessage): string {
  const given = req.headers["x-request-id"];
  if (typeof given === "string" && given !== "") return given;
  const before = made.get(req);
  if (before !== undefined) return before;
  const id = Math.random().toString(36).slice(2, 12);
  made.set(req, id);
  return id;
}
