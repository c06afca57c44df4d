import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { createServer as createTcpServer, connect, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { Attach, Exec, KubeConfig, Log, Metrics, PortForward, type V1Status } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { builtinDefinitions } from "../../src/api/definitions.ts";
import { PodKind } from "../../src/api/core/kinds.ts";
import type { Endpoints, Pod, Service } from "../../src/api/core/types.gen.ts";
import type { Logger } from "../../src/telemetry/logger.ts";
import { createApiServer, type ApiServer } from "../../src/apiserver/server.ts";
import { createStreams, type Streams } from "../../src/apiserver/streams/create-streams.ts";
import { installedKubectls } from "./kubectl.ts";
import { createProcessNode, type ProcessNode } from "./process-node.ts";

const errors: unknown[] = [];
const log: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (message, fields) => void errors.push({ message, ...fields }),
  with: () => log,
  enabled: () => false,
};

let server: ApiServer;
let streams: Streams;
let node: ProcessNode;
let directory: string;
let url: string;
let config: KubeConfig;
const credentials: RequestOptions = {};
let echo: Server;
let echoPort: number;
let followersGone = 0;
const pods = new Map<string, Pod>();
const services = new Map<string, Service>();
const endpoints = new Map<string, Endpoints>();

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "ebb-streams-"));
  node = createProcessNode({ logs: fakeLog });
  streams = createStreams({
    connectionFor: (name) => (name === "here" ? { ...node, usage: usageOfWeb } : undefined),
    getPod: (namespace, name) => pods.get(`${namespace}/${name}`),
    getService: (namespace, name) => services.get(`${namespace}/${name}`),
    getEndpoints: (namespace, name) => endpoints.get(`${namespace}/${name}`),
    nodeNames: () => ["here"],
    now: () => Date.now(),
  });
  server = createApiServer(
    { dataDir: ":memory:", definitions: builtinDefinitions, ...streams },
    { log, now: () => Date.now() },
  );
  url = `https://127.0.0.1:${await server.listen({ host: "127.0.0.1", port: 0 })}`;
  writeFileSync(join(directory, "kubeconfig"), server.kubeconfig(url));
  config = new KubeConfig();
  config.loadFromString(server.kubeconfig(url));
  await config.applyToHTTPSOptions(credentials);
  await addPod("web", ["app"], "here");
  await addPod("two", ["one", "other"], "here");
  await addPod("pending", ["app"], undefined);
  await addPod("lost", ["app"], "elsewhere");
  echo = createTcpServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  });
  await new Promise<void>((ready) => void echo.listen(0, "127.0.0.1", ready));
  echoPort = (echo.address() as AddressInfo).port;
});

afterAll(async () => {
  await server.close();
  echo.close();
  rmSync(directory, { recursive: true });
  expect(errors).toEqual([]);
});

async function addPod(name: string, containers: readonly string[], nodeName: string | undefined): Promise<void> {
  const pod = await server.api.create(PodKind, {
    metadata: { name, namespace: "default", labels: { app: name } },
    spec: {
      containers: containers.map((container) => ({ name: container, image: "example.com/app" })),
      ...(nodeName === undefined ? {} : { nodeName }),
    },
  });
  const status = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
  const running = await server.api.update(PodKind, { ...pod, status }, { subresource: "status" });
  pods.set(`default/${name}`, running);
}

const usageOfWeb: ProcessNode["usage"] = () =>
  node.usage().map((usage) => ({ ...usage, uid: pods.get("default/web")?.metadata.uid ?? "" }));

async function* fakeLog(options: { readonly follow: boolean }, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  yield Buffer.from("first line\n");
  yield Buffer.from("second line\n");
  if (!options.follow) return;
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  followersGone++;
}

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Transport {
  readonly program: string;
  readonly spdy: boolean;
}

const spdyOnly = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: "false", KUBECTL_PORT_FORWARD_WEBSOCKETS: "false" };
const base = (): string[] => ["--kubeconfig", join(directory, "kubeconfig"), "--cache-dir", join(directory, "cache")];

