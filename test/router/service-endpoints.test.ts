/** A domain mapped to a core Service that no Revision has: answered by the Service's endpoints. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, test } from "vitest";
import { ServiceKind } from "../../src/api/core/kinds.ts";
import { builtinDefinitions } from "../../src/api/definitions.ts";
import { EndpointSliceKind } from "../../src/api/discovery/kinds.ts";
import { KIngressKind } from "../../src/api/networking-internal/kinds.ts";
import type { Ingress } from "../../src/api/networking-internal/types.gen.ts";
import { createApiServer } from "../../src/apiserver/server.ts";
import type { Client } from "../../src/client/client.ts";
import { createInformers } from "../../src/client/create-informers.ts";
import { createRouter } from "../../src/router/router.ts";
import { followRoutes } from "../../src/router/router-controller.ts";
import { followServices } from "../../src/router/service-endpoints.ts";
import { eventually, RawClient, silentLog as log } from "../../src/router/testing/router-harness.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function start(): Promise<{ readonly api: Client; ask(): Promise<string>; readonly revisions: () => number }> {
  const server = createApiServer({ dataDir: ":memory:", definitions: builtinDefinitions }, { log, now: Date.now });
  closers.push(() => server.close());
  const informers = createInformers(server.api, { log });
  closers.push(() => informers.close());
  const router = createRouter({}, { log });
  closers.push(() => router.destroy());
  closers.push(followRoutes({ informers, router }));
  closers.push(followServices(informers, (event) => router.applyInstance(event)));
  const { port } = await router.listen({ host: "127.0.0.1", port: 0 });
  const ask = async (): Promise<string> => {
    const client = new RawClient(port).send("GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n");
    return client.toEnd();
  };
  return { api: server.api, ask, revisions: () => router.revisionCount };
}

async function serve(text: string): Promise<number> {
  const server: Server = createServer((_req, res) => res.end(text));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

const domain = (): Pick<Ingress, "metadata" | "spec"> => ({
  metadata: { name: "shop.test", namespace: "default" },
  spec: {
    rules: [
      {
        hosts: ["shop.test"],
        visibility: "ExternalIP",
        http: {
          paths: [
            {
              rewriteHost: "shop.default.svc.cluster.local",
              splits: [{ serviceName: "shop", serviceNamespace: "default", servicePort: 80, percent: 100 }],
            },
          ],
        },
      },
    ],
  },
});

async function answers(ask: () => Promise<string>, what: RegExp): Promise<void> {
  let seen = "";
  for (let i = 0; i < 200; i++) {
    seen = await ask();
    if (what.test(seen)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`never answered ${what}; last: ${seen}`);
}

test("is answered by the endpoints at the Service's port 80, and says so when there are none", async () => {
  const { api, ask, revisions } = await start();
  const [web, admin] = [await serve("the web port"), await serve("the admin port")];
  await api.create(KIngressKind, domain());
  await answers(ask, /^HTTP\/1\.1 503 [^]*no ready endpoints/);

  const ports = [
    { name: "admin", port: 9000 },
    { name: "web", port: 80 },
  ];
  await api.create(ServiceKind, { metadata: { name: "shop", namespace: "default" }, spec: { ports } });
  const slice = await api.create(EndpointSliceKind, {
    metadata: { name: "shop-1", namespace: "default", labels: { "kubernetes.io/service-name": "shop" } },
    addressType: "IPv4",
    ports: [
      { name: "admin", port: admin },
      { name: "web", port: web },
    ],
    endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready: true } }],
  });
  await answers(ask, /^HTTP\/1\.1 200 [^]*the web port$/);

  await api.update(EndpointSliceKind, { ...slice, endpoints: [] });
  await answers(ask, /^HTTP\/1\.1 503 /);
  await api.delete(KIngressKind, { namespace: "default", name: "shop.test" });
  await eventually(
    () => revisions() === 0,
    () => `${revisions()} targets left`,
  );
});
