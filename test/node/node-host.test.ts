import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, expect, test } from "vitest";
import { nodeHostCommand } from "../../src/functions/hosts/host-command.ts";
import { hostProgram } from "../../src/functions/hosts/host-program.ts";
import type { FunctionModel } from "../../src/functions/hosts/protocol.ts";
import { bundleNode } from "../../src/functions/languages/node/bundle.ts";
import { HostLoadError, prepareHost, startHost, type HostProcess } from "../../src/functions/pool/host-process.ts";

const fixtures = resolve(import.meta.dirname, "fixtures");
const running: HostProcess[] = [];

afterEach(async () => {
  for (const host of running.splice(0)) {
    try {
      process.kill(host.pid, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
    await host.exited;
  }
});

type Purpose = "warm" | "direct" | "prepared";

interface Loaded {
  readonly host: HostProcess;
  readonly url: string;
  readonly port: number;
  /** The host's socket of the Unix domain. */
  readonly path: string | undefined;
  readonly printed: () => string;
}

async function load(file: string, model: FunctionModel = "auto", purpose: Purpose = "direct"): Promise<Loaded> {
  const deps = {
    command: nodeHostCommand(process.execPath, await hostProgram("node", join(tmpdir(), "ebb-test-cache"))),
    env: { PATH: "/usr/bin:/bin" },
    spawned: () => undefined,
    now: () => Date.now(),
  };
  const host = purpose === "prepared" ? prepareHost(deps).begin() : startHost(deps, purpose);
  running.push(host);
  if (purpose === "warm") await host.idle;
  let output = "";
  for (const pipe of [host.stdout, host.stderr]) pipe.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const { port, path } = await host.claim({
    entry: resolve(fixtures, file),
    model,
    env: { COLOUR: "blue" },
    cwd: fixtures,
    loadTimeoutMs: 5_000,
  });
  return { host, port, path, url: `http://127.0.0.1:${port}`, printed: () => output };
}

async function refusal(file: string, model?: FunctionModel): Promise<HostLoadError> {
  const error: unknown = await load(file, model).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(error instanceof HostLoadError)) throw new Error(`expected ${file} not to load, got ${String(error)}`);
  return error;
}

test("bodies, statuses and headers of a web-standard function arrive as written", async () => {
  const { url } = await load("web-function.mjs");
  const json = await fetch(`${url}/json`, { method: "POST", body: '{"a":[1]}' });
  expect([json.status, json.headers.get("content-type"), await json.json()]).toEqual([
    201,
    "application/json",
    { got: { a: [1] } },
  ]);
  const bytes = new Uint8Array(300_000).map((_, i) => i % 251);
  const back = await fetch(`${url}/bytes`, { method: "PUT", body: bytes });
  expect(Buffer.from(await back.arrayBuffer()).equals(Buffer.from(bytes))).toBe(true);
  expect(back.headers.get("content-length")).toBe("300000");
  const cookies = await fetch(`${url}/cookies`);
  expect([cookies.status, cookies.headers.getSetCookie(), cookies.headers.get("x-one")]).toEqual([
    204,
    ["a=1", "b=2"],
    "1",
  ]);
  const redirect = await fetch(`${url}/redirect`, { redirect: "manual" });
  expect([redirect.status, redirect.headers.get("location")]).toEqual([307, "https://example.com/next"]);
  const form = new FormData();
  form.set("name", "x");
  form.set("file", new Blob(["abc"]), "a.txt");
  expect(await (await fetch(`${url}/form`, { method: "POST", body: form })).text()).toBe("name,file");
  const blob = await fetch(`${url}/blob`);
  expect([blob.headers.get("content-type"), await blob.text()]).toEqual(["text/x-blob", "from a blob"]);
});

test.each(["warm", "direct", "prepared"] as const)(
  "a %s host shows its function nothing of what it did before",
  async (purpose) => {
    const { url, port, printed } = await load("tells-surroundings.mjs", "auto", purpose);
    expect(await (await fetch(url)).json()).toEqual({
      env: { COLOUR: "blue", PORT: String(port) },
      cwd: fixtures,
      listeners: 1,
      timers: [],
    });
    expect(printed()).toBe("");
    const own = await load("own-server-function.mjs", "auto", purpose);
    expect(await (await fetch(own.url)).text()).toBe("own server");
  },
);

test("a prepared process ends when whoever prepared it has", async () => {
  const text = `
    import { prepareHost } from ${JSON.stringify(resolve(import.meta.dirname, "../../src/functions/pool/host-process.ts"))};
    const deps = { command: ["/bin/true"], env: {}, spawned: () => undefined, now: () => 0 };
    console.log(prepareHost(deps).pid);
    process.kill(process.pid, "SIGKILL");`;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module-typescript", "--eval", text], {
    encoding: "utf8",
  });
  const pid = Number(stdout);
  expect(pid).toBeGreaterThan(1);
  await expect.poll(() => existsSync(`/proc/${pid}/exe`), { timeout: 5_000 }).toBe(false);
});

