/**
 * What every programming model must do, as data: each host runs these against its own fixtures, one folder per model
 * under fixtures/<host>/<model>/, all written to the same contract (README.md).
 */

/** What a model can express; a case is run for models that have all it needs. */
export type Trait =
  /** Sees the request's path, query and method. */
  | "request"
  /** Sees request headers. */
  | "headers"
  /** Chooses the status. */
  | "status"
  /** Sets response headers and several cookies. */
  | "response-headers"
  /** Can answer with bytes. */
  | "bytes"
  /** Its answer has a type by itself: JSON for objects. */
  | "json"
  /** Sends the answer piece by piece. */
  | "streams"
  /** Reads bodies of any size. */
  | "large"
  /** Hears that the caller has left. */
  | "cancels"
  /** An answer of the wrong kind is an error. */
  | "checks-answers"
  /** Several requests run at once. */
  | "concurrent"
  /** Honours the host's EBB_TIMEOUT, EBB_CONCURRENCY, EBB_BODY_LIMIT and EBB_LOG_FORMAT. */
  | "limits"
  /** Takes CloudEvents and can reply with one. */
  | "events"
  /** Takes nothing else. */
  | "events-only";

export interface HttpCase {
  readonly name: string;
  readonly needs: readonly Trait[];
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly expect: {
    readonly status: number;
    /** Exact values; a pattern where models may differ in letter case or parameters. */
    readonly headers?: Readonly<Record<string, string | RegExp>>;
    readonly cookies?: readonly string[];
    readonly body?: string | Uint8Array;
    /** The JSON body has at least this. */
    readonly json?: object;
  };
}

const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 7) % 256);

export const httpCases: readonly HttpCase[] = [
  {
    name: "method, path and query arrive",
    needs: ["request"],
    path: "/echo/a%20b/c?x=1&x=2&empty=&z=%C3%BC",
    expect: { status: 200, json: { method: "GET", path: "/echo/a%20b/c", query: { x: "1,2", empty: "", z: "ü" } } },
  },
  ...["POST", "PUT", "PATCH", "DELETE", "OPTIONS"].map((method): HttpCase => ({
    name: `${method} is passed on`,
    needs: ["request"],
    method,
    path: "/echo",
    body: "x",
    expect: { status: 200, json: { method } },
  })),
  {
    name: "HEAD gives the headers and no body",
    needs: ["request", "status"],
    method: "HEAD",
    path: "/text",
    expect: { status: 200, body: "" },
  },
  {
    name: "request headers arrive",
    needs: ["headers"],
    method: "POST",
    path: "/echo",
    headers: { "x-mixed-Case": "one", accept: "text/x", "x-request-id": "r-17", traceparent: "00-a-b-01" },
    body: "x",
    expect: {
      status: 200,
      json: { headers: { "x-mixed-case": "one", accept: "text/x", "x-request-id": "r-17", traceparent: "00-a-b-01" } },
    },
  },
  {
    name: "a text body arrives",
    needs: [],
    method: "POST",
    path: "/echo",
    headers: { "content-type": "text/plain; charset=utf-8" },
    body: "grüße 🎈",
    expect: { status: 200, json: { text: "grüße 🎈" } },
  },
  {
    name: "a JSON body arrives",
    needs: [],
    method: "POST",
    path: "/echo",
    headers: { "content-type": "application/json" },
    body: '{"a":[1,{"b":null}]}',
    expect: { status: 200, json: { json: { a: [1, { b: null }] } } },
  },
  {
    name: "an empty body is no error",
    needs: [],
    method: "POST",
    path: "/echo",
    headers: { "content-length": "0" },
    expect: { status: 200, json: { text: "" } },
  },
  {
    name: "bytes go in and come out unchanged",
    needs: ["bytes"],
    method: "POST",
    path: "/bytes",
    headers: { "content-type": "application/octet-stream" },
    body: bytes,
    expect: { status: 200, headers: { "content-type": /^application\/octet-stream/ }, body: bytes },
  },
  {
    name: "text is labelled as text",
    needs: ["status"],
    path: "/text",
    expect: { status: 200, headers: { "content-type": /^text\/plain/ }, body: "hello" },
  },
  {
    name: "an object is JSON",
    needs: ["json"],
    path: "/json",
    expect: { status: 200, headers: { "content-type": /^application\/json/ }, body: '{"ok":true}' },
  },
  ...[201, 404, 418, 503].map((status): HttpCase => ({
    name: `the function's status ${status} is the answer's`,
    needs: ["status"],
    path: `/status/${status}`,
    expect: { status, body: `status ${status}` },
  })),
  {
    name: "headers and both cookies are set",
    needs: ["response-headers"],
    path: "/headers",
    expect: { status: 200, headers: { "x-one": "1" }, cookies: ["a=1; Path=/", "b=2"] },
  },
  { name: "what is thrown becomes 500", needs: [], path: "/throw", expect: { status: 500 } },
  { name: "what is rejected becomes 500", needs: [], path: "/reject", expect: { status: 500 } },
  {
    name: "an answer of the wrong kind becomes 500",
    needs: ["checks-answers"],
    path: "/wrong",
    expect: { status: 500 },
  },
  {
    name: "a status that does not exist becomes 500",
    needs: ["status", "checks-answers"],
    path: "/status/9999",
    expect: { status: 500 },
  },
];

