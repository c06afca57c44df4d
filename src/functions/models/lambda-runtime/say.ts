import type { ServerResponse } from "node:http";
import { sendJson } from "../send.ts";

/** An answer of the Runtime API. */
export function say(res: ServerResponse, status: number, body: Readonly<Record<string, string>>): void {
  if (!res.destroyed && !res.headersSent) sendJson(res, status, body);
}
