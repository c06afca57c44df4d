import type { IncomingMessage } from "node:http";
import type { Writable } from "node:stream";
import { mediaType } from "../../../api/cloudevents/cloud-event.ts";
import type { FunctionError, Invocation, Outcome } from "../lambda/invocation.ts";

const streamedHttp = "application/vnd.awslambda.http-integration-response";

/** The answer a runtime posts: whole, or piece by piece when its headers say so. Never rejects. */
export async function readResponse(req: IncomingMessage, invocation: Invocation, limit: number): Promise<Outcome> {
  try {
    const streams = req.headers["lambda-runtime-function-response-mode"] === "streaming";
    return streams ? await readStream(req, invocation) : await readWhole(req, limit);
  } catch (error) {
    const errorMessage = error instanceof Error ? error.message : String(error);
    return { kind: "error", error: { errorType: "Runtime.TruncatedResponse", errorMessage } };
  }
}

async function readWhole(req: IncomingMessage, limit: number): Promise<Outcome> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req) {
    size += (chunk as Buffer).length;
    if (size <= limit) chunks.push(chunk as Buffer);
  }
  if (size <= limit) return { kind: "json", json: Buffer.concat(chunks) };
  const errorMessage = `Response payload size exceeded maximum allowed payload size (${limit} bytes).`;
  return { kind: "error", error: { errorType: "Function.ResponseSizeTooLarge", errorMessage } };
}

async function readStream(req: IncomingMessage, { openStream }: Invocation): Promise<Outcome> {
  const type = req.headers["content-type"] ?? "application/octet-stream";
  let head = mediaType(type) === streamedHttp ? Buffer.alloc(0) : undefined;
  let out: Writable | undefined = head ? undefined : openStream({ kind: "bytes", contentType: type });
  for await (const chunk of req) {
    if (out) await write(out, chunk as Buffer);
    else {
      head = Buffer.concat([head ?? Buffer.alloc(0), chunk as Buffer]);
      const end = head.indexOf(preludeEnd);
      if (end < 0) continue;
      out = openStream({ kind: "http", prelude: JSON.parse(head.subarray(0, end).toString("utf8")) });
      const rest = head.subarray(end + preludeEnd.length);
      if (rest.length > 0) await write(out, rest);
    }
  }
  const failed = req.trailers["lambda-runtime-function-error-type"];
  if (failed !== undefined) return { kind: "error", error: fromTrailers(failed, req) };
  if (!out) throw new Error("the response ended within its prelude");
  out.end();
  return { kind: "streamed" };
}

const preludeEnd = Buffer.alloc(8);

function fromTrailers(errorType: string, req: IncomingMessage): FunctionError {
  const body = req.trailers["lambda-runtime-function-error-body"];
  const text = body === undefined ? "" : Buffer.from(body, "base64").toString("utf8");
  return { errorMessage: text, ...parseReport(text), errorType };
}

function write(out: Writable, chunk: Buffer): Promise<void> | undefined {
  if (out.destroyed || out.write(chunk)) return undefined;
  return new Promise((resolve) => {
    const done = (): void => {
      out.off("drain", done);
      out.off("close", done);
      resolve();
    };
    out.once("drain", done);
    out.once("close", done);
  });
}

/** What a runtime reports of a failure; whatever it leaves out is made up for. */
export async function readReport(req: IncomingMessage): Promise<FunctionError> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString("utf8");
  const header = req.headers["lambda-runtime-function-error-type"];
  const type = typeof header === "string" ? header : "Runtime.Unknown";
  return { errorType: type, errorMessage: text, ...parseReport(text) };
}

function parseReport(text: string): Partial<FunctionError> {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === "object" && value !== null ? (value as Partial<FunctionError>) : {};
  } catch {
    return {};
  }
}
