import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ModuleExports } from "../model.ts";
import { serveModel, type TestSettings } from "../testing/serve-model.ts";
import { awslambda } from "./awslambda.ts";
import { createGate } from "../gate.ts";
import { encodeMessage } from "./event-stream.ts";
import { lambdaModel } from "./lambda-model.ts";
import { createLambdaLog } from "./lambda-log.ts";
import { lambdaEnv, readLambdaSettings } from "./lambda-settings.ts";

const invocations = "/2015-03-31/functions/function/invocations";

let printed = "";
const kept = { ...console };
beforeEach(() => {
  printed = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  Object.assign(console, kept);
});

const serve = (exports: ModuleExports, settings: TestSettings = {}) => serveModel(lambdaModel, exports, settings);

test("a direct invocation gives the event and returns JSON", async () => {
  await using fn = await serve({ handler: (event: { n: number }) => ({ twice: event.n * 2 }) });
  const answer = await fn.call({
    method: "POST",
    path: invocations,
    body: '{"n":4}',
    headers: { "x-amz-log-type": "Tail" },
  });
  expect([answer.status, answer.text, answer.headers["x-amz-executed-version"]]).toEqual([
    200,
    '{"twice":8}',
    "$LATEST",
  ]);
  expect(Buffer.from(String(answer.headers["x-amz-log-result"]), "base64").toString()).toMatch(
    /^START RequestId: .*\nEND /,
  );
});

test("nothing returned is null; no body is an empty event", async () => {
  await using fn = await serve({ handler: async (event: object) => (Object.keys(event).length === 0 ? undefined : 1) });
  expect((await fn.call({ method: "POST", path: invocations })).text).toBe("null");
});

test("an error is 200 with the error's type, message and trace, and the mark", async () => {
  class CheeseError extends Error {
    override readonly name = "CheeseError";
  }
  await using fn = await serve({
    handler: () => {
      throw new CheeseError("out of it");
    },
  });
  const answer = await fn.call({ method: "POST", path: invocations, body: "{}" });
  expect([answer.status, answer.headers["x-amz-function-error"]]).toEqual([200, "Unhandled"]);
  expect(JSON.parse(answer.text)).toMatchObject({
    errorType: "CheeseError",
    errorMessage: "out of it",
    trace: expect.arrayContaining([expect.stringContaining("lambda-model.test.ts")]),
  });
  expect(printed).toMatch(/ERROR\tInvoke Error \t\{"errorType":"CheeseError"/);
});

test.each<[string, Record<string, string>, string, number, string | undefined]>([
  ["Event", { "x-amz-invocation-type": "Event" }, "{}", 202, undefined],
  ["DryRun", { "x-amz-invocation-type": "DryRun" }, "{}", 204, undefined],
  ["an unknown type", { "x-amz-invocation-type": "Nope" }, "{}", 400, "InvalidParameterValueException"],
  ["no JSON", {}, "{", 400, "InvalidRequestContentException"],
])("the Invoke API: %s", async (_case, headers, body, status, type) => {
  await using fn = await serve({ handler: () => 1 });
  const answer = await fn.call({ method: "POST", path: invocations, headers, body });
  expect([answer.status, answer.headers["x-amzn-errortype"]]).toEqual([status, type]);
});

test("an event beyond 6 MB is 413, before it is read", async () => {
  await using fn = await serve({ handler: () => 1 });
  const answer = await fn.call({ method: "POST", path: invocations, body: Buffer.alloc(6_300_000, 32) });
  expect([answer.status, answer.headers["x-amzn-errortype"]]).toEqual([413, "RequestTooLargeException"]);
  expect((await fn.call({ method: "POST", path: "/x", body: Buffer.alloc(6_300_000, 32) })).status).toBe(413);
});

test("callbacks, context.succeed and context.fail end a call; a returned promise goes before", async () => {
  type Callback = (error: unknown, value?: unknown) => void;
  const handlers: Record<
    string,
    (event: unknown, context: { succeed(v: unknown): void; fail(e: unknown): void }, callback: Callback) => unknown
  > = {
    callback: (_event, _context, callback) => void setTimeout(() => callback(null, "called"), 5),
    error: (_event, _context, callback) => callback(new Error("no")),
    succeed: ((_event: unknown, context: { succeed(v: unknown): void }) =>
      void setTimeout(() => context.succeed("done"), 5)) as never,
    fail: ((_event: unknown, context: { fail(e: unknown): void }) => context.fail("why")) as never,
    promise: async (_event, _context, callback) => {
      setTimeout(() => callback(null, "late"), 1);
      return "early";
    },
  };
  const results: Record<string, string> = {};
  for (const [name, handler] of Object.entries(handlers)) {
    await using fn = await serve({ handler });
    results[name] = (await fn.call({ method: "POST", path: invocations, body: "{}" })).text;
  }
  expect(results).toMatchObject({ callback: '"called"', succeed: '"done"', promise: '"early"' });
  expect(JSON.parse(results["error"] ?? "")).toMatchObject({ errorType: "Error", errorMessage: "no" });
  expect(JSON.parse(results["fail"] ?? "")).toMatchObject({ errorMessage: "why" });
});

test("a function that asks for Node 24 is told what to do when it uses its callback, and only then", async () => {
  const env = { AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x" };
  const handler = (event: { use: boolean }, _context: unknown, callback: (e: unknown, v: unknown) => void): unknown =>
    event.use ? callback(null, 1) : Promise.resolve(2);
  await using fn = await serve({ handler }, { env });
  const call = async (use: boolean) =>
    (await fn.call({ method: "POST", path: invocations, body: JSON.stringify({ use }) })).text;
  expect(await call(false)).toBe("2");
  expect(JSON.parse(await call(true))).toMatchObject({
    errorType: "Runtime.CallbackHandlerDeprecated",
    errorMessage: expect.stringContaining("make the handler async"),
  });
});

test("the context says which call it is and how long it may take", async () => {
  const handler = (
    _event: unknown,
    context: Record<string, unknown> & { getRemainingTimeInMillis(): number },
  ): unknown => ({
    ...context,
    left: context.getRemainingTimeInMillis(),
  });
  await using fn = await serve(
    { handler },
    { env: { AWS_LAMBDA_FUNCTION_NAME: "mine", AWS_LAMBDA_FUNCTION_TIMEOUT: "7" } },
  );
  const clientContext = Buffer.from('{"custom":1}').toString("base64");
  const answer = await fn.call({
    method: "POST",
    path: invocations,
    body: "{}",
    headers: { "x-request-id": "id-7", "x-amz-client-context": clientContext },
  });
  const { left, ...context } = JSON.parse(answer.text);
  expect(context).toMatchObject({
    functionName: "mine",
    functionVersion: "$LATEST",
    invokedFunctionArn: "arn:aws:lambda:us-east-1:123456789012:function:mine",
    memoryLimitInMB: "1024",
    awsRequestId: "id-7",
    logGroupName: "/aws/lambda/mine",
    clientContext: { custom: 1 },
  });
  expect(left).toBeGreaterThan(6000);
  expect(left).toBeLessThanOrEqual(7000);
});

test("what takes too long is told so: the caller of an invocation, and 504 by HTTP", async () => {
  const handler = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 300));
  await using fn = await serve({ handler }, { env: { AWS_LAMBDA_FUNCTION_TIMEOUT: "0.05" } });
  const direct = await fn.call({ method: "POST", path: invocations, body: "{}", headers: { "x-request-id": "t-1" } });
  expect([direct.headers["x-amz-function-error"], JSON.parse(direct.text)]).toEqual([
    "Unhandled",
    { errorType: "Sandbox.Timedout", errorMessage: "RequestId: t-1 Error: Task timed out after 0.05 seconds" },
  ]);
  const http = await fn.call({ path: "/" });
  expect([http.status, http.text]).toEqual([504, expect.stringMatching(/^function took longer than its timeout/)]);
});

