import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { createDrain, type Drain } from "../../hosts/node/drain.ts";
import { serveModel, type TestFunction } from "../testing/serve-model.ts";
import { lambdaRuntimeModel } from "./lambda-runtime-model.ts";
import { runtimePath } from "./runtime-path.ts";

const invocations = "/2015-03-31/functions/function/invocations";

let dir: string;
const drains: Drain[] = [];
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "ebb-runtime-"));
});
beforeEach(() => void vi.spyOn(process.stdout, "write").mockReturnValue(true));
afterEach(async () => {
  vi.restoreAllMocks();
  for (const drain of drains.splice(0)) await drain.start();
});
afterAll(() => rm(dir, { recursive: true }));

/** A runtime in Python, whose answer to each event is the lines given; `post(path, body, headers)` and `event` are there. */
async function runtime(name: string, answer: string, before = ""): Promise<string> {
  const file = join(dir, name);
  const text = `#!/usr/bin/env python3
import json, os, sys, time, http.client
api = os.environ["AWS_LAMBDA_RUNTIME_API"]
def post(path, body, headers={}):
    c = http.client.HTTPConnection(api)
    c.request("POST", "/2018-06-01/runtime/" + path, body=body, headers=headers)
    return c.getresponse()
${before}
while True:
    c = http.client.HTTPConnection(api)
    c.request("GET", "/2018-06-01/runtime/invocation/next")
    r = c.getresponse()
    event, head, id = json.loads(r.read()), r.headers, r.headers["Lambda-Runtime-Aws-Request-Id"]
${answer.replaceAll(/^/gm, "    ")}
`;
  await writeFile(file, text);
  await chmod(file, 0o755);
  return file;
}

const serve = (entry: string, env: Readonly<Record<string, string>> = {}, target?: string): Promise<TestFunction> =>
  serveModel(({ exports }) => {
    // A drain of its own: what it ends is the programs, not the server.
    const drain = createDrain({ close: (done) => done?.() });
    drains.push(drain);
    const settings = target === undefined ? {} : { target };
    return lambdaRuntimeModel({ entry, exports, drain, env: { PATH: "/usr/bin:/bin", ...env }, ...settings });
  }, {});

const post = (fn: TestFunction, event: unknown, headers: Readonly<Record<string, string>> = {}) =>
  fn.call({ method: "POST", path: invocations, body: JSON.stringify(event), headers });

test("a runtime is given the event, the headers of the API and Lambda's environment", async () => {
  const answer = `
said = {k: head[k] for k in ("Lambda-Runtime-Aws-Request-Id", "Lambda-Runtime-Invoked-Function-Arn", "Lambda-Runtime-Client-Context")}
said["left"] = int(head["Lambda-Runtime-Deadline-Ms"]) / 1000 - time.time()
said["env"] = [os.environ[k] for k in ("_HANDLER", "AWS_LAMBDA_FUNCTION_NAME", "LAMBDA_TASK_ROOT", "AWS_EXECUTION_ENV")]
said["event"] = event
post("invocation/" + id + "/response", json.dumps(said))`;
  await using fn = await serve(
    await runtime("echo", answer),
    { K_SERVICE: "mine", AWS_LAMBDA_FUNCTION_TIMEOUT: "9" },
    "app.run",
  );
  const context = Buffer.from('{"a":1}').toString("base64");
  const { left, ...said } = JSON.parse(
    (await post(fn, { n: 1 }, { "x-request-id": "id-1", "x-amz-client-context": context })).text,
  );
  expect(said).toEqual({
    "Lambda-Runtime-Aws-Request-Id": "id-1",
    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:mine",
    "Lambda-Runtime-Client-Context": '{"a":1}',
    env: ["app.run", "mine", dir, "AWS_Lambda_provided.al2023"],
    event: { n: 1 },
  });
  expect(left).toBeGreaterThan(7);
  expect(left).toBeLessThanOrEqual(9);
});

test("an error that a runtime reports is the caller's, as it is", async () => {
  const body = `json.dumps({"errorType": "Sad", "errorMessage": "no", "stackTrace": ["a"]})`;
  await using fn = await serve(await runtime("sad", `post("invocation/" + id + "/error", ${body})`));
  const answer = await post(fn, {});
  expect([answer.headers["x-amz-function-error"], JSON.parse(answer.text)]).toEqual([
    "Unhandled",
    { errorType: "Sad", errorMessage: "no", stackTrace: ["a"] },
  ]);
  expect((await fn.call()).status).toBe(500);
});

test("a process that ends in a call is an error of that call alone; the next has a new one", async () => {
  const answer = `
if event.get("die"): os._exit(3)
post("invocation/" + id + "/response", str(os.getpid()))`;
  await using fn = await serve(await runtime("dies", answer));
  const first = (await post(fn, {})).text;
  expect(JSON.parse((await post(fn, { die: 1 }, { "x-request-id": "d" })).text)).toEqual({
    errorType: "Runtime.ExitError",
    errorMessage: "RequestId: d Error: Runtime exited with error: exit status 3",
  });
  const next = await post(fn, {});
  expect([next.status, next.text === first]).toEqual([200, false]);
  expect(
    (
      await fn.call({
        method: "POST",
        headers: { "content-type": "application/cloudevents+json" },
        body: '{"specversion":"1.0","id":"1","source":"s","type":"t","die":"1"}',
      })
    ).status,
  ).toBe(502);
});

