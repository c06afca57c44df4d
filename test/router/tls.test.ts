/** HTTPS at the router: certificates from the Secrets that Ingresses name, both protocols, redirects. */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { connect as connectHttp2 } from "node:http2";
import type { AddressInfo } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { SecretKind } from "../../src/api/core/kinds.ts";
import { KIngressKind } from "../../src/api/networking-internal/kinds.ts";
import { issueCertificate, type KeyedCertificate } from "../../src/pki/certificate.ts";
import {
  ask,
  namespace,
  readyStatus,
  routeTo,
  startRouterCluster,
  until,
  type RouterCluster,
} from "./cluster-harness.ts";

const validity = { now: Date.now(), days: 1 };
const authority = issueCertificate({ commonName: "test", use: "ca", ...validity });
const issue = (name: string): KeyedCertificate =>
  issueCertificate({ commonName: name, use: "server", hosts: [name], ...validity }, authority);

// A busy machine takes its time to start routers.
vi.setConfig({ testTimeout: 60_000 });

let cluster: RouterCluster;
beforeEach(async () => void (cluster = await startRouterCluster()));
afterEach(() => cluster.close());

const host = "hello.example.com";

async function putSecret(name: string, { certificate, key }: KeyedCertificate): Promise<void> {
  const data = {
    "tls.crt": Buffer.from(certificate).toString("base64"),
    "tls.key": Buffer.from(key).toString("base64"),
  };
  await cluster.api.create(SecretKind, { metadata: { name, namespace }, type: "kubernetes.io/tls", data });
}

async function serve(port: number, httpOption?: string): Promise<void> {
  await cluster.revision("hello-00001");
  await cluster.route("hello", {
    ...routeTo(host, "hello-00001"),
    tls: [{ hosts: [host], secretName: "cert", secretNamespace: namespace }],
    ...(httpOption === undefined ? {} : { httpOption }),
  });
  await cluster.pod("p", { revision: "hello-00001", port, status: readyStatus(true) });
}

const echoApp = (): Promise<number> =>
  cluster.app((asked, response) => {
    const { "x-forwarded-proto": proto, forwarded } = asked.headers;
    let body = "";
    asked.setEncoding("utf8").on("data", (text: string) => (body += text));
    asked.on("end", () => response.end(JSON.stringify({ proto, forwarded, length: body.length })));
  });

/** Resolves once a handshake for the name succeeds. */
const handshake = (port: number, servername = host): Promise<TLSSocket> =>
  until(
    async () => {
      const socket = connect({ port, host: "127.0.0.1", servername, ca: authority.certificate, ALPNProtocols: ["h2"] });
      try {
        await once(socket, "secureConnect");
        return socket;
      } catch {
        return undefined;
      }
    },
    (socket) => socket !== undefined,
    "a handshake to succeed",
  ) as Promise<TLSSocket>;

function askSecurely(port: number, body = ""): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const options = { port, host: "127.0.0.1", servername: host, ca: authority.certificate, agent: false as const };
    const asked = request({ ...options, method: "POST", headers: { host } }, (answer: IncomingMessage) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part: string) => (text += part));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: text }));
    });
    asked.on("error", reject).end(body);
  });
}

test("https is served with the certificate of the Secret, HTTP/1.1 and HTTP/2, large bodies both ways", async () => {
  await serve(await echoApp());
  const router = await cluster.startRouter();
  await putSecret("cert", issue(host));
  (await handshake(router.securePort)).destroy();
  const { status, body } = await askSecurely(router.securePort, "z".repeat(1_000_000));
  expect(status).toBe(200);
  expect(JSON.parse(body)).toEqual({
    proto: "https",
    forwarded: `for=127.0.0.1;host=${host};proto=https`,
    length: 1_000_000,
  });
  const session = connectHttp2(`https://127.0.0.1:${router.securePort}`, {
    servername: host,
    ca: authority.certificate,
  });
  const stream = session.request({ ":method": "POST", ":path": "/", ":authority": host });
  stream.end("hello");
  let text = "";
  stream.setEncoding("utf8").on("data", (part: string) => (text += part));
  const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
  await once(stream, "end");
  expect(headers[":status"]).toBe(200);
  expect(JSON.parse(text)).toMatchObject({ proto: "https", length: 5 });
  session.close();
});

test("a WebSocket passes by wss", async () => {
  const echo = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  echo.on("connection", (socket) => socket.on("message", (text) => socket.send(`echo ${String(text)}`)));
  await once(echo, "listening");
  await putSecret("cert", issue(host));
  await serve((echo.address() as AddressInfo).port);
  const router = await cluster.startRouter();
  (await handshake(router.securePort)).destroy();
  const options = { servername: host, ca: authority.certificate, headers: { host } };
  const socket = new WebSocket(`wss://127.0.0.1:${router.securePort}/`, options);
  await once(socket, "open");
  socket.send("hello");
  expect(String(((await once(socket, "message")) as [Buffer])[0])).toBe("echo hello");
  socket.close();
  await once(socket, "close");
  echo.close();
});

test("a name without a certificate has no handshake, and takes none of another name", async () => {
  await serve(await echoApp());
  await putSecret("cert", issue(host));
  const router = await cluster.startRouter();
  (await handshake(router.securePort)).destroy();
  for (const servername of ["other.example.com", ""]) {
    const socket = connect({ port: router.securePort, host: "127.0.0.1", servername, rejectUnauthorized: false });
    await expect(once(socket, "secureConnect")).rejects.toThrow();
  }
});

test("with httpOption Redirected, http leads to https, but for proofs to issuers and what a proxy made https", async () => {
  await serve(await echoApp(), "Redirected");
  const router = await cluster.startRouter();
  const answer = await until(
    () => ask(router.externalPort, `${host}:80`, "/a?b=c"),
    ({ status }) => status !== 404,
    "the route",
  );
  expect(answer.status).toBe(301);
  expect(answer.headers.location).toBe(`https://${host}/a?b=c`);
  expect((await ask(router.externalPort, host, "/.well-known/acme-challenge/x")).status).toBe(200);
  expect((await ask(router.internalPort, host)).status).toBe(200);
  const ingress = await cluster.api.get(KIngressKind, { namespace, name: "hello" });
  await cluster.api.update(KIngressKind, { ...ingress, spec: { ...ingress.spec, httpOption: "Enabled" } });
  await until(
    () => ask(router.externalPort, host),
    ({ status }) => status === 200,
    "http to be served again",
  );
});