test("one call at a time; more wait their turn, and beyond the queue get 429", async () => {
  let [running, most] = [0, 0];
  const handler = async (): Promise<string> => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 20));
    running--;
    return "x";
  };
  await using fn = await serve({ handler }, { env: { EBB_LAMBDA_QUEUE: "2" } });
  const answers = await Promise.all([1, 2, 3, 4].map(() => fn.call()));
  expect(most).toBe(1);
  expect(answers.map((answer) => answer.status).sort()).toEqual([200, 200, 200, 429]);
  await using wide = await serve({ handler }, { env: { AWS_LAMBDA_MAX_CONCURRENCY: "3" } });
  most = 0;
  await Promise.all([1, 2, 3].map(() => wide.call()));
  expect(most).toBe(3);
});

test("lines of the log are Lambda's, with the request's id, as text or JSON", async () => {
  // oxlint-disable-next-line no-console -- what the function says is what is tested
  const handler = (): void => console.log("hello %s\nthere", "bob");
  await using fn = await serve({ handler });
  await fn.call({ headers: { "x-request-id": "id-1" } });
  expect(printed).toMatch(
    /^START RequestId: id-1 Version: \$LATEST\n\d{4}-.*Z\tid-1\tINFO\thello bob\rthere\nEND RequestId: id-1\nREPORT RequestId: id-1\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 1024 MB\tMax Memory Used: \d+ MB\tInit Duration: [\d.]+ ms\n$/,
  );
  printed = "";
  await using json = await serve({ handler }, { env: { AWS_LAMBDA_LOG_FORMAT: "JSON" } });
  await json.call({ headers: { "x-request-id": "id-2" } });
  const lines = printed
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines).toMatchObject([
    { type: "platform.start", record: { requestId: "id-2" } },
    { level: "INFO", requestId: "id-2", message: "hello bob\nthere" },
    { type: "platform.report", record: { requestId: "id-2", metrics: { durationMs: expect.any(Number) } } },
  ]);
});

