import type { Writable } from "node:stream";
import { toSourceLines } from "../../hosts/node/source-lines.ts";

/** One call of a function, whichever way it came. */
export interface Invocation {
  readonly id: string;
  readonly event: unknown;
  /** Milliseconds since the epoch. */
  readonly deadlineMs: number;
  readonly clientContext?: unknown;
  /** `Root=1-…;Parent=…;Sampled=1` */
  readonly traceId?: string;
  /**
   * Where a streaming function writes; opened once, when it first writes or ends. With a prelude the function speaks HTTP:
   * status, headers and cookies before the body.
   */
  readonly openStream: (head: StreamHead) => Writable;
}

export type StreamHead =
  | { readonly kind: "bytes"; readonly contentType: string }
  | { readonly kind: "http"; readonly prelude: unknown };

export type Outcome =
  | { readonly kind: "value"; readonly value: unknown }
  /** The body of the answer as JSON, not parsed. */
  | { readonly kind: "json"; readonly json: Buffer }
  | { readonly kind: "streamed" }
  | { readonly kind: "error"; readonly error: FunctionError }
  | { readonly kind: "timeout"; readonly error: FunctionError }
  /** More at once than is allowed, and the queue is full. */
  | { readonly kind: "throttled" };

/** The error as callers and logs get it. Node's runtime says `trace`, others `stackTrace`. */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
  readonly stackTrace?: unknown;
  readonly requestId?: string;
}

export type Invoke = (invocation: Invocation) => Promise<Outcome>;

export function timedOut(id: string, timeoutMs: number): FunctionError {
  const seconds = (timeoutMs / 1000).toFixed(2);
  return {
    errorType: "Sandbox.Timedout",
    errorMessage: `RequestId: ${id} Error: Task timed out after ${seconds} seconds`,
  };
}

/** Whatever was thrown: an error's class name and message, or the value itself. */
export function toFunctionError(error: unknown): FunctionError {
  if (
    error instanceof Error ||
    (typeof error === "object" && error !== null && "message" in error && "stack" in error)
  ) {
    const { name, message, stack } = error as Error;
    return { errorType: name, errorMessage: message, trace: toSourceLines(String(stack ?? message)).split("\n") };
  }
  return {
    errorType: typeof error,
    errorMessage: typeof error === "string" ? error : (JSON.stringify(error) ?? "undefined"),
    trace: [],
  };
}
