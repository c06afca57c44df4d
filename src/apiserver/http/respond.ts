import type { ServerResponse } from "node:http";
import { type ApiError, internalError, isApiError } from "../../api/meta/errors.ts";
import type { Logger } from "../../telemetry/logger.ts";

const jsonType = "application/json";

/** Sends a whole answer. Every answer says it must not be cached, as upstream does. */
export function send(response: ServerResponse, code: number, text: string, contentType: string = jsonType): void {
  response.statusCode = code;
  response.setHeader("Content-Type", contentType);
  response.setHeader("Cache-Control", "no-cache, private");
  response.end(text);
}

export const sendJson = (response: ServerResponse, code: number, value: unknown): void =>
  send(response, code, JSON.stringify(value));

/**
 * Sends an error as the Status it is. Anything that is no ApiError is a fault of ours: logged with its stack, answered
 * without it.
 */
export function sendError(response: ServerResponse, error: unknown, log: Logger): void {
  const { status } = asApiError(error, log);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // What is left of a body too large is not waited for.
  if (status.code === 413) response.setHeader("Connection", "close");
  const retryAfter = status.details?.retryAfterSeconds;
  if (retryAfter) response.setHeader("Retry-After", String(retryAfter));
  sendJson(response, status.code ?? 500, status);
}

export function asApiError(error: unknown, log: Logger): ApiError {
  if (isApiError(error)) return error;
  log.error("request failed", { err: error });
  return internalError(error instanceof Error ? error.message : String(error));
}

/** Text of a `Warning` header: quotes and control characters would break it. */
export function warningHeader(text: string): string {
  const printable = [...text].map((c) => (c < " " || c > "~" ? " " : c)).join("");
  return `299 - "${printable.replace(/[\\"]/g, "\\$&")}"`;
}