function kubectl({ program, spdy }: Transport, args: readonly string[], input = ""): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(
      program,
      [...base(), ...args],
      { env: envOf(spdy), maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
    // A kubectl that fails at once reads no input.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });
}

const envOf = (spdy: boolean): NodeJS.ProcessEnv => ({ ...process.env, ...(spdy ? spdyOnly : {}) });

/** Before 1.31 there was SPDY only; since then it is what the environment asks for. */
const transports: readonly (Transport & { readonly name: string })[] = installedKubectls().flatMap((program) =>
  (program === "kubectl-1.20" ? [true] : [false, true]).map((spdy) => ({
    program,
    spdy,
    name: `${program} over ${spdy ? "SPDY" : "WebSocket"}`,
  })),
);
const plain: readonly Transport[] = installedKubectls().map((program) => ({ program, spdy: false }));

describe.each(transports)("exec by $name", (transport) => {
  test("gives output and errors apart, and the exit code", async () => {
    const outcome = await kubectl(transport, ["exec", "web", "--", "sh", "-c", "echo out; echo err >&2; exit 7"]);
    expect(outcome.stdout).toBe("out\n");
    expect(outcome.stderr).toContain("err\n");
    expect(outcome.stderr).toContain("command terminated with exit code 7");
    expect(outcome.code).toBe(7);
  });

  test("carries megabytes of input to the program and back, to the last byte", async () => {
    const input = "0123456789abcdef".repeat(3 * 65_536);
    const outcome = await kubectl(transport, ["exec", "-i", "web", "--", "cat"], input);
    expect(outcome.code).toBe(0);
    expect(outcome.stdout.length).toBe(input.length);
    expect(outcome.stdout === input).toBe(true);
  });

  test("says why a command cannot be started", async () => {
    const outcome = await kubectl(transport, ["exec", "web", "--", "/no/such/program"]);
    expect(outcome.code).not.toBe(0);
    expect(outcome.stderr).toContain("/no/such/program");
  });

  test("answers a wrong container with the API's message", async () => {
    const outcome = await kubectl(transport, ["exec", "web", "-c", "nope", "--", "true"]);
    expect(outcome.code).not.toBe(0);
    expect(outcome.stderr).toContain("container nope is not valid for pod web");
  });

  test("attaches to what runs", async () => {
    const outcome = await kubectl(transport, ["attach", "-i", "web"], "hello\n");
    expect(outcome.stdout).toContain("attached\ngot hello\n");
  });
});

test.each(transports)("a command whose client goes away is ended: $name", async ({ name, program, spdy }) => {
  const seconds = String(1000 + transports.findIndex((transport) => transport.name === name));
  const child = spawn(program, [...base(), "exec", "web", "--", "sleep", seconds], { env: envOf(spdy) });
  await until(() => node.running.includes(`sleep ${seconds}`), "the command runs");
  child.kill("SIGKILL");
  await until(() => node.aborted.includes(`sleep ${seconds}`), "the command was ended");
});

test("a client that asks for SPDY and speaks something else is cut off, and nothing else", async () => {
  const path = "/api/v1/namespaces/default/pods/web/exec?stdout=true&command=true";
  const headers = {
    Connection: "Upgrade",
    Upgrade: "SPDY/3.1",
    "X-Stream-Protocol-Version": "v4.channel.k8s.io",
    "Content-Length": 0,
  };
  const request = httpsRequest(url + path, { ...credentials, method: "POST", headers, agent: false });
  request.end();
  const [response, socket] = (await once(request, "upgrade")) as [IncomingMessage, Socket];
  expect([response.statusCode, response.headers["x-stream-protocol-version"]]).toEqual([101, "v4.channel.k8s.io"]);
  socket.on("error", () => undefined);
  socket.resume();
  socket.write("\u0080\u0000GET / HTTP/1.1\r\n\r\n");
  await once(socket, "end");
  socket.destroy();
  expect(await getText("/web/log")).toEqual({ code: 200, text: "first line\nsecond line\n" });
});

test("input behind its end is passed over", async () => {
  const query = "container=app&stdin=true&stdout=true&command=sh&command=-c";
  const socket = openSocket(`/web/exec?${query}&command=${encodeURIComponent("cat; sleep 0.2")}`, [
    "v5.channel.k8s.io",
  ]);
  const received: [number, string][] = [];
  socket.on("message", (data: Buffer) => received.push([data[0] ?? -1, data.toString("utf8", 1)]));
  await once(socket, "open");
  for (const text of ["\u0000in", "close", "close", "\u0000behind"])
    socket.send(text === "close" ? Buffer.from([255, 0]) : Buffer.from(text));
  await once(socket, "close");
  expect(textOn(received, 1)).toBe("in");
});

test.each(plain)("$program cp brings a file in and out again", async (transport) => {
  const [from, inside, back] = ["from", "inside", "back"].map((name) => join(directory, name));
  const bytes = randomBytes(200_000);
  writeFileSync(from ?? "", bytes);
  expect(await kubectl(transport, ["cp", from ?? "", `default/web:${inside}`])).toMatchObject({ code: 0 });
  expect(await kubectl(transport, ["cp", `default/web:${inside}`, back ?? ""])).toMatchObject({ code: 0 });
  expect(readFileSync(back ?? "").equals(bytes)).toBe(true);
});

describe.each(transports)("port-forward by $name", ({ program, spdy }) => {
  test("carries several connections at once, and their ends", async () => {
    const env = envOf(spdy);
    const child = spawn(program, [...base(), "port-forward", "pod/web", `:${echoPort}`], { env });
    try {
      let said = "";
      child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
      child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
      await until(
        () => /127\.0\.0\.1:(\d+)/.test(said),
        () => `kubectl said where it listens, not ${said}`,
      );
      const port = Number(/127\.0\.0\.1:(\d+)/.exec(said)?.[1]);
      const texts = ["a", "bb", "c".repeat(500_000)];
      const answers = await Promise.all(texts.map((text) => exchange(port, text)));
      expect(answers.map((answer) => answer.length)).toEqual(texts.map((text) => text.length));
      expect(answers[2] === texts[2]).toBe(true);
    } finally {
      child.kill();
    }
  });

  test("tells of a port nobody listens on", async () => {
    const child = spawn(program, [...base(), "port-forward", "pod/web", ":1"], { env: envOf(spdy) });
    try {
      let said = "";
      child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
      child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
      await until(
        () => /127\.0\.0\.1:(\d+)/.test(said),
        () => `kubectl said where it listens, not ${said}`,
      );
      await exchange(Number(/127\.0\.0\.1:(\d+)/.exec(said)?.[1]), "x").catch(() => "");
      await until(
        () => said.includes("error forwarding port 1 to pod web"),
        () => `the failure was told, not ${said}`,
      );
    } finally {
      child.kill();
    }
  });
});

describe("logs", () => {
  test.each(plain)("come as text, with the options that $program asked for", async (transport) => {
    const args = ["logs", "web", "--tail", "5", "--timestamps", "--since", "10s", "--limit-bytes", "100"];
    expect(await kubectl(transport, args)).toMatchObject({ code: 0, stdout: "first line\nsecond line\n" });
    expect(node.logRequests.at(-1)).toMatchObject({
      follow: false,
      previous: false,
      timestamps: true,
      tailLines: 5,
      limitBytes: 100,
      stream: "All",
    });
    expect(Math.abs((node.logRequests.at(-1)?.sinceMs ?? 0) - (Date.now() - 10_000))).toBeLessThan(5000);
  });

  test("of a pod on no node are empty", async () => {
    expect(await getText("/pending/log")).toEqual({ code: 200, text: "" });
  });

  test.each([
    ["/two/log", 400, "a container name must be specified for pod two, choose one of: [one other]"],
    ["/two/log?container=x", 400, "container x is not valid for pod two"],
    ["/nope/log", 404, 'pods "nope" not found'],
    ["/web/log?tailLines=-1", 422, "tailLines: Invalid value: -1: must be greater than or equal to 0"],
    ["/web/log?tailLines=x", 400, 'tailLines: "x" is not a whole number'],
    ["/web/log?limitBytes=0", 422, "limitBytes: Invalid value: 0: must be greater than 0"],
    ["/web/log?sinceSeconds=0", 422, "sinceSeconds: Invalid value: 0: must be greater than 0"],
    ["/web/log?sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z", 422, "at most one of `sinceTime` or `sinceSeconds`"],
    ["/web/log?sinceTime=yesterday", 400, 'sinceTime: "yesterday" is not an RFC 3339 time'],
    ["/web/log?stream=Both", 422, 'Unsupported value: "Both": supported values: "All", "Stderr", "Stdout"'],
    ["/web/log?stream=Stdout&tailLines=1", 422, "mutually exclusive"],
    ["/lost/log", 503, 'node "elsewhere" of pod "lost" is not connected'],
    ["/web/exec?command=ls&stdout=1", 400, "Upgrade request required"],
  ])("GET %s is %d", async (path, code, message) => {
    const answer = await getText(path);
    expect(answer.code).toBe(code);
    expect(JSON.parse(answer.text)).toMatchObject({ kind: "Status", code, message: expect.stringContaining(message) });
  });

  test.each([
    ["binary.k8s.io", (data: Buffer) => data.toString()],
    ["base64.binary.k8s.io", (data: Buffer) => Buffer.from(data.toString(), "base64").toString()],
    ["", (data: Buffer) => data.toString()],
  ])("come over a WebSocket with subprotocol %j", async (protocol, decode) => {
    const socket = openSocket("/web/log", protocol === "" ? [] : [protocol]);
    let text = "";
    socket.on("message", (data: Buffer) => (text += decode(data)));
    const [code] = (await once(socket, "close")) as [number];
    expect([code, socket.protocol, text]).toEqual([1000, protocol, "first line\nsecond line\n"]);
  });

  test.each(plain)("are followed until $program hangs up", async ({ program }) => {
    const before = followersGone;
    const child = spawn(program, [...base(), "logs", "-f", "web"]);
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
    await until(
      () => text === "first line\nsecond line\n",
      () => `both lines, not ${JSON.stringify(text)}`,
    );
    child.kill();
    await until(() => followersGone > before, "the node was told that nobody follows any more");
  });

  test("are read by the JavaScript client", async () => {
    const output = collector();
    await new Log(config).log("default", "web", "app", output.stream, { follow: false });
    await until(
      () => output.text() === "first line\nsecond line\n",
      () => `both lines, not ${JSON.stringify(output.text())}`,
    );
  });
});

describe("channel protocols", () => {
  const query = "container=app&stdin=true&stdout=true&stderr=true&command=sh&command=-c";
  const script = encodeURIComponent("cat; echo err >&2; exit 3");

  test.each(["v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io", ""])("%j in binary", async (protocol) => {
    const command = protocol.startsWith("v5") ? script : encodeURIComponent("head -c 5; echo err >&2; exit 3");
    const socket = openSocket(`/web/exec?${query}&command=${command}`, protocol === "" ? [] : [protocol]);
    const received: [number, string][] = [];
    socket.on("message", (data: Buffer) => received.push([data[0] ?? -1, data.toString("utf8", 1)]));
    await once(socket, "open");
    socket.send(Buffer.from("\u0000hello"));
    if (protocol.startsWith("v5")) socket.send(Buffer.from([255, 0]));
    const [code] = (await once(socket, "close")) as [number];
    expect([code, socket.protocol]).toEqual([1000, protocol]);
    expect(received[0]).toEqual([1, ""]);
    expect(textOn(received, 1)).toBe("hello");
    expect(textOn(received, 2)).toBe("err\n");
    const end = textOn(received, 3);
    if (protocol.startsWith("v")) {
      expect(JSON.parse(end)).toEqual({
        metadata: {},
        status: "Failure",
        message: "command terminated with non-zero exit code: exit status 3",
        reason: "NonZeroExitCode",
        details: { causes: [{ reason: "ExitCode", message: "3" }] },
      });
    } else expect(end).toBe("command terminated with non-zero exit code: exit status 3");
  });

  test.each(["v4.base64.channel.k8s.io", "base64.channel.k8s.io"])("%s as text", async (protocol) => {
    const socket = openSocket(`/web/exec?${query}&command=${encodeURIComponent("head -c 5")}`, [protocol]);
    const received: [number, string][] = [];
    socket.on("message", (data: Buffer, isBinary: boolean) => {
      expect(isBinary).toBe(false);
      const text = data.toString();
      received.push([Number(text[0]), Buffer.from(text.slice(1), "base64").toString()]);
    });
    await once(socket, "open");
    socket.send(`0${Buffer.from("hello").toString("base64")}`);
    await once(socket, "close");
    expect(textOn(received, 1)).toBe("hello");
    expect(textOn(received, 3)).toBe(protocol.startsWith("v4") ? '{"metadata":{},"status":"Success"}' : "");
  });

  test("a subprotocol nobody knows is refused", async () => {
    const socket = openSocket(`/web/exec?${query}&command=true`, ["v9.channel.k8s.io"]);
    const [error] = (await once(socket, "error")) as [Error];
    expect(error.message).toContain("403");
  });

  test("a terminal's sizes reach the program, and its errors come as output", async () => {
    const path = `/web/exec?container=app&stdin=true&stdout=true&stderr=true&tty=true&command=sh&command=-c`;
    const socket = openSocket(`${path}&command=${encodeURIComponent("echo err >&2; head -c 1")}`, [
      "v4.channel.k8s.io",
    ]);
    const received: [number, string][] = [];
    socket.on("message", (data: Buffer) => received.push([data[0] ?? -1, data.toString("utf8", 1)]));
    await once(socket, "open");
    socket.send(Buffer.from('\u0004{"Width":132,"Height":43}{"Width":80,'));
    socket.send(Buffer.from('\u0004"Height":24}nonsense}'));
    await until(() => node.sizes.length >= 2, "two sizes arrived");
    expect(node.sizes.slice(-2)).toEqual([
      { width: 132, height: 43 },
      { width: 80, height: 24 },
    ]);
    socket.send(Buffer.from("\u0000x"));
    await once(socket, "close");
    expect(textOn(received, 1)).toBe("err\nx");
    expect(textOn(received, 2)).toBe("");
  });
});

describe("the JavaScript client", () => {
  test("runs a command", async () => {
    const output = collector();
    const status = await new Promise<V1Status>((resolve, reject) => {
      const command = ["sh", "-c", "echo hi; exit 2"];
      new Exec(config)
        .exec("default", "web", "app", command, output.stream, output.stream, null, false, resolve)
        .catch(reject);
    });
    expect(output.text()).toBe("hi\n");
    expect(status.details?.causes).toEqual([{ reason: "ExitCode", message: "2" }]);
  });

  test("attaches", async () => {
    const output = collector();
    const input = new PassThrough();
    await new Attach(config).attach("default", "web", "app", output.stream, output.stream, input, false);
    input.write("there\n");
    await until(
      () => output.text().includes("got there"),
      () => `an answer, not ${output.text()}`,
    );
  });

  test("forwards a port", async () => {
    const output = collector();
    const input = new PassThrough();
    await new PortForward(config).portForward("default", "web", [echoPort], output.stream, null, input);
    input.write("over the old channels");
    await until(
      () => output.text() === "over the old channels",
      () => `an echo, not ${output.text()}`,
    );
    input.end();
  });

  test("reads usage", async () => {
    const metrics = new Metrics(config);
    expect((await metrics.getNodeMetrics()).items[0]?.usage).toEqual({ cpu: "250000000n", memory: "1048576Ki" });
    const usage = (await metrics.getPodMetrics("default")).items;
    expect(usage).toMatchObject([{ metadata: { name: "web" }, containers: [{ usage: { cpu: "12000000n" } }] }]);
  });
});

test.each(plain)("$program top pod prints what the node measured", async (transport) => {
  expect((await kubectl(transport, ["top", "pod"])).stdout).toMatch(/web\s+12m\s+32Mi/);
  expect((await kubectl(transport, ["top", "pod", "-l", "app=none"])).stderr).toContain("No resources found");
  expect((await kubectl(transport, ["top", "pod", "absent"])).stderr).toContain("absent");
});

test("closing the server ends the streams that are open", async () => {
  const other = createApiServer(
    { dataDir: ":memory:", definitions: builtinDefinitions, ...streams },
    { log, now: () => Date.now() },
  );
  const otherUrl = `https://127.0.0.1:${await other.listen({ host: "127.0.0.1", port: 0 })}`;
  const otherConfig = new KubeConfig();
  otherConfig.loadFromString(other.kubeconfig(otherUrl));
  const options: RequestOptions = {};
  await otherConfig.applyToHTTPSOptions(options);
  const path = "/api/v1/namespaces/default/pods/web/exec?stdout=true&command=sleep&command=654";
  const socket = new WebSocket(otherUrl.replace("https", "wss") + path, ["v5.channel.k8s.io"], options);
  socket.on("error", () => undefined);
  await until(() => node.running.includes("sleep 654"), "the command runs");
  await other.close();
  await until(() => node.aborted.includes("sleep 654"), "the command was ended");
});

async function getText(path: string): Promise<{ readonly code: number; readonly text: string }> {
  const request = httpsRequest(`${url}/api/v1/namespaces/default/pods${path}`, { ...credentials, agent: false });
  request.end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return { code: response.statusCode ?? 0, text };
}

function openSocket(path: string, protocols: readonly string[]): WebSocket {
  const address = `${url.replace("https", "wss")}/api/v1/namespaces/default/pods${path}`;
  return new WebSocket(address, [...protocols], credentials);
}

const textOn = (received: readonly (readonly [number, string])[], channel: number): string =>
  received.flatMap(([from, text]) => (from === channel ? [text] : [])).join("");

function collector(): { readonly stream: Writable; readonly text: () => string } {
  let text = "";
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  return { stream, text: () => text };
}

async function exchange(port: number, text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let answer = "";
  socket.on("data", (chunk: Buffer) => (answer += chunk.toString()));
  await once(socket, "connect");
  socket.end(text);
  await once(socket, "close");
  return answer;
}

async function until(holds: () => boolean, what: string | (() => string)): Promise<void> {
  const deadline = Date.now() + 8000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${typeof what === "string" ? what : what()}`);
    await new Promise((again) => setTimeout(again, 20));
  }
}
