/** How doors that take events answer: the same for brokers, channels and sinks. */
import type { ServerResponse } from "node:http";
import type { Logger } from "../../telemetry/logger.ts";
import { StoreFailure } from "../log/event-store.ts";

export interface Reply {
  readonly status: number;
  /** Text for people; `body` is for programs. */
  readonly message?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** CloudEvents HTTP webhook 1.0 §4: who asks may deliver, at any rate. */
export const handshake = (origin: string | readonly string[] | undefined): Reply => ({
  status: 200,
  headers: {
    allow: "POST, OPTIONS",
    "webhook-allowed-origin": typeof origin === "string" ? origin : "*",
    "webhook-allowed-rate": "*",
  },
});

/** What a sender hears of an error: 400 for an event that is none, 507 and 503 for a log that cannot be written. */
export function failure(error: unknown, log: Logger): Reply {
  if (error instanceof Error && error.name === "CloudEventError") return { status: 400, message: error.message };
  if (error instanceof StoreFailure) {
    if (error.kind === "large") return { status: 413, message: error.message };
    log.error("events could not be stored", { err: error });
    const status = error.kind === "full" ? 507 : 503;
    return { status, message: error.message, headers: { "retry-after": "5" } };
  }
  if ((error as { readonly code?: unknown } | null)?.code === "ECONNRESET") return { status: 400, message: "cut off" };
  log.error("an event could not be taken", { err: error });
  return { status: 500, message: "the event could not be taken: see the log of ebb" };
}

export function send(response: ServerResponse, { status, message, headers, body }: Reply): void {
  if (response.destroyed) return;
  const text = message === undefined ? body : `${message}\n`;
  if (text === undefined) {
    response.writeHead(status, { ...headers, "content-length": "0" }).end();
    return;
  }
  response
    .writeHead(status, {
      ...(message === undefined ? {} : { "content-type": "text/plain; charset=utf-8" }),
      ...headers,
      "content-length": String(Buffer.byteLength(text)),
    })
    .end(text);
}
