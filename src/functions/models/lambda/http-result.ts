import type { EventShape } from "./http-event.ts";

/** A function's result as an HTTP response. */
export interface HttpResult {
  readonly status: number;
  /** A list is sent as several fields. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string | Buffer;
}

interface ResultShape {
  readonly statusCode?: unknown;
  readonly headers?: unknown;
  readonly multiValueHeaders?: unknown;
  readonly cookies?: unknown;
  readonly body?: unknown;
  readonly isBase64Encoded?: unknown;
}

/**
 * The value a function returned, by the shape its event had. Only version 2.0 takes values that are no response: as the
 * body, 200, JSON (text as it is). Throws TypeError that says what is wrong with it.
 */
export function toHttpResult(shape: EventShape, value: unknown): HttpResult {
  const version2 = shape === "url" || shape === "api-v2";
  if (typeof value === "object" && value !== null && "statusCode" in value) return fromResponse(value as ResultShape);
  if (!version2)
    throw new TypeError(
      `the function returned ${describe(value)}: an event of ${shape} is answered by an object with statusCode`,
    );
  const body = typeof value === "string" ? value : (JSON.stringify(value) ?? "null");
  return { status: 200, headers: { "content-type": "application/json" }, body };
}

/** What a streaming function says before the body. Throws TypeError. */
export function fromPrelude(prelude: unknown): Omit<HttpResult, "body"> {
  if (typeof prelude !== "object" || prelude === null) throw new TypeError("the response's prelude is no object");
  const { status, headers } = fromResponse({ statusCode: 200, ...(prelude as ResultShape), body: "" });
  return { status, headers };
}

function fromResponse(shape: ResultShape): HttpResult {
  const status = Number(shape.statusCode);
  if (!Number.isInteger(status) || status < 200 || status > 599)
    throw new TypeError(
      `the function returned statusCode ${JSON.stringify(shape.statusCode)}: it must be from 200 to 599`,
    );
  const headers = headersOf(shape);
  const { body = "" } = shape;
  if (body !== null && typeof body !== "string")
    throw new TypeError(`the function returned a body that is ${describe(body)}: it must be text (JSON.stringify it)`);
  const text = body ?? "";
  headers["content-type"] ??= "application/json";
  return { status, headers, body: shape.isBase64Encoded === true ? Buffer.from(text, "base64") : text };
}

function headersOf({ headers, multiValueHeaders, cookies }: ResultShape): Record<string, string | string[]> {
  const result: Record<string, string | string[]> = {};
  const put = (name: string, value: unknown): void => {
    const key = name.toLowerCase();
    // The length is ours to say.
    if (value === undefined || value === null || key === "content-length") return;
    result[key] = Array.isArray(value) ? value.map(String) : String(value);
  };
  for (const from of [headers, multiValueHeaders]) {
    if (from === undefined || from === null) continue;
    if (typeof from !== "object") throw new TypeError("the function returned headers that are no object");
    for (const [name, value] of Object.entries(from)) put(name, value);
  }
  if (Array.isArray(cookies)) {
    const already = result["set-cookie"];
    result["set-cookie"] = [...(already === undefined ? [] : [already].flat()), ...cookies.map(String)];
  }
  return result;
}

const describe = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "a list" : value === undefined ? "nothing" : `a ${typeof value}`;