test("a request can be cloned and both read; a reported error is in the log and nowhere else", async () => {
  const { url, printed } = await load("web-function.mjs");
  const answer = await fetch(`${url}/clone`, { method: "POST", body: "twice" });
  expect([answer.status, await answer.text()]).toEqual([200, "twice twice true"]);
  await expect.poll(printed).toContain("Error: seen, not fatal");
});

test("a stream is sent piece by piece", async () => {
  const { url } = await load("web-function.mjs");
  const response = await fetch(`${url}/ticks`);
  const pieces: string[] = [];
  for await (const piece of response.body!) pieces.push(new TextDecoder().decode(piece));
  expect(pieces).toEqual(["tick 0\n", "tick 1\n", "tick 2\n"]);
});

test("the request's signal fires when the caller leaves", async () => {
  const { url } = await load("web-function.mjs");
  const leave = new AbortController();
  const waiting = fetch(`${url}/wait`, { signal: leave.signal }).catch(() => "left");
  await new Promise((resolve) => setTimeout(resolve, 100));
  leave.abort();
  expect(await waiting).toBe("left");
  await expect.poll(async () => await (await fetch(`${url}/aborted`)).text()).toBe("1");
});

test("a function can call others with fetch, and pass requests and responses on", async () => {
  const { url } = await load("web-function.mjs");
  const other = await load("fetch-function.mjs");
  expect(await (await fetch(`${url}/proxy?to=${other.url}/moon`)).text()).toBe("hello /moon");
  const forwarded = await fetch(`${url}/forward?to=${other.url}/echo`, { method: "POST", body: "pass it on" });
  expect([forwarded.headers.get("x-method"), await forwarded.text()]).toEqual(["POST", "pass it on"]);
  expect(await (await fetch(`${url}/kinds`)).json()).toEqual({
    request: true,
    response: true,
    fetched: true,
    nothing: false,
  });
});

test("what a function throws becomes a 500 with an id that is in the log, and the function lives on", async () => {
  const { url, printed } = await load("fetch-function.mjs");
  const failed = await fetch(`${url}/throw`, { headers: { "x-request-id": "abc-1" } });
  expect([failed.status, await failed.text()]).toEqual([500, "function failed, request abc-1\n"]);
  await expect
    .poll(printed)
    .toMatch(/request abc-1 GET \/throw failed: Error: out of cheese\n\s+at .*fetch-function\.mjs:4/);
  expect(await (await fetch(`${url}/again`)).text()).toBe("hello /again");
  const web = await load("web-function.mjs");
  expect((await fetch(`${web.url}/undefined`)).status).toBe(500);
  await expect.poll(web.printed).toContain("fetch() gave undefined instead of a Response");
});

test("a (req, res) function is served, and its failures answered", async () => {
  const { url } = await load("node-http-function.mjs");
  expect(await (await fetch(`${url}/x`, { method: "DELETE" })).text()).toBe("node DELETE /x");
  expect((await fetch(`${url}/throw`)).status).toBe(500);
  expect((await fetch(`${url}/reject`)).status).toBe(500);
  // Begun and then failed: the connection is cut, so nobody takes half an answer for a whole one.
  await expect(fetch(`${url}/cut`).then((response) => response.text())).rejects.toThrow();
});

test("a module may await at its top level", async () => {
  const { url } = await load("awaits-at-top.mjs");
  expect(await (await fetch(url)).text()).toBe("hello");
});

