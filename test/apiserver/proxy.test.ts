import { createServer, type Server } from "node:http";
import { request, type RequestOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EndpointsKind, PodKind, ServiceKind } from "../../src/api/core/kinds.ts";
import type { Endpoints, Pod, Service } from "../../src/api/core/types.gen.ts";
import { builtinDefinitions } from "../../src/api/definitions.ts";
import { createApiServer, type ApiServer } from "../../src/apiserver/server.ts";
import { createStreams } from "../../src/apiserver/streams/create-streams.ts";
import { createProcessNode } from "./process-node.ts";
import { silentLogger as quiet } from "../silent-logger.ts";

const objects = new Map<string, unknown>();
const find = <T>(kind: string, namespace: string, name: string): T | undefined =>
  objects.get(`${kind} ${namespace}/${name}`) as T | undefined;

let server: ApiServer;
let program: Server;
let port = 0;
let url = "";
const credentials: RequestOptions = {};

beforeAll(async () => {
  program = createServer((asked, answer) => {
    void text(asked).then((body) => {
      if (asked.url === "/cut") return void asked.socket.destroy();
      answer.setHeader("x-own", "1");
      answer.statusCode = asked.url?.startsWith("/teapot") ? 418 : 200;
      answer.end(JSON.stringify({ method: asked.method, url: asked.url, headers: asked.headers, body }));
    });
  });
  await new Promise<void>((ready) => void program.listen(0, "127.0.0.1", ready));
  port = (program.address() as AddressInfo).port;
  const node = createProcessNode({ logs: () => (async function* () {})() });
  const streams = createStreams({
    connectionFor: (name) => (name === "here" ? node : undefined),
    getPod: (namespace, name) => find<Pod>("Pod", namespace, name),
    getService: (namespace, name) => find<Service>("Service", namespace, name),
    getEndpoints: (namespace, name) => find<Endpoints>("Endpoints", namespace, name),
    nodeNames: () => ["here"],
    now: Date.now,
  });
  server = createApiServer(
    { dataDir: ":memory:", definitions: builtinDefinitions, ...streams },
    { log: quiet, now: Date.now },
  );
  url = `https://127.0.0.1:${await server.listen({ host: "127.0.0.1", port: 0 })}`;
  const config = new KubeConfig();
  config.loadFromString(server.kubeconfig(url));
  await config.applyToHTTPSOptions(credentials);
  await make();
});
afterAll(async () => {
  program.closeAllConnections();
  program.close();
  await server.close();
});

async function make(): Promise<void> {
  const metadata = { name: "web", namespace: "default" };
  const ports = [{ name: "http", containerPort: port }];
  const containers = [{ name: "c", image: "example.com/app", ports }];
  objects.set(
    "Pod default/web",
    await server.api.create(PodKind, { metadata, spec: { nodeName: "here", containers } }),
  );
  const spec = { selector: { app: "web" }, ports: [{ name: "main", port: 80 }] };
  objects.set("Service default/web", await server.api.create(ServiceKind, { metadata, spec }));
  const lonely = { name: "lonely", namespace: "default" };
  objects.set("Service default/lonely", await server.api.create(ServiceKind, { metadata: lonely, spec }));
  const addresses = [{ ip: "127.64.0.9", targetRef: { kind: "Pod", name: "web", namespace: "default" } }];
  const subsets = [{ addresses, ports: [{ name: "main", port }] }];
  objects.set("Endpoints default/web", await server.api.create(EndpointsKind, { metadata, subsets }));
}

interface Said {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly json: Record<string, unknown>;
}

async function ask(path: string, options: { readonly method?: string; readonly body?: string } = {}): Promise<Said> {
  const { promise, resolve, reject } = Promise.withResolvers<Said>();
  const headers = { "x-mine": "1", authorization: "Bearer secret" };
  const where = new URL(`/api/v1/namespaces/default/${path}`, url);
  const sent = request(where, { ...credentials, headers, method: options.method ?? "GET", agent: false }, (answer) => {
    text(answer).then((said) => {
      const json = said.startsWith("{") ? (JSON.parse(said) as Record<string, unknown>) : {};
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers, json });
    }, reject);
  });
  sent.once("error", reject);
  sent.end(options.body);
  return await promise;
}

test.each([
  ["pods/web/proxy/a/b%20c/?q=1&r=%2F", "/a/b%20c/?q=1&r=%2F"],
  ["pods/web:http/proxy/x", "/x"],
  ["pods/http:web:http/proxy/", "/"],
  ["services/web/proxy/deep/path", "/deep/path"],
  ["services/web:80/proxy/", "/"],
  ["services/web:main/proxy/", "/"],
])("%s reaches the program as %s", async (path, target) => {
  const { status, headers, json } = await ask(path);
  expect({ status, own: headers["x-own"] }).toEqual({ status: 200, own: "1" });
  expect(json).toMatchObject({ method: "GET", url: target, headers: { "x-mine": "1", host: `web:${port}` } });
  expect(json["headers"]).not.toHaveProperty("authorization");
});

test("methods, bodies and the program's own errors pass through", async () => {
  const posted = await ask(`pods/web:${port}/proxy/teapot`, { method: "POST", body: "milk" });
  expect(posted).toMatchObject({ status: 418, json: { method: "POST", url: "/teapot", body: "milk" } });
});

test("a path without its last slash is sent to the one with it", async () => {
  const { status, headers } = await ask("services/web/proxy?q=1");
  expect([status, headers["location"]]).toEqual([301, "/api/v1/namespaces/default/services/web/proxy/?q=1"]);
});

test.each([
  ["pods/none/proxy/", 404, 'pods "none" not found'],
  ["services/none/proxy/", 404, 'services "none" not found'],
  ["services/lonely/proxy/", 503, 'no endpoints available for service "lonely"'],
  ["services/web:other/proxy/", 503, 'no service port "other" found for service "web"'],
  ["pods/web:nope/proxy/", 400, 'port "nope" is neither a port\'s name nor a number'],
  ["pods/https:web:1/proxy/", 400, "cannot speak https to web"],
  ["pods/web:1/proxy/", 503, "error trying to reach port 1 of pod web"],
  ["pods/web/proxy/cut", 503, "of pod web: "],
])("%s answers %i", async (path, status, words) => {
  const said = await ask(path);
  expect(said.status).toBe(status);
  expect(said.json["message"]).toContain(words);
});