test("what takes too long is ended and told so", async () => {
  await using fn = await serve(await runtime("slow", "time.sleep(20)"), { AWS_LAMBDA_FUNCTION_TIMEOUT: "0.2" });
  expect(JSON.parse((await post(fn, {}, { "x-request-id": "t" })).text)).toEqual({
    errorType: "Sandbox.Timedout",
    errorMessage: "RequestId: t Error: Task timed out after 0.20 seconds",
  });
});

test("answers to what was not asked are refused: 400 for another id, 403 for a second one, 404 for other paths", async () => {
  const answer = `
said = [post("invocation/other/response", "1").status, post("invocation/" + id + "/no-such", "1").status]
done = post("invocation/" + id + "/response", json.dumps(said)).status
open("${"$DIR"}/late", "w").write(str(post("invocation/" + id + "/response", "1").status))`.replaceAll("$DIR", dir);
  await using fn = await serve(await runtime("confused", answer));
  expect(JSON.parse((await post(fn, {})).text)).toEqual([400, 404]);
  const { readFile } = await import("node:fs/promises");
  await expect.poll(() => readFile(join(dir, "late"), "utf8").catch(() => "")).toBe("400");
});

test("a streamed response goes out piece by piece, by HTTP with its prelude, and is cut by an error in its trailers", async () => {
  const answer = `
def pieces():
    if event["rawPath"] == "/plain":
        yield b"plain"
        return
    yield b'{"statusCode":202,"headers":{"X-A":"1"},"cook'
    yield b'ies":["c=1"]}' + bytes(8) + b"one,"
    time.sleep(0.02)
    yield b"two"
kind = "text/x" if event["rawPath"] == "/plain" else "application/vnd.awslambda.http-integration-response"
c = http.client.HTTPConnection(api)
c.putrequest("POST", "/2018-06-01/runtime/invocation/" + id + "/response")
for k, v in {"Lambda-Runtime-Function-Response-Mode": "streaming", "Transfer-Encoding": "chunked", "Content-Type": kind, "Trailer": "Lambda-Runtime-Function-Error-Type"}.items(): c.putheader(k, v)
c.endheaders()
for p in pieces(): c.send(b"%x\\r\\n%s\\r\\n" % (len(p), p))
c.send(b"0\\r\\n")
if event["rawPath"] == "/cut": c.send(b"Lambda-Runtime-Function-Error-Type: Sad\\r\\n")
c.send(b"\\r\\n")
c.getresponse().read()`;
  await using fn = await serve(await runtime("streams", answer));
  const http = await fn.call();
  expect([http.status, http.headers["x-a"], http.headers["set-cookie"], http.text]).toEqual([
    202,
    "1",
    ["c=1"],
    "one,two",
  ]);
  expect(await fn.call({ path: "/plain" })).toMatchObject({ text: "plain", headers: { "content-type": "text/x" } });
  await expect(fn.call({ path: "/cut" })).rejects.toThrow();
});

test("a result beyond 6 MB is an error of its own, and 413 to the runtime", async () => {
  await using fn = await serve(
    await runtime("large", `post("invocation/" + id + "/response", b'"' + b"x" * 7000000 + b'"')`),
  );
  expect(JSON.parse((await post(fn, {})).text)).toMatchObject({ errorType: "Function.ResponseSizeTooLarge" });
});

test("a runtime that cannot begin says why, and the function does not load", async () => {
  const report = `post("init/error", json.dumps({"errorType": "NoConfig", "errorMessage": "set TABLE"})); sys.exit(1)`;
  await expect(serve(await runtime("no-init", "pass", report))).rejects.toThrow("NoConfig: set TABLE");
  await expect(serve(await runtime("exits", "pass", "sys.exit(4)"))).rejects.toThrow(
    "Runtime.ExitError: Runtime exited with error: exit status 4, before it asked for its first invocation",
  );
  await expect(serve(join(dir, "missing"))).rejects.toThrow("there is no program");
  await expect(serve("/x", { EBB_COMMAND: "no-such-command here" })).rejects.toThrow(
    '"no-such-command" could not be started',
  );
});

test.each([
  ["GET", "/2018-06-01/runtime/invocation/next", { kind: "next" }],
  ["POST", "/2018-06-01/runtime/invocation/a%20b/response", { kind: "response", id: "a b" }],
  ["POST", "/2018-06-01/runtime/invocation/x/error", { kind: "error", id: "x" }],
  ["POST", "/2018-06-01/runtime/init/error", { kind: "init-error" }],
  ["GET", "/ping", { kind: "ping" }],
  ["POST", "/2018-06-01/runtime/invocation/next", { kind: "unknown" }],
  ["GET", "/else", { kind: "unknown" }],
])("%s %s", (method, url, call) => {
  expect(runtimePath(method, url)).toEqual(call);
});
