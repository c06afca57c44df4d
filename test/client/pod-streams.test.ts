import { createServer as createHttpServer } from "node:http";
import { connect as connectTcp, createServer as createTcpServer, type AddressInfo, type Server } from "node:net";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builtinDefinitions } from "../../src/api/definitions.ts";
import { PodKind } from "../../src/api/core/kinds.ts";
import type { Pod } from "../../src/api/core/types.gen.ts";
import { isNotFound } from "../../src/api/meta/errors.ts";
import { createApiServer, type ApiServer } from "../../src/apiserver/server.ts";
import { createStreams } from "../../src/apiserver/streams/create-streams.ts";
import { createHttpClient, type HttpClient } from "../../src/client/http-client.ts";
import { loadKubeconfig } from "../../src/client/kubeconfig.ts";
import { execInPod } from "../../src/client/pod-exec.ts";
import { connectToPod } from "../../src/client/pod-port.ts";
import { createProcessNode } from "../apiserver/process-node.ts";
import { silentLogger as log } from "../silent-logger.ts";

let server: ApiServer;
let echo: Server;
let proxy: Server;
let tunnels = 0;
let directory: string;
const clients = new Map<string, HttpClient>();

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "ebb-pod-streams-"));
  const pods = new Map<string, Pod>();
  const node = createProcessNode({
    async *logs() {
      yield Buffer.from("");
    },
  });
  const streams = createStreams({
    connectionFor: () => node,
    getPod: (namespace, name) => pods.get(`${namespace}/${name}`),
    getService: () => undefined,
    getEndpoints: () => undefined,
    nodeNames: () => ["here"],
    now: () => Date.now(),
  });
  server = createApiServer(
    { dataDir: ":memory:", definitions: builtinDefinitions, ...streams },
    { log, now: () => Date.now() },
  );
  const port = await server.listen({ host: "127.0.0.1", port: 0 });
  const pod = await server.api.create(PodKind, {
    metadata: { name: "web", namespace: "default" },
    spec: { containers: [{ name: "app", image: "example.com/app" }], nodeName: "here" },
  });
  pods.set(
    "default/web",
    await server.api.update(PodKind, { ...pod, status: { phase: "Running" } }, { subresource: "status" }),
  );
  echo = createTcpServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  });
  proxy = createHttpServer().on("connect", (request, socket) => {
    tunnels += 1;
    const [host = "", to = ""] = (request.url ?? "").split(":");
    const through = connectTcp(Number(to), host, () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      socket.pipe(through).pipe(socket);
    });
    for (const side of [socket, through]) side.on("error", () => side.destroy());
  });
  for (const one of [echo, proxy]) await new Promise<void>((ready) => void one.listen(0, "127.0.0.1", ready));
  const file = join(directory, "kubeconfig");
  writeFileSync(file, server.kubeconfig(`https://127.0.0.1:${port}`));
  const config = await loadKubeconfig(file, undefined, {});
  clients.set("directly", createHttpClient(config, { userAgent: "test" }));
  const proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  clients.set("through a proxy", createHttpClient({ ...config, proxyUrl }, { userAgent: "test" }));
});

afterAll(async () => {
  for (const client of clients.values()) await client.close();
  await server.close();
  echo.close();
  proxy.close();
  rmSync(directory, { recursive: true });
});

function collector(): { readonly stream: Writable; readonly text: () => string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({ write: (chunk: Buffer, _encoding, done) => (chunks.push(chunk), done()) });
  return { stream, text: () => Buffer.concat(chunks).toString("utf8") };
}

describe.each(["directly", "through a proxy"])("%s", (way) => {
  const client = (): HttpClient => {
    const found = clients.get(way);
    if (!found) throw new Error(`no client goes ${way}`);
    return found;
  };

  async function run(script: string, stdin?: Readable) {
    const stdout = collector();
    const stderr = collector();
    const code = await execInPod(client(), {
      namespace: "default",
      pod: "web",
      container: "app",
      command: ["sh", "-c", script],
      stdout: stdout.stream,
      stderr: stderr.stream,
      ...(stdin ? { stdin } : {}),
    });
    return { code, stdout: stdout.text(), stderr: stderr.text() };
  }

  test("a command's output, errors and exit code come back", async () => {
    expect(await run("echo out; echo err >&2; exit 7")).toEqual({ code: 7, stdout: "out\n", stderr: "err\n" });
    expect(await run("true")).toMatchObject({ code: 0 });
  });

  test("a command reads its input to the end, however long", async () => {
    const sent = "0123456789abcdef".repeat(65_536);
    expect(await run("wc -c", Readable.from([Buffer.from(sent), Buffer.from(sent)]))).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(String(2 * sent.length)),
    });
  });

  test("a port carries bytes both ways", async () => {
    const { port } = echo.address() as AddressInfo;
    const stream = await connectToPod(client(), { namespace: "default", pod: "web", port });
    const sent = Buffer.alloc(600_000, "x");
    stream.write(sent);
    let seen = 0;
    for await (const chunk of stream) {
      seen += (chunk as Buffer).byteLength;
      if (seen >= sent.byteLength) break;
    }
    expect(seen).toBe(sent.byteLength);
  });

  test("a port nobody listens on is an error that names it", async () => {
    const free = createTcpServer();
    await new Promise<void>((ready) => void free.listen(0, "127.0.0.1", ready));
    const { port } = free.address() as AddressInfo;
    await new Promise((closed) => free.close(closed));
    const stream = await connectToPod(client(), { namespace: "default", pod: "web", port });
    await expect(text(stream.pipe(new PassThrough()) && stream)).rejects.toThrow(`port ${port} of pod web`);
  });

  test("a pod that is not there is the API's own refusal", async () => {
    const nobody = { namespace: "default", pod: "nobody", port: 80 };
    await expect(connectToPod(client(), nobody)).rejects.toSatisfy(isNotFound);
  });
});

test("the proxy was really used", () => expect(tunnels).toBeGreaterThan(4));
