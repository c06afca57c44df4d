import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createDrain } from "../../hosts/node/drain.ts";
import type { ServedFunction } from "../model.ts";
import { serveModel, type TestFunction } from "../testing/serve-model.ts";
import { requestEnv } from "./request-env.ts";
import { stdioModel } from "./stdio-model.ts";
import { toMs } from "./stdio-settings.ts";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "ebb-stdio-"));
});
afterAll(() => rm(dir, { recursive: true }));

const path = { PATH: "/usr/bin:/bin" };

async function script(name: string, text: string, mode = 0o755): Promise<string> {
  const file = join(dir, name);
  await writeFile(file, `#!/bin/sh\n${text}\n`);
  await chmod(file, mode);
  return file;
}

const serve = (entry: string, env: Readonly<Record<string, string>> = {}): Promise<TestFunction> =>
  serveModel(({ exports, drain }) => stdioModel({ entry, exports, drain, env: { ...path, ...env } }), {});

test("what a program reads and writes is the request and the answer", async () => {
  await using fn = await serve(
    await script("upper", 'echo "$Http_Method $Http_Path?$Http_Query $Http_X_Call_Id"; tr a-z A-Z'),
  );
  const answer = await fn.call({ method: "PATCH", path: "/a?b=1", headers: { "x-call-id": "7" }, body: "hello" });
  expect(answer).toMatchObject({ status: 200, text: "PATCH /a?b=1 7\nHELLO" });
  expect(answer.headers["x-duration-seconds"]).toMatch(/^0\.\d{6}$/);
});

test("fprocess says the command, content_type the answer's type", async () => {
  await using fn = await serve("/nowhere", { fprocess: "wc -c", content_type: "text/count" });
  const answer = await fn.call({ method: "POST", body: "12345" });
  expect([answer.text.trim(), answer.headers["content-type"]]).toEqual(["5", "text/count"]);
});

test("a program that does not end well is 500, with nothing of what it wrote; when streaming, the answer is cut", async () => {
  const file = await script("fails", "echo half; echo secret >&2; exit 3");
  await using fn = await serve(file);
  const answer = await fn.call({ headers: { "x-request-id": "r-3" } });
  expect([answer.status, answer.text]).toEqual([500, "function failed, request r-3\n"]);
  await using streaming = await serve(file, { mode: "streaming" });
  await expect(streaming.call()).rejects.toThrow();
});

test("classic mode: standard error belongs to the answer, which has the request's type", async () => {
  await using fn = await serve(await script("both", "echo out; sleep 0.05; echo err >&2"), { mode: "classic" });
  const answer = await fn.call({ method: "POST", body: "{}", headers: { "content-type": "application/json" } });
  expect([answer.text, answer.headers["content-type"]]).toEqual(["out\nerr\n", "application/json"]);
});

test("what takes longer than exec_timeout is ended, with its children, and answered 504", async () => {
  await using fn = await serve(await script("slow", "sleep 30"), { exec_timeout: "100ms" });
  const began = performance.now();
  expect((await fn.call()).status).toBe(504);
  expect(performance.now() - began).toBeLessThan(5000);
});

test("a caller that leaves ends the program", async () => {
  const mark = join(dir, "left");
  const file = await script(
    "waits",
    `trap 'echo left > ${mark}; exit 0' TERM; echo begun; while :; do sleep 0.05; done`,
  );
  await using fn = await serve(file, { mode: "streaming" });
  const sent = request({ port: fn.port, host: "127.0.0.1" }, (res) => res.once("data", () => sent.destroy()));
  sent.on("error", () => undefined).end();
  const { readFile } = await import("node:fs/promises");
  await expect.poll(() => readFile(mark, "utf8").catch(() => ""), { timeout: 5000 }).toBe("left\n");
});

test("beyond max_inflight it is 429, and the readiness probe says so", async () => {
  await using fn = await serve(await script("half-second", "sleep 0.5"), { max_inflight: "1" });
  const first = fn.call();
  await expect.poll(async () => (await fn.call({ path: "/_/ready" })).status).toBe(429);
  const second = await fn.call();
  expect([second.status, second.headers["x-openfaas-internal"]]).toEqual([429, "faas-middleware"]);
  expect((await first).status).toBe(200);
  expect((await fn.call({ path: "/_/health" })).text).toBe("OK");
});

test("a program that is kept is started once, again after it has ended, and its end in a request is 502", async () => {
  const server = `
import os, sys
while True:
    line = sys.stdin.buffer.readline().decode()
    if not line: break
    while sys.stdin.buffer.readline() not in (b"\\r\\n", b""): pass
    if " /exit " in line: os._exit(3)
    body = str(os.getpid()).encode()
    sys.stdout.buffer.write(b"HTTP/1.1 200 OK\\r\\ncontent-length: %d\\r\\n\\r\\n%s" % (len(body), body))
    sys.stdout.buffer.flush()
`;
  await writeFile(join(dir, "kept.py"), server);
  await using fn = await serve("/nowhere", { mode: "http", fprocess: `python3 ${join(dir, "kept.py")}` });
  const pids = [(await fn.call()).text, (await fn.call()).text];
  expect(pids[0]).toMatch(/^\d+$/);
  expect(pids[1]).toBe(pids[0]);
  expect((await fn.call({ path: "/exit" })).status).toBe(502);
  const again = await fn.call();
  expect([again.status, again.text === pids[0]]).toEqual([200, false]);
  process.kill(Number(again.text));
});

const load = (entry: string, env = {}): ServedFunction =>
  stdioModel({ entry, exports: {}, env: { ...path, ...env }, drain: createDrain({ close: () => undefined }) });

test("what cannot be started is refused with the remedy", async () => {
  const plain = await script("plain", "echo", 0o644);
  expect(() => load(join(dir, "missing"))).toThrow(/there is no program/);
  expect(() => load(dir)).toThrow(/is no file/);
  expect(() => load(plain)).toThrow(/is not executable: run `chmod \+x`/);
  expect(() => load(plain, { fprocess: "cat", mode: "turbo" })).toThrow(/mode is "turbo": use serializing/);
  expect(() => load(plain, { fprocess: "cat", exec_timeout: "soon" })).toThrow(
    /exec_timeout is "soon": write a duration/,
  );
  expect(() => load(plain, { fprocess: "cat", max_inflight: "-1" })).toThrow(/max_inflight is "-1"/);
});

test("a missing interpreter or command is 500, and the log says which", async () => {
  await using fn = await serve("/nowhere", { fprocess: "no-such-command" });
  expect((await fn.call()).status).toBe(500);
});

test.each([
  ["0", 0],
  ["30", 30_000],
  ["1.5", 1500],
  ["500ms", 500],
  ["1m30s", 90_000],
  ["1h", 3_600_000],
])("the duration %s", (text, ms) => {
  expect(toMs("exec_timeout", text)).toBe(ms);
});

test("headers become variables; the first value of a name counts, chunked bodies have length -1", () => {
  const rawHeaders = ["x-call-id", "1", "X-Call-Id", "2", "content-type", "a/b"];
  const headers = { host: "h", "transfer-encoding": "chunked" };
  expect(requestEnv({ method: "POST", url: "/p", headers, rawHeaders } as never)).toEqual({
    Http_Method: "POST",
    Http_Path: "/p",
    Http_Host: "h",
    Http_ContentLength: "-1",
    Http_X_Call_Id: "1",
    Http_Content_Type: "a/b",
  });
});
