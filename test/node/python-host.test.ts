import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { findPython } from "../../src/functions/hosts/find-python.ts";
import { pythonHostCommand } from "../../src/functions/hosts/host-command.ts";
import type { ClaimMessage } from "../../src/functions/hosts/protocol.ts";
import { pythonHostDir, pythonProgram } from "../../src/functions/hosts/python-program.ts";
import { HostLoadError, startHost, type HostProcess } from "../../src/functions/pool/host-process.ts";
import { freePort } from "../free-port.ts";

const fixtures = resolve(import.meta.dirname, "fixtures/python");
const python = await findPython("/usr/local/bin:/usr/bin:/bin");
const running: HostProcess[] = [];
const unshares = spawnSync("unshare", ["--user", "--map-root-user", "--pid", "--fork", "true"]).status === 0;

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

async function load(file: string, more: Partial<ClaimMessage> = {}) {
  const command = pythonHostCommand(python?.path ?? "", pythonProgram(join(tmpdir(), "ebb-test-cache")));
  const env = { PATH: "/usr/bin:/bin", SECRET_OF_EBB: "x" };
  const host = startHost({ command, env, spawned: () => undefined, now: () => Date.now() }, "direct");
  running.push(host);
  let text = "";
  for (const pipe of [host.stdout, host.stderr]) pipe.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const entry = join(fixtures, file);
  const claim = { entry, model: "auto", env: { COLOUR: "blue" }, cwd: dirname(entry), loadTimeoutMs: 5_000 } as const;
  const { port, path } = await host.claim({ ...claim, ...more });
  return { host, port, path, url: `http://127.0.0.1:${port}`, printed: () => text };
}

async function refusal(file: string, more?: Partial<ClaimMessage>): Promise<HostLoadError> {
  const error: unknown = await load(file, more).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(error instanceof HostLoadError)) throw new Error(`expected ${file} not to load, got ${String(error)}`);
  return error;
}

