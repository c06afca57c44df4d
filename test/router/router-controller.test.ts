/** The router's controller against the real API server: objects become routes, routes become status. */
import { afterEach, expect, test } from "vitest";
import { builtinDefinitions } from "../../src/api/definitions.ts";
import { KIngressKind } from "../../src/api/networking-internal/kinds.ts";
import type { Ingress } from "../../src/api/networking-internal/types.gen.ts";
import { createApiServer } from "../../src/apiserver/server.ts";
import { systemClock } from "../../src/client/clock.ts";
import { createController } from "../../src/client/create-controller.ts";
import { createInformers } from "../../src/client/create-informers.ts";
import { createRouter, type Router } from "../../src/router/router.ts";
import { followRoutes, routerController } from "../../src/router/router-controller.ts";
import { eventually, makeIngress, silentLog } from "../../src/router/testing/router-harness.ts";
import type { Client } from "../../src/client/client.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

function start(): { readonly api: Client; readonly router: Router; readonly writes: () => number } {
  const log = silentLog;
  const server = createApiServer({ dataDir: ":memory:", definitions: builtinDefinitions }, { log, now: Date.now });
  closers.push(() => server.close());
  const informers = createInformers(server.api, { log });
  closers.push(() => informers.close());
  const router = createRouter({}, { log });
  closers.push(() => router.destroy());
  let writes = 0;
  const client: Client = {
    ...server.api,
    update: (kind, object, options) => {
      writes++;
      return server.api.update(kind, object, options);
    },
  };
  closers.push(followRoutes({ informers, router }));
  const spec = routerController({ client, informers, router, nowMs: Date.now, place: { internal: "router.local" } });
  const controller = createController(spec, { informers, log, clock: systemClock });
  controller.start(new AbortController().signal);
  closers.push(() => controller.close());
  return { api: server.api, router, writes: () => writes };
}

const key = { namespace: "default", name: "app.test" };

async function settled(api: Client, generation: number): Promise<Ingress> {
  let seen: Ingress | undefined;
  for (let i = 0; i < 500; i++) {
    seen = await api.get(KIngressKind, key);
    if (seen.status?.observedGeneration === generation) return seen;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`status never reached generation ${generation}: ${JSON.stringify(seen?.status)}`);
}

test("an Ingress becomes a route and says so in its status, once", async () => {
  const { api, router, writes } = start();
  await api.create(KIngressKind, makeIngress("app.test", { app: 100 }));
  const ingress = await settled(api, 1);
  expect(router.hostCount).toBe(1);
  expect(ingress.status?.conditions?.map(({ type, status }) => `${type}=${status}`)).toEqual([
    "LoadBalancerReady=True",
    "NetworkConfigured=True",
    "Ready=True",
  ]);
  expect(ingress.status?.privateLoadBalancer?.ingress).toEqual([{ domainInternal: "router.local" }]);
  await api.patch(KIngressKind, key, { type: "merge", body: { metadata: { labels: { a: "b" } } } });
  await eventually(
    () => router.hasIngress("default/app.test"),
    () => "ingress not applied",
  );
  expect(writes()).toBe(1);
});

test("a changed Ingress is observed without moving its conditions; a deleted one leaves no route", async () => {
  const { api, router } = start();
  await api.create(KIngressKind, makeIngress("app.test", { app: 100 }));
  const before = await settled(api, 1);
  await api.update(KIngressKind, { ...before, spec: makeIngress("app.test", { app: 50, next: 50 }).spec });
  const after = await settled(api, 2);
  expect(after.status?.conditions).toEqual(before.status?.conditions);
  await api.delete(KIngressKind, key);
  await eventually(
    () => router.hostCount === 0,
    () => `still ${router.hostCount} hosts`,
  );
});