export interface EventCase {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly expect: {
    readonly status: number;
    readonly headers?: Readonly<Record<string, string | RegExp>>;
    readonly json?: unknown;
    /** The body says what is wrong. */
    readonly says?: RegExp;
  };
}

const binary = (type: string, more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  "ce-specversion": "1.0",
  "ce-id": "e-1",
  "ce-source": "/test",
  "ce-type": type,
  ...more,
});

const reply = { "ce-specversion": "1.0", "ce-type": "echoed", "ce-source": "/echo", "ce-id": "r-e-1" };

export const eventCases: readonly EventCase[] = [
  {
    name: "an event in binary mode, and the reply",
    headers: binary("echo", { "ce-subject": "caf%C3%A9", "ce-ext": "7", "content-type": "application/json" }),
    body: '{"n":1}',
    expect: {
      status: 200,
      headers: { ...reply, "content-type": /^application\/json/ },
      json: { got: { n: 1 }, subject: "café", ext: "7" },
    },
  },
  {
    name: "an event in structured mode",
    headers: { "content-type": "application/cloudevents+json; charset=utf-8" },
    body: JSON.stringify({ specversion: "1.0", id: "e-1", source: "/test", type: "echo", data: { n: 2 } }),
    expect: { status: 200, headers: reply, json: { got: { n: 2 } } },
  },
  {
    name: "no reply is 204",
    headers: binary("nothing"),
    expect: { status: 204 },
  },
  {
    name: "a handler that throws is 500, so that the event comes again",
    headers: binary("throw", { "content-type": "application/json" }),
    body: "{}",
    expect: { status: 500 },
  },
  {
    name: "an event without an id is 400, and the answer names it",
    headers: { "ce-specversion": "1.0", "ce-source": "/test", "ce-type": "echo" },
    expect: { status: 400, says: /id/ },
  },
  {
    name: "an unknown version of the specification is 400",
    headers: { ...binary("echo"), "ce-specversion": "7.7" },
    expect: { status: 400, says: /7\.7/ },
  },
  {
    name: "a structured event that is no JSON is 400",
    headers: { "content-type": "application/cloudevents+json" },
    body: "{nope",
    expect: { status: 400, says: /JSON/ },
  },
  {
    name: "data that is not the JSON it says is 400",
    headers: binary("echo", { "content-type": "application/json" }),
    body: "{nope",
    expect: { status: 400, says: /JSON/ },
  },
];