/** Sends bytes as they are; gives all that comes back until the pattern is there or the other side ends. */
async function talk(port: number, parts: readonly string[], until?: RegExp): Promise<string> {
  const socket: Socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  let seen = "";
  socket.on("data", (chunk: Buffer) => (seen += chunk.toString()));
  const ended = once(socket, "close");
  socket.on("error", () => undefined);
  for (const part of parts) {
    socket.write(part);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  if (until) await expect.poll(() => seen).toMatch(until);
  else await ended;
  socket.destroy();
  return seen;
}

describe.skipIf(!python)("the Python host", () => {
  test.each([
    ["fails_inside.py", {}, "ImportFailed", /^Traceback[\s\S]*fails_inside\.py", line 8[\s\S]*JSONDecodeError: /],
    ["no_such_file.py", {}, "ImportFailed", /no_such_file\.py does not exist/],
    ["no_handler.py", {}, "NoHandler", /defines nothing that takes requests: define `app`/],
    ["echo_app.py", { model: "asgi", target: "api" }, "NoHandler", /echo_app has no 'api': it defines app, /],
    ["two_functions.py", {}, "AmbiguousHandler", /registers one, two: say which by --target/],
    ["never_ends.py", { loadTimeoutMs: 300 }, "LoadTimeout", /not loaded within 0\.3 s/],
    ["other_port.py", { model: "server", loadTimeoutMs: 500 }, "PortIgnored", /listens on port \d+ instead of PORT/],
    ["ends_at_once.py", { model: "server" }, "NeverListens", /ended without listening on PORT/],
    [
      "logs_app.py",
      { env: { EBB_TIMEOUT: "soon" } },
      "InitFailed",
      /^EBB_TIMEOUT is "soon": it must be a number, 0 for/,
    ],
    ["logs_app.py", { env: { EBB_LOG_FORMAT: "xml" } }, "InitFailed", /^EBB_LOG_FORMAT is "xml": use text or json$/],
    ["no_handler.py", { model: "fetch" }, "NoHandler", /does not know the model 'fetch'/],
  ] as const)("%s %j is refused with %s", async (file, more, reason, message) => {
    const error = await refusal(file, more);
    expect(error.reason).toBe(reason);
    expect(error.message).toMatch(message);
    expect(error.message).not.toMatch(/ebb_host|importlib/);
  });

  test("a function sees its own environment, directory and modules, and nothing of the host's", async () => {
    const { url } = await load("shadows/sees_its_own.py");
    const seen = (await (await fetch(url)).json()) as Readonly<Record<string, unknown>>;
    expect(seen).toMatchObject({
      cwd: join(fixtures, "shadows"),
      argv: [join(fixtures, "shadows/sees_its_own.py")],
      queue: "not the standard one",
      host_on_path: false,
    });
    expect(seen["env"]).toEqual(expect.arrayContaining(["COLOUR", "PORT"]));
    expect(seen["env"]).not.toContain("SECRET_OF_EBB");
  });

  test("requests in one packet, or in single bytes, are answered in order", async () => {
    const { port } = await load("echo_app.py");
    const post = (body: string): string =>
      `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    const both = await talk(port, [post("one") + post("two")], /got two$/);
    expect(both.match(/got (?:one|two)/g)).toEqual(["got one", "got two"]);
    const slow = await talk(port, [...post("abc")].slice(0, 30).concat(post("abc").slice(30)), /got abc$/);
    expect(slow).toContain("200 OK");
  });

  test("a chunked body arrives, however it is cut", async () => {
    const { port } = await load("echo_app.py");
    const head = "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    for (const parts of [["5\r\nhello\r\n0\r\n\r\n"], ["5;x=1\r\nhe", "llo\r", "\n0\r\nt: 1\r\n", "\r\n"]]) {
      const seen = await talk(port, [head, ...parts], /got hello$/);
      expect(seen).toContain("content-length: 9");
    }
  });

  test("100-continue is sent when the body is asked for, and not when it is not", async () => {
    const { port } = await load("echo_app.py");
    const head = (path: string): string =>
      `POST ${path} HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n`;
    const asked = await talk(port, [head("/"), "hi"], /got hi$/);
    expect(asked).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
    const unasked = await talk(port, [head("/unread")]);
    expect(unasked).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*connection: close/i);
  });

  test.each([
    ["GET / HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nhost : x\r\n\r\n", 400],
    ["GET  / HTTP/1.1\r\n\r\n", 400],
    ["GET / HTTP/3.0\r\n\r\n", 505],
    ["POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", 400],
    ["POST / HTTP/1.1\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n", 400],
    ["POST / HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\n", 501],
    [`GET / HTTP/1.1\r\nx: ${"a".repeat(70_000)}\r\n\r\n`, 431],
  ])("%j is refused with %i and the connection ends", async (request, status) => {
    const { port } = await load("echo_app.py");
    expect(await talk(port, [request])).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  test("an answer that is cut off never passes for a whole one, and no header smuggles another in", async () => {
    const { url, printed } = await load("echo_app.py");
    expect((await fetch(`${url}/short`)).status).toBe(500);
    await expect(fetch(`${url}/cut`).then((answer) => answer.text())).rejects.toThrow();
    expect((await fetch(`${url}/split`)).status).toBe(500);
    await expect.poll(printed).toMatch(/failed: .*line break/s);
  });

  test("print() is in the log while the request still runs", async () => {
    const { url, printed } = await load("echo_app.py");
    const answer = fetch(`${url}/print`);
    await expect.poll(printed, { timeout: 250, interval: 10 }).toContain("printed at once");
    expect(await (await answer).text()).toBe("printed");
  });

  test("WebSockets: text, bytes, large messages, and closing from either side", async () => {
    const { port, printed } = await load("echo_app.py");
    const socket = new WebSocket(`ws://127.0.0.1:${port}/chat`, ["chat"]);
    await once(socket, "open");
    expect(socket.protocol).toBe("chat");
    const ask = async (message: string | Buffer): Promise<Buffer> => {
      socket.send(message);
      const [data] = (await once(socket, "message")) as [Buffer];
      return data;
    };
    expect((await ask("hello")).toString()).toBe("HELLO");
    expect(await ask(Buffer.from([1, 2, 3]))).toEqual(Buffer.from([3, 2, 1]));
    expect((await ask("x".repeat(300_000))).length).toBe(300_000);
    socket.send("bye");
    const [code, reason] = (await once(socket, "close")) as [number, Buffer];
    expect([code, reason.toString()]).toEqual([4000, "asked"]);
    const other = new WebSocket(`ws://127.0.0.1:${port}/chat`, ["chat"]);
    await once(other, "open");
    other.close(1000);
    await expect.poll(printed).toContain("left with 1000");
  });

  test("an error that says its status is answered with it; only what 4xx say is shown", async () => {
    const { url } = await load("raises_status.py");
    const moon = await fetch(`${url}/moon`);
    expect([moon.status, await moon.text()]).toEqual([404, "no such moon\n"]);
    const busy = await fetch(`${url}/busy`);
    expect([busy.status, await busy.text()]).toEqual([503, expect.stringMatching(/^function failed, request \w+\n$/)]);
    expect((await fetch(`${url}/other`)).status).toBe(500);
  });

  test("EBB_LOG_FORMAT=json: what a request prints and logs carries its id and trace, on threads too", async () => {
    const { url, printed } = await load("logs_app.py", { env: { EBB_LOG_FORMAT: "json" } });
    const headers = { "x-request-id": "one", traceparent: "00-a-b-01" };
    expect((await fetch(`${url}/print?secret=1`, { headers })).status).toBe(200);
    expect((await fetch(`${url}/fail`, { headers: { "x-request-id": "two" } })).status).toBe(500);
    // Out and err are two pipes: what they say is in order only in each.
    const complete = (): readonly string[] => printed().split("\n").slice(0, -1);
    await expect.poll(complete).toHaveLength(10);
    const lines = complete();
    expect(printed()).not.toContain("secret");
    const logged = lines.map((line) => JSON.parse(line) as { readonly time: string; readonly ms?: number });
    for (const { time } of logged) expect(time).toBe(new Date(time).toISOString());
    const one = { requestId: "one", traceparent: "00-a-b-01" };
    const two = { requestId: "two" };
    const wanted = [
      { level: "info", msg: "loading" },
      { level: "info", msg: "one line in pieces, Grüße", ...one },
      { level: "info", msg: "two\nlines", ...one },
      { level: "warn", msg: "WARNING:root:low on cheese", ...one },
      { level: "error", msg: "to stderr", ...one },
      { level: "info", msg: "from a thread", ...one },
      { level: "info", msg: "no end", ...one },
      { level: "info", msg: "request", ...one, method: "GET", path: "/print", status: 200 },
      {
        level: "error",
        msg: expect.stringMatching(/^request two GET \/fail failed: Traceback[^]*out of cheese$/),
        ...two,
      },
      { level: "error", msg: "request", ...two, method: "GET", path: "/fail", status: 500 },
    ];
    expect(logged.map(({ time: _time, ms: _ms, ...rest }) => rest)).toEqual(expect.arrayContaining(wanted));
  });

  test("EBB_LOG_FORMAT=json: WSGI requests print with their id, and a WebSocket is logged as 101", async () => {
    const env = { EBB_LOG_FORMAT: "json", EBB_TIMEOUT: "0.1" };
    const wsgi = await load("prints_wsgi.py", { env });
    for (const id of ["a", "b"]) await fetch(`${wsgi.url}/${id}`, { headers: { "x-request-id": id } });
    for (const id of ["a", "b"]) await expect.poll(wsgi.printed).toContain(`"msg":"from /${id}","requestId":"${id}"`);
    const { port, printed } = await load("echo_app.py", { env });
    const socket = new WebSocket(`ws://127.0.0.1:${port}/chat`, ["chat"], { headers: { "x-request-id": "ws" } });
    await once(socket, "open");
    await expect.poll(printed).toMatch(/"requestId":"ws","method":"GET","path":"\/chat","status":101/);
    // Longer than the timeout, which is for answers.
    await new Promise((resolve) => setTimeout(resolve, 150));
    socket.send("still here");
    expect(String((await once(socket, "message"))[0])).toBe("STILL HERE");
    socket.close();
    await expect.poll(printed).toContain('"msg":"left with 1005","requestId":"ws"');
  });

  test("what a function still says after its timeout reaches nobody, and a caller that leaves while it waits is 499", async () => {
    const env = { EBB_TIMEOUT: "0.5", EBB_CONCURRENCY: "1", EBB_LOG_FORMAT: "json" };
    const { port, printed } = await load("logs_app.py", { env });
    const late = "GET /late HTTP/1.1\r\nhost: x\r\n\r\n";
    const seen = talk(port, [late, "GET /quick HTTP/1.1\r\nhost: x\r\n\r\n"], /quick$/);
    await expect.poll(printed, { interval: 10 }).toContain("late began");
    const waiting = connect(port, "127.0.0.1");
    waiting.write("GET /left HTTP/1.1\r\nhost: x\r\nx-request-id: left\r\n\r\n", () => waiting.destroy());
    expect((await seen).match(/HTTP\/1.1 \d+/g)).toEqual(["HTTP/1.1 504", "HTTP/1.1 200"]);
    await expect.poll(printed).toMatch(/"requestId":"left","method":"GET","path":"\/left","status":499/);
    await expect.poll(printed).toContain("late after all");
    expect(await talk(port, ["GET /quick HTTP/1.1\r\nhost: x\r\n\r\n"], /quick$/)).toMatch(/^HTTP\/1.1 200/);
  });

  test("an ASGI application that does not hear of its timeout is cancelled", async () => {
    const { url, printed } = await load("echo_app.py", { env: { EBB_TIMEOUT: "0.1" } });
    expect((await fetch(`${url}/deaf`)).status).toBe(504);
    await expect.poll(printed, { timeout: 3000 }).toContain("deaf one was cancelled");
  });

  test("a program that listens on loopback is reached at other addresses of its container too", async () => {
    const port = await freePort();
    const words = ["-I", "-S", pythonHostDir(), "serve", join(fixtures, "loopback_server.py"), "--model", "server"];
    const child = spawn(python?.path ?? "", words, { env: { PATH: "/usr/bin:/bin", PORT: String(port) } });
    const ended = once(child, "close");
    try {
      const ask = () =>
        fetch(`http://127.0.0.2:${port}/`)
          .then((answer) => answer.text())
          .catch(() => "");
      await expect.poll(ask, { timeout: 5000 }).toBe("by loopback");
    } finally {
      child.kill("SIGKILL");
      await ended;
    }
  });

  test.runIf(unshares)(
    "a program that is the first process of a container ends on TERM, its finally blocks run",
    async () => {
      const words = ["--user", "--map-root-user", "--pid", "--fork", "--kill-child", python?.path ?? "", "-I", "-S"];
      const entry = join(fixtures, "ends_on_term.py");
      const child = spawn("unshare", [...words, pythonHostDir(), "serve", entry, "--model", "server"], {
        env: { PATH: "/usr/bin:/bin", PORT: String(await freePort()) },
      });
      let text = "";
      child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
      const ended = once(child, "close");
      try {
        await expect.poll(() => text, { timeout: 5000 }).toContain("listening on port");
        const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8");
        process.kill(Number(children.trim()), "SIGTERM");
        await expect.poll(() => child.exitCode, { timeout: 3000 }).toBe(143);
      } finally {
        child.kill("SIGKILL");
        await ended;
      }
      expect(text).toContain("cleaned up");
    },
  );

  test("a Lambda handler that takes too long is 504, and one that stays busy ends the process", async () => {
    const env = { AWS_LAMBDA_FUNCTION_TIMEOUT: "0.2" };
    const { url, host, printed } = await load("slow_lambda.py", { env });
    expect((await (await fetch(`${url}/?s=0`)).json()) as object).toMatchObject({ left: true });
    expect((await fetch(`${url}/?s=0.4`)).status).toBe(504);
    expect((await fetch(`${url}/?s=0`)).status).toBe(200);
    expect((await fetch(`${url}/?s=20`)).status).toBe(504);
    expect(await host.exited).toMatchObject({ code: 1 });
    expect(printed()).toMatch(/Task timed out after 0\.20 seconds[\s\S]*still busy/);
  });

  test("EBB_LAMBDA_EVENT chooses the event's shape, and is refused when it is none", async () => {
    const { url } = await load("slow_lambda.py", { env: { EBB_LAMBDA_EVENT: "alb" } });
    const { shape } = (await (await fetch(`${url}/?s=0`)).json()) as { readonly shape: readonly string[] };
    expect(shape).toContain("requestContext");
    expect(shape).not.toContain("rawPath");
    const error = await refusal("slow_lambda.py", { env: { EBB_LAMBDA_EVENT: "v3" } });
    expect(error.message).toBe('EBB_LAMBDA_EVENT is "v3": use one of url, api-v2, api-v1, alb');
  });

  test("the same function answers over its socket of the Unix domain", async () => {
    const { path } = await load("echo_app.py");
    if (process.platform !== "linux") return expect(path).toBeUndefined();
    const socket = connect({ path: path ?? "" });
    socket.write("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi");
    let seen = "";
    for await (const chunk of socket) seen += String(chunk);
    expect(seen).toMatch(/200 OK[\s\S]*got hi$/);
  });
});
