/** The controller's metrics APIs as kube-apiserver calls them: by TLS with a client certificate, and headers. */
import { request } from "node:https";
import { afterEach, expect, test } from "vitest";
import type { Client } from "../../src/client/client.ts";
import { systemClock } from "../../src/client/clock.ts";
import { createAccessReviewer } from "../../src/client/review-access.ts";
import type { SubjectAccessReview } from "../../src/api/authorization/types.gen.ts";
import type { RevisionMetrics } from "../../src/controllers/metrics-api/revision-metrics.ts";
import { createFrontProxy } from "../../src/main/front-proxy.ts";
import { metricsApiHandlers } from "../../src/main/metrics-api.ts";
import { startServingListener } from "../../src/main/serving-listener.ts";
import { issueCertificate, type KeyedCertificate } from "../../src/pki/certificate.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const now = Date.now();
const servingCa = issueCertificate({ commonName: "ebb", use: "ca", now, days: 2 });
const serving = issueCertificate({ commonName: "s", use: "server", hosts: ["127.0.0.1"], now, days: 1 }, servingCa);
const proxyCa = issueCertificate({ commonName: "front", use: "ca", now, days: 2 });
const proxy = issueCertificate({ commonName: "front-proxy-client", use: "client", now, days: 1 }, proxyCa);
const stranger = issueCertificate({ commonName: "somebody", use: "client", now, days: 1 }, proxyCa);
const forged = issueCertificate(
  { commonName: "front-proxy-client", use: "client", now, days: 1 },
  issueCertificate({ commonName: "front", use: "ca", now, days: 2 }),
);

const metrics: RevisionMetrics = {
  external: (_namespace, metric) => (metric === "rps" ? [{ labels: { a: "b" }, value: 2 }] : undefined),
  ofObjects: () => [],
};

interface Server {
  readonly port: number;
  readonly reviews: SubjectAccessReview["spec"][];
  readonly passedOn: string[];
  knowsLoad: boolean;
}

async function start(): Promise<Server> {
  const client = {
    get: async () => ({
      data: {
        "requestheader-client-ca-file": proxyCa.certificate,
        "requestheader-allowed-names": '["front-proxy-client"]',
        "requestheader-username-headers": '["X-Remote-User"]',
        "requestheader-group-headers": '["X-Remote-Group"]',
        "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
      },
    }),
    create: async (_kind: unknown, { spec }: SubjectAccessReview) => {
      server.reviews.push(spec);
      return { status: { allowed: spec.user === "hpa", reason: spec.user === "hpa" ? "" : "no rule" } };
    },
  } as unknown as Client;
  const handlers = metricsApiHandlers({
    metrics,
    frontProxy: createFrontProxy({ client, clock: systemClock }),
    reviewAccess: createAccessReviewer({ client, clock: systemClock }),
    knowsLoad: () => server.knowsLoad,
    askLeader: async (path) => {
      server.passedOn.push(path);
      return { code: 200, body: '{"from":"leader"}' };
    },
    isController: async ({ headers }) => headers.authorization === "Bearer controller",
    now: () => now,
  });
  const listener = await startServingListener({ host: "127.0.0.1", port: 0 }, serving, { handlers });
  closers.push(() => listener.close());
  const server: Server = { port: listener.port, reviews: [], passedOn: [], knowsLoad: true };
  return server;
}

interface Answer {
  readonly code: number;
  readonly body: { readonly message?: string; readonly kind?: string } & Record<string, unknown>;
}

interface Asking {
  readonly by?: KeyedCertificate;
  readonly headers?: Record<string, string | string[]>;
  readonly method?: string;
}

function ask({ port }: Server, path: string, { by = proxy, headers, method = "GET" }: Asking = {}): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const shown = headers ?? { "x-remote-user": "hpa" };
  const tls = { ca: servingCa.certificate, cert: by.certificate, key: by.key };
  const call = request({ host: "127.0.0.1", port, path, method, headers: shown, agent: false, ...tls }, (response) => {
    let text = "";
    response.on("data", (chunk: Buffer) => (text += chunk.toString()));
    response.on("end", () => resolve({ code: response.statusCode ?? 0, body: JSON.parse(text) as Answer["body"] }));
  });
  call.on("error", reject);
  call.end();
  return promise;
}

const rps = "/apis/external.metrics.k8s.io/v1beta1/namespaces/default/rps";

test("a user the front proxy vouches for reads what they may, and is asked about once", async () => {
  const server = await start();
  const headers = { "x-remote-user": "hpa", "x-remote-group": ["a", "b"], "x-remote-extra-scopes%2fx": "y" };
  const answer = await ask(server, `${rps}?labelSelector=a%3Db`, { headers });
  expect(answer).toMatchObject({ code: 200, body: { kind: "ExternalMetricValueList", items: [{ value: "2" }] } });
  await ask(server, rps, { headers });
  const resourceAttributes = {
    verb: "list",
    group: "external.metrics.k8s.io",
    version: "v1beta1",
    resource: "rps",
    namespace: "default",
  };
  expect(server.reviews).toEqual([
    { user: "hpa", groups: ["a", "b"], extra: { "scopes/x": ["y"] }, resourceAttributes },
  ]);
});

test.each([
  ["a certificate of another name", { by: stranger }],
  ["a certificate of another authority of that name", { by: forged }],
  ["a server's certificate", { by: serving }],
  ["no user", { headers: {} }],
])("%s is not believed", async (_what, asking) => {
  const server = await start();
  expect(await ask(server, rps, asking)).toMatchObject({ code: 401, body: { message: "Unauthorized" } });
  expect(server.reviews).toEqual([]);
});

test("who may not is told so in upstream's words", async () => {
  const server = await start();
  expect(await ask(server, rps, { headers: { "x-remote-user": "eve" } })).toMatchObject({
    code: 403,
    body: {
      reason: "Forbidden",
      message:
        'rps.external.metrics.k8s.io is forbidden: User "eve" cannot list resource "rps" in API group "external.metrics.k8s.io" in the namespace "default": no rule',
    },
  });
});

test("a replica that does not know the load has the leader answer, but not for another replica", async () => {
  const server = await start();
  server.knowsLoad = false;
  expect(await ask(server, `${rps}?labelSelector=a`)).toEqual({ code: 200, body: { from: "leader" } });
  expect(server.passedOn).toEqual([`${rps}?labelSelector=a`]);
  const controller = { by: stranger, headers: { authorization: "Bearer controller" } };
  expect(await ask(server, rps, controller)).toMatchObject({ code: 503 });
  server.knowsLoad = true;
  expect(await ask(server, rps, controller)).toMatchObject({ code: 200, body: { kind: "ExternalMetricValueList" } });
  expect(server.passedOn).toHaveLength(1);
});

test.each([
  ["/apis", "APIGroupList"],
  ["/apis/custom.metrics.k8s.io", "APIGroup"],
  ["/apis/custom.metrics.k8s.io/v1beta2", "APIResourceList"],
  ["/apis/external.metrics.k8s.io/v1beta1/", "APIResourceList"],
])("discovery has %s", async (path, kind) => {
  expect(await ask(await start(), path)).toMatchObject({ code: 200, body: { kind } });
});

test.each([
  [404, "/apis/apps/v1/deployments", "GET"],
  [404, "/apis/custom.metrics.k8s.io/v9", "GET"],
  [404, "/apis/apps", "GET"],
  [405, rps, "DELETE"],
])("%d for %s by %s", async (code, path, method) => {
  expect(await ask(await start(), path, { method })).toMatchObject({ code, body: { kind: "Status" } });
});
