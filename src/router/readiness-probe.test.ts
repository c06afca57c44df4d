import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttp2Server, type ServerHttp2Stream } from "node:http2";
import { createServer, type AddressInfo, type Server } from "node:net";
import { afterEach, expect, test } from "vitest";
import { canProbe, probeOnce } from "./readiness-probe.ts";

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

const http = (listener: RequestListener): Promise<number> => listen(createHttpServer(listener));

test.each([
  [200, true],
  [204, true],
  [302, true],
  [399, true],
  [400, false],
  [503, false],
])("an HTTP probe answered with %i gives %s", async (status, expected) => {
  const port = await http((_, response) => response.writeHead(status).end());
  expect(await probeOnce("127.0.0.1", { httpGet: { port } })).toBe(expected);
});

test("an HTTP probe asks as a kubelet does, with the path and headers it was given", async () => {
  const seen: string[] = [];
  const port = await http((request, response) => {
    seen.push(`${request.url} ${request.headers.host} ${request.headers["user-agent"]} ${request.headers["x-a"]}`);
    response.end();
  });
  const httpHeaders = [
    { name: "X-A", value: "b" },
    { name: "Host", value: "me" },
  ];
  await probeOnce("127.0.0.1", { httpGet: { port, path: "/ok?x=1", httpHeaders } });
  await probeOnce("127.0.0.1", { httpGet: { port } });
  expect(seen).toEqual(["/ok?x=1 me kube-probe/1.36 b", `/ 127.0.0.1:${port} kube-probe/1.36 undefined`]);
});

test("an HTTP probe gives up on an app that does not answer within its time-out, or answers something else", async () => {
  const silent = await http(() => undefined);
  const probe = { httpGet: { port: silent }, timeoutSeconds: 1 };
  const startMs = performance.now();
  expect(await probeOnce("127.0.0.1", probe)).toBe(false);
  expect(performance.now() - startMs).toBeLessThan(1900);
  const rubbish = await listen(
    createServer((socket) =>
      socket
        .resume()
        .on("error", () => undefined)
        .end("hello, this is no HTTP at all, nor will it be\n"),
    ),
  );
  expect(await probeOnce("127.0.0.1", { httpGet: { port: rubbish } })).toBe(false);
});

test("a TCP probe is a connection", async () => {
  const port = await listen(createServer((socket) => socket.on("error", () => undefined)));
  expect(await probeOnce("127.0.0.1", { tcpSocket: { port } })).toBe(true);
  await new Promise((resolve) => servers.pop()?.close(resolve));
  expect(await probeOnce("127.0.0.1", { tcpSocket: { port } })).toBe(false);
});

test.each([
  ["SERVING", [0x08, 1], "", true],
  ["NOT_SERVING", [0x08, 2], "", false],
  ["nothing", [], "", false],
  ["SERVING of a named service", [0x08, 1], "my.Service", true],
  ["SERVING of a long name", [0x08, 1], "s".repeat(200), true],
])("a gRPC probe answered with %s", async (_, message, service, expected) => {
  const asked: string[] = [];
  const server = createHttp2Server();
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    const parts: Buffer[] = [];
    stream.on("data", (bytes: Buffer) => parts.push(bytes));
    stream.on("end", () => {
      const body = Buffer.concat(parts);
      asked.push(
        `${headers[":path"]} ${body.readUInt32BE(1)} ${body.subarray(-service.length || body.length).toString()}`,
      );
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(Buffer.from([0, 0, 0, 0, message.length, ...message]));
    });
  });
  const port = await listen(server as unknown as Server);
  const grpc = service === "" ? { port } : { port, service };
  expect(await probeOnce("127.0.0.1", { grpc })).toBe(expected);
  const tag = service.length < 128 ? 2 : 3;
  const length = service === "" ? 0 : service.length + tag;
  expect(asked[0]).toMatch(new RegExp(`^/grpc\\.health\\.v1\\.Health/Check ${length} `));
  if (service !== "") expect(asked[0]).toContain(service);
});

test("what runs in the container, or asks somebody else, is left to the kubelet", () => {
  expect(canProbe({ exec: { command: ["true"] } })).toBe(false);
  expect(canProbe({ httpGet: { port: 1, host: "10.0.0.1" } })).toBe(false);
  expect(canProbe({ tcpSocket: { port: 1, host: "10.0.0.1" } })).toBe(false);
  expect(canProbe({ tcpSocket: { port: 1 } })).toBe(true);
  expect(canProbe({ grpc: { port: 1 } })).toBe(true);
});