test("a server may listen later than its module is loaded", async () => {
  const { url } = await load("listens-later.mjs");
  expect(await (await fetch(url)).text()).toBe("listening now");
});

test("what a bundled function throws is told with the lines of its source, and the remedy where it is known", async () => {
  const dir = mkdtempSync(join(tmpdir(), "ebb-source-lines-"));
  try {
    writeFileSync(
      join(dir, "deep.ts"),
      "interface A { readonly b: number }\n\nexport function fail(a: A): never {\n  throw new Error(`no ${a.b}`);\n}\n",
    );
    writeFileSync(
      join(dir, "index.ts"),
      'import { fail } from "./deep.ts";\nif (process.env.COLOUR === "red") fail({ b: 1 });\nexport default { fetch: () => fail({ b: 2 }) };\n',
    );
    const { code, map } = await bundleNode({ dir, entry: "index.ts", external: [] });
    writeFileSync(join(dir, "index.mjs"), code);
    writeFileSync(join(dir, "index.mjs.map"), map);
    const { url, printed } = await load(join(dir, "index.mjs"));
    expect((await fetch(url)).status).toBe(500);
    await expect.poll(printed).not.toContain("host-node");
    await expect.poll(printed).toMatch(/Error: no 2\n\s+at fail \(deep\.ts:4:\d+\)\n\s+at .*index\.ts:3:\d+/);
    writeFileSync(join(dir, "cjs.mjs"), "module.exports = { handle() {} };\n");
    expect((await refusal(join(dir, "cjs.mjs"))).message).toMatch(/module is not defined[\s\S]*name the file \.cjs/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("a function with a server of its own gets PORT", async () => {
  const { url } = await load("own-server-function.mjs");
  expect(await (await fetch(url)).text()).toBe("own server");
});

test.each([
  ["own-port-function.mjs", "PortIgnored", /^the function listens on port \d+ instead of PORT \(\d+\)$/],
  ["no-handler-function.mjs", "NoHandler", /^the module exports no handler/],
  ["throws-at-import.mjs", "ImportFailed", /^TypeError: .*\n.*throws-at-import\.mjs:2/],
  ["exits-with-3.mjs", "HostExited", /exit code 3/],
  ["no-such-file.mjs", "ImportFailed", /Cannot find module/],
])("%s is refused with %s", async (file, reason, message) => {
  const error = await refusal(file);
  expect(error.reason).toBe(reason);
  expect(error.message).toMatch(message);
});

test("the local door leads to the same function, which takes its callers for ones from loopback", async () => {
  const { path = "" } = await load("tells-peer.mjs");
  const socket = connect({ path });
  socket.end("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
  expect(await text(socket)).toMatch(/\r\n\r\n127\.0\.0\.1$/);
});

test("a function with a server of its own has no local door: the host serves nothing there", async () => {
  expect((await load("own-server-function.mjs")).path).toBeUndefined();
});

test.each(["port", "local door"])(
  "TERM lets requests in flight at the %s and waitUntil finish, and takes no new ones",
  async (door) => {
    const { host, url, port, path = "", printed } = await load("fetch-function.mjs");
    expect(await (await fetch(`${url}/later`)).text()).toBe("soon");
    const socket = door === "port" ? connect(port, "127.0.0.1") : connect({ path });
    await once(socket, "connect");
    socket.write("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nab");
    await new Promise((resolve) => setTimeout(resolve, 50));
    process.kill(host.pid, "SIGTERM");
    await expect
      .poll(() =>
        fetch(url).then(
          () => "answered",
          () => "refused",
        ),
      )
      .toBe("refused");
    socket.write("cd");
    let answer = "";
    for await (const chunk of socket) answer += String(chunk);
    expect(answer.replace(/\r\n/g, " ")).toMatch(/ ab .* cd 0 +$/);
    expect(await host.exited).toEqual({ code: 0, signal: undefined });
    expect(printed()).toContain("later is done");
  },
);

test("a library may keep what it likes in the awslambda global", async () => {
  const { url } = await load("keeps-in-awslambda.mjs");
  expect(await (await fetch(url)).text()).toBe("function");
});
