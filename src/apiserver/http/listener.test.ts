import { connect, type TLSSocket } from "node:tls";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ConfigMapKind } from "../../api/core/kinds.ts";
import { startTestServer, type TestServer } from "../test-server.ts";

let t: TestServer;
beforeEach(async () => {
  t = await startTestServer();
});
afterEach(async () => {
  await t.close();
  expect(t.errors).toEqual([]);
});

/** A TLS connection of the kubeconfig's user on which bytes can be sent as they are. */
async function dial(): Promise<TLSSocket> {
  const config = JSON.parse(t.server.kubeconfig(t.url)).users[0].user;
  const plain = (name: string): string => Buffer.from(config[name], "base64").toString();
  const options = { ca: t.server.caCertificate, cert: plain("client-certificate-data"), key: plain("client-key-data") };
  return await new Promise((resolve, reject) => {
    const socket = connect(
      { host: "127.0.0.1", port: Number(new URL(t.url).port), servername: "localhost", ...options },
      () => resolve(socket),
    );
    socket.on("error", reject);
  });
}

async function readUntil(socket: TLSSocket, pattern: RegExp): Promise<string> {
  let seen = "";
  socket.on("data", (chunk) => (seen += String(chunk)));
  await expect.poll(() => seen, { timeout: 10_000 }).toMatch(pattern);
  return seen;
}

test("clients that go away in the middle of a body or header leave the server as it was", async () => {
  const body = await dial();
  body.write(
    "POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
  );
  body.destroy();
  const head = await dial();
  head.write("GET /api/v1/na");
  head.destroy();
  expect((await t.ask("GET", "/readyz")).text).toBe("ok");
});

test("two requests sent at once are answered in order", async () => {
  const socket = await dial();
  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
  socket.write(get("/version") + get("/healthz"));
  const seen = await readUntil(socket, /\r\nok$/);
  expect(seen.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  socket.destroy();
});

test("a body too large is answered before it is read, and the connection closed", async () => {
  const socket = await dial();
  socket.write("POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n");
  expect(await readUntil(socket, /RequestEntityTooLarge/)).toMatch(/Connection: close/i);
  socket.destroy();
});

test("a watcher that does not read is cut off, and the others go on", async () => {
  const lazy = await dial();
  lazy.write("GET /api/v1/namespaces/default/configmaps?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n");
  await readUntil(lazy, /200 OK/);
  lazy.pause();
  let closed = false;
  lazy.on("close", () => (closed = true));
  const data = { big: "x".repeat(500_000) };
  for (let i = 0; i < 60; i += 1)
    await t.server.api.create(ConfigMapKind, { metadata: { name: `big-${i}`, namespace: "default" }, data });
  let tail = "";
  lazy.on("data", (chunk) => (tail = (tail + String(chunk)).slice(-400)));
  lazy.resume();
  await expect.poll(() => tail, { timeout: 10_000 }).toMatch(/"reason":"Expired"[^}]*"code":410/);
  expect(closed).toBe(false);
  lazy.destroy();
});

test("in process too", async () => {
  const stop = new AbortController();
  const events = t.server.api.watch(ConfigMapKind, { namespace: "default", signal: stop.signal });
  const watching = events[Symbol.asyncIterator]();
  await watching.next();
  const at = { namespace: "default", name: "kube-root-ca.crt" };
  for (let i = 0; i < 10_100; i += 1)
    await t.server.api.patch(ConfigMapKind, at, { type: "merge", body: { data: { n: String(i) } } });
  const drain = async (): Promise<void> => {
    for (;;) await watching.next();
  };
  await expect(drain()).rejects.toThrow("too slow");
});

test("two servers live side by side", async () => {
  const other = await startTestServer();
  await other.server.api.create(ConfigMapKind, { metadata: { name: "only-there", namespace: "default" } });
  expect((await t.ask("GET", "/api/v1/namespaces/default/configmaps/only-there")).status).toBe(404);
  expect((await other.ask("GET", "/api/v1/namespaces/default/configmaps/only-there")).status).toBe(200);
  await other.close();
});
