import { expect, test } from "vitest";
import { serveModel, type Answer } from "../testing/serve-model.ts";
import type { KnativeContext } from "./context.ts";
import { createFunctionLog } from "./function-log.ts";
import { knativeModel } from "./knative-model.ts";

const event = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t" };

test.each<[string, unknown, Partial<Answer>]>([
  ["nothing", undefined, { status: 204, text: "" }],
  ["an empty text", "", { status: 204 }],
  ["zero", 0, { status: 204 }],
  ["false", false, { status: 204 }],
  ["text", "hi", { status: 200, text: "hi" }],
  ["a number", 7, { status: 200, text: "7" }],
  ["a list", [1, 2], { status: 200, text: "[1,2]" }],
  ["an object", { a: 1 }, { status: 200, text: '{"a":1}' }],
  ["bytes", Buffer.from("xyz"), { status: 200, text: "xyz" }],
  ["a status alone", { statusCode: 202 }, { status: 202, text: "" }],
  [
    "a whole response",
    { statusCode: 201, headers: { "X-A": "b" }, body: { ok: 1 } },
    { status: 201, text: '{"ok":1}' },
  ],
  ["a body of text", { body: "plain" }, { status: 200, text: "plain" }],
])("a function that returns %s", async (_case, value, wanted) => {
  await using fn = await serveModel(knativeModel, { handle: () => value });
  expect(await fn.call()).toMatchObject(wanted);
});

test("text is text/plain and objects are JSON, unless headers say otherwise", async () => {
  const values: Record<string, unknown> = {
    "/text": { body: "x" },
    "/json": { a: 1 },
    "/own": { body: "<p>", headers: { "Content-Type": "text/html" } },
  };
  await using fn = await serveModel(knativeModel, { handle: ({ path }: KnativeContext) => values[path] });
  const types = [];
  for (const path of Object.keys(values)) types.push((await fn.call({ path })).headers["content-type"]);
  expect(types).toEqual(["text/plain; charset=utf-8", "application/json; charset=utf-8", "text/html"]);
});

test.each<[string, string | undefined, string, unknown]>([
  ["JSON", "application/json", '{"a":1}', { a: 1 }],
  [
    "a form",
    "application/x-www-form-urlencoded",
    "a=1&b[]=2&b[]=3&c[d]=4&e=5&e=6",
    { a: "1", b: ["2", "3"], c: { d: "4" }, e: ["5", "6"] },
  ],
  ["text", "text/csv", "a,b", "a,b"],
  ["nothing", undefined, "", undefined],
])("the body as %s", async (_case, type, body, wanted) => {
  let seen: unknown = "nothing yet";
  await using fn = await serveModel(knativeModel, {
    handle: (_context: unknown, given: unknown) => void (seen = given),
  });
  await fn.call({ method: "POST", body, headers: type === undefined ? {} : { "content-type": type } });
  expect(seen).toEqual(wanted);
});

test("other bodies arrive as bytes; rawBody only when asked for", async () => {
  const seen: unknown[] = [];
  const handle = (context: KnativeContext, body: unknown): void => void seen.push(body, context.rawBody);
  await using fn = await serveModel(knativeModel, { handle }, { env: { FUNC_INCLUDE_RAW: "true" } });
  await fn.call({ method: "POST", body: "abc", headers: { "content-type": "image/png" } });
  expect(seen).toEqual([Buffer.from("abc"), "abc"]);
});

test("query parameters are on the context where nothing else has the name", async () => {
  let context: KnativeContext | undefined;
  await using fn = await serveModel(knativeModel, { handle: (given: KnativeContext) => void (context = given) });
  await fn.call({ path: "/x?name=bob&headers=evil&body=evil&__proto__=evil", headers: { "x-a": "1" } });
  expect(context?.["name"]).toBe("bob");
  expect([context?.headers["x-a"], context?.body, context?.path]).toEqual(["1", undefined, "/x"]);
  expect(context?.query).toMatchObject({ name: "bob", headers: "evil", body: "evil" });
});

test.each<[string, unknown, number, string | RegExp]>([
  ["an error", new Error("secret"), 500, /^function failed, request \w+\n$/],
  [
    "an error with a 4xx status: the message is the answer",
    Object.assign(new Error("no such cat"), { statusCode: 404 }),
    404,
    "no such cat\n",
  ],
  ["an error with a 5xx status", Object.assign(new Error("secret"), { status: 503 }), 503, /^function failed/],
  [
    "an error with a code of the system's",
    Object.assign(new Error("secret"), { code: "ECONNREFUSED" }),
    500,
    /^function failed/,
  ],
  ["nothing at all", undefined, 500, /^function failed/],
])("a function that throws %s", async (_case, error, status, text) => {
  await using fn = await serveModel(knativeModel, {
    handle: () => {
      throw error;
    },
  });
  const answer = await fn.call();
  expect(answer.status).toBe(status);
  expect(answer.text).toMatch(text);
});