test("Init Duration is said with the first call only", () => {
  let text = "";
  const log = createLambdaLog(readLambdaSettings({}), 12.345, (more) => (text += more));
  log.end("a", 1.5);
  log.end("b", 1.5);
  expect(text.match(/Init Duration: 12\.3[45] ms/g)).toHaveLength(1);
  expect(text).toContain("REPORT RequestId: b\tDuration: 1.5 ms\tBilled Duration: 2 ms");
});

test("a streaming function speaks HTTP by a prelude, or bytes with a type; fails midway by a cut", async () => {
  const { HttpResponseStream, streamifyResponse } = awslambda;
  interface Out {
    write(text: string): void;
    end(text?: string): void;
    setContentType(type: string): void;
  }
  const handler = streamifyResponse(async (event: { rawPath: string }, stream: Out) => {
    if (event.rawPath === "/http") {
      const out = HttpResponseStream.from(stream, {
        statusCode: 202,
        headers: { "X-A": "1" },
        cookies: ["c=1"],
      }) as Out;
      out.end("body");
    } else if (event.rawPath === "/cut") {
      stream.write("half");
      throw new Error("out of cheese");
    } else {
      stream.setContentType("text/x");
      stream.end("bytes");
    }
  });
  await using fn = await serve({ handler });
  const http = await fn.call({ path: "/http" });
  expect([http.status, http.headers["x-a"], http.headers["set-cookie"], http.text]).toEqual([
    202,
    "1",
    ["c=1"],
    "body",
  ]);
  expect(await fn.call()).toMatchObject({ status: 200, text: "bytes", headers: { "content-type": "text/x" } });
  await expect(fn.call({ path: "/cut" })).rejects.toThrow();
  const direct = await fn.call({ method: "POST", path: invocations, body: '{"rawPath":"/http"}' });
  expect(direct.text).toBe(`{"statusCode":202,"headers":{"X-A":"1"},"cookies":["c=1"]}${"\0".repeat(8)}body`);
  const events = await fn.call({
    method: "POST",
    path: "/2021-11-15/functions/f/response-streaming-invocations",
    body: '{"rawPath":"/"}',
  });
  expect(events.headers["content-type"]).toBe("application/vnd.amazon.eventstream");
  expect(events.text).toContain("PayloadChunk");
  expect(events.text).toContain("InvokeComplete");
});

test("an event stream's message has its lengths and both checksums", () => {
  const message = encodeMessage({ a: "b" }, Buffer.from("xyz"));
  // Lengths, CRC of these; name length, name, type 7, value length, value; payload; CRC of all.
  expect(message.toString("hex")).toMatch(/^0000001900000006[0-9a-f]{8}01610700016278797a[0-9a-f]{8}$/);
  expect(message.length).toBe(25);
});

test("a gate lets in as many as it should, in order", async () => {
  const gate = createGate(1, 1);
  const first = await gate.enter();
  const second = gate.enter();
  expect(gate.enter()).toBeUndefined();
  first?.();
  first?.();
  const release = await second;
  const third = gate.enter();
  expect(third).toBeDefined();
  release?.();
  (await third)?.();
});

test.each<[string, ModuleExports, TestSettings, RegExp]>([
  [
    "a missing export",
    { other: () => 1 },
    {},
    /Runtime\.HandlerNotFound: index\.handler is undefined or not exported: the module exports other/,
  ],
  ["an export that is no function", { handler: 3 }, {}, /Runtime\.HandlerNotFound: index\.handler is not a function/],
  [
    "a malformed handler",
    { handler: () => 1 },
    { target: "index." },
    /Runtime\.MalformedHandlerName: "index\." is no handler/,
  ],
  [
    "an unknown event shape",
    { handler: () => 1 },
    { env: { EBB_LAMBDA_EVENT: "v3" } },
    /EBB_LAMBDA_EVENT is "v3": use one of url, api-v2/,
  ],
  [
    "a timeout beyond a quarter of an hour",
    { handler: () => 1 },
    { env: { AWS_LAMBDA_FUNCTION_TIMEOUT: "901" } },
    /it must be above 0 and at most 900/,
  ],
])("%s is refused with what to do", async (_case, exports, settings, message) => {
  await expect(serve(exports, settings)).rejects.toThrow(message);
});

test("handler strings reach nested exports, also of CommonJS modules", async () => {
  await using fn = await serve({ default: { api: { get: () => "nested" } } }, { target: "src/app.api.get" });
  expect((await fn.call({ method: "POST", path: invocations, body: "{}" })).text).toBe('"nested"');
});

test("the environment has what Lambda's runtimes set, and keeps what the function was given", () => {
  const env = lambdaEnv({ K_SERVICE: "mine", AWS_REGION: "eu-west-1" }, "/app");
  expect(env).toMatchObject({
    AWS_LAMBDA_FUNCTION_NAME: "mine",
    LAMBDA_TASK_ROOT: "/app",
    AWS_DEFAULT_REGION: "eu-west-1",
    _HANDLER: "index.handler",
  });
  expect(env).not.toHaveProperty("AWS_REGION");
});
