import { createServer, type Server } from "node:http";
import { createServer as createHttp2, type Http2Server, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Probe } from "../../api/core/types.gen.ts";
import { probeOnce, type ProbeResult } from "./probe-once.ts";

let server: Server;
let grpc: Http2Server;
let lastHeaders: NodeJS.Dict<string | readonly string[]> = {};
const port = (s: Server | Http2Server): number => (s.address() as AddressInfo).port;
const listen = (s: Server | Http2Server): Promise<void> =>
  new Promise((resolve) => void s.listen(0, "127.0.0.1", resolve));

beforeEach(async () => {
  server = createServer((req, res) => {
    lastHeaders = req.headers;
    if (req.url === "/hang") return;
    res.writeHead(Number(req.url?.slice(1)) || 200, { location: "/elsewhere" }).end("body");
  });
  grpc = createHttp2();
  grpc.on("stream", (stream: ServerHttp2Stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      const service = Buffer.concat(chunks).subarray(7).toString();
      if (headers[":path"] !== "/grpc.health.v1.Health/Check" || service === "unknown-rpc") {
        stream.respond({ ":status": 200, "grpc-status": "12" }, { endStream: true });
        return;
      }
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(Buffer.from([0, 0, 0, 0, 2, 0x08, service === "sick" ? 2 : 1]));
    });
  });
  await Promise.all([listen(server), listen(grpc)]);
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  grpc.close();
});

const locate = (p: number | string) =>
  p === "web" || p === 80
    ? { host: "127.0.0.1", port: port(server) }
    : p === 50_051
      ? { host: "127.0.0.1", port: port(grpc) }
      : p === 1
        ? { host: "127.0.0.1", port: 1 }
        : undefined;

const exec = (command: readonly string[], options: { readonly stdout?: NodeJS.WritableStream }): Promise<number> => {
  options.stdout?.write("words of the command\n");
  return Promise.resolve(command[0] === "true" ? 0 : 4);
};

const run = (probe: Probe, signal = AbortSignal.timeout(5_000)): Promise<ProbeResult> =>
  probeOnce(probe, { running: { exec }, locate }, signal);

test.each([200, 204, 302, 399])("status %i is success, a redirect is not followed", async (status) => {
  expect(await run({ httpGet: { port: 80, path: `/${status}` } })).toEqual({ ok: true });
});

test.each<readonly [string, Probe, RegExp]>([
  ["a 4xx", { httpGet: { port: "web", path: "/404" } }, /^HTTP probe failed with statuscode: 404$/],
  ["nobody listening", { httpGet: { port: 1 } }, /^Get "http:\/\/127\.0\.0\.1:1\/": connect: connection refused$/],
  ["a port nobody has", { tcpSocket: { port: "admin" } }, /^no container has a port "admin"$/],
  ["a refused connection", { tcpSocket: { port: 1 } }, /^dial tcp 127\.0\.0\.1:1: connect: connection refused$/],
  ["a failing command", { exec: { command: ["false"] } }, /^words of the command$/],
  [
    "a service not serving",
    { grpc: { port: 50_051, service: "sick" } },
    /^service unhealthy \(responded with "NOT_SERVING"\)$/,
  ],
  [
    "a server without health",
    { grpc: { port: 50_051, service: "unknown-rpc" } },
    /does not implement the grpc health protocol/,
  ],
])("%s fails", async (_, probe, message) => {
  const result = await run(probe);
  expect(result.ok ? "ok" : result.message).toMatch(message);
});

test.each<readonly [string, Probe]>([
  ["tcp", { tcpSocket: { port: 80 } }],
  ["grpc", { grpc: { port: 50_051 } }],
  ["exec", { exec: { command: ["true"] } }],
])("%s succeeds", async (_, probe) => {
  expect(await run(probe)).toEqual({ ok: true });
});

test("an http probe says who it is and sends the headers asked for", async () => {
  await run({ httpGet: { port: 80, httpHeaders: [{ name: "X-Custom", value: "1" }] } });
  expect(lastHeaders["user-agent"]).toMatch(/^kube-probe\//);
  expect(lastHeaders["x-custom"]).toBe("1");
});

test("the signal ends a probe that gets no answer", async () => {
  const result = await run({ httpGet: { port: 80, path: "/hang" } }, AbortSignal.timeout(50));
  expect(result.ok ? "ok" : result.message).toMatch(/context deadline exceeded$/);
});