test("a body that is not the JSON it says, or too long, never reaches the function", async () => {
  let calls = 0;
  await using fn = await serveModel(knativeModel, { handle: () => calls++ }, { env: { FUNC_BODY_LIMIT: "10" } });
  const bad = await fn.call({ method: "POST", body: "{", headers: { "content-type": "application/json" } });
  expect([bad.status, bad.text]).toEqual([400, expect.stringMatching(/^the body is not JSON/)]);
  const long = await fn.call({ method: "POST", body: "x".repeat(11), headers: { "content-type": "text/plain" } });
  expect([long.status, long.text]).toEqual([
    413,
    "the request's body is longer than the 10 bytes this function takes\n",
  ]);
  expect(calls).toBe(0);
});

test("health paths are there without hooks, asked of hooks, and moved by .path and environment", async () => {
  await using plain = await serveModel(knativeModel, { handle: () => "fn" });
  expect((await plain.call({ path: "/health/liveness" })).status).toBe(200);
  const readiness = Object.assign(
    (_req: unknown, reply: { code(n: number): { send(s: string): void } }) => reply.code(503).send("later"),
    {
      path: "/am-i-ready",
    },
  );
  const exports = { handle: () => "fn", liveness: () => false, readiness };
  await using fn = await serveModel(knativeModel, exports, {
    env: { LIVENESS_URL: "/alive", METRICS_URL: "/metrics" },
  });
  expect((await fn.call({ path: "/alive" })).status).toBe(503);
  expect(await fn.call({ path: "/am-i-ready" })).toMatchObject({ status: 503, text: "later" });
  expect((await fn.call({ path: "/health/liveness" })).text).toBe("fn");
  expect((await fn.call({ path: "/metrics" })).text).toContain("faas_invocations_total 1\n");
});

test("browsers are answered: any origin by default, else those that cors() lists", async () => {
  const preflight = {
    method: "OPTIONS",
    headers: { origin: "https://a.example", "access-control-request-method": "PUT" },
  };
  await using open = await serveModel(knativeModel, { handle: () => "x" });
  const answer = await open.call(preflight);
  expect([answer.status, answer.headers["access-control-allow-origin"]]).toEqual([204, "*"]);
  expect(answer.headers["access-control-allow-methods"]).toContain("PUT");
  await using listed = await serveModel(knativeModel, { handle: () => "x", cors: () => ["https://a.example"] });
  expect((await listed.call(preflight)).headers["access-control-allow-origin"]).toBe("https://a.example");
  const other = await listed.call({ headers: { origin: "https://b.example" } });
  expect([other.status, other.headers["access-control-allow-origin"]]).toEqual([200, undefined]);
});

test("an event is the second argument; a returned event is the reply, in binary mode", async () => {
  const handle = (context: KnativeContext, ce: { readonly data: unknown }): unknown =>
    context.cloudEventResponse({ got: ce.data }).id("7").type("re").source("/me").response();
  await using fn = await serveModel(knativeModel, { handle });
  const answer = await fn.call({
    method: "POST",
    headers: { ...event, "content-type": "application/json" },
    body: "1",
  });
  expect([answer.status, answer.headers["ce-type"], answer.headers["ce-id"], answer.text]).toEqual([
    200,
    "re",
    "7",
    '{"got":1}',
  ]);
});

test.each([
  [{ logLevel: "loud" }, /the log level "loud" does not exist: use trace, debug/],
  [{ cors: () => "x" }, /cors\(\) must return a list/],
  [{ handle: undefined, other: 1 }, /does not export the function handle \(it exports handle, other\)/],
])("refuses %j with what to do", async (exports, message) => {
  await expect(serveModel(knativeModel, { handle: () => "x", ...exports })).rejects.toThrow(message);
});

test("the log writes JSON lines from its level up, called in pino's ways", () => {
  const lines: Record<string, unknown>[] = [];
  const log = createFunctionLog("info", { reqId: "r" }, (line) => lines.push(JSON.parse(line)));
  log.debug("not this");
  log.info("hello %s", "bob");
  log.warn({ a: 1 }, "with fields");
  log.error(new Error("broken"));
  const circle: Record<string, unknown> = {};
  circle["self"] = circle;
  log.info(circle);
  expect(lines.map(({ time: _time, ...rest }) => rest)).toMatchObject([
    { level: 30, reqId: "r", msg: "hello bob" },
    { level: 40, a: 1, msg: "with fields" },
    { level: 50, msg: "broken", err: { type: "Error", message: "broken" } },
    { level: 30, self: { self: "[seen]" } },
  ]);
});
