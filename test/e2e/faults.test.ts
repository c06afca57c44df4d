/** What must not hurt a caller: rollouts, scaling, killed instances, services that cannot start. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { PodKind } from "../../src/api/core/kinds.ts";
import { createInformers } from "../../src/client/create-informers.ts";
import { createHttpClient } from "../../src/client/http-client.ts";
import { loadKubeconfig } from "../../src/client/kubeconfig.ts";
import { silentLog } from "../../src/router/testing/router-harness.ts";
import { eventually } from "./ebb-process.ts";
import { homeKind, openHome, patienceMs, type Home } from "./home.ts";
import { startLoad } from "./steady-load.ts";

vi.setConfig({ testTimeout: patienceMs(180_000), hookTimeout: patienceMs(30_000) });

let ebb: Home;
let image: string;
const host = (name: string): string => ebb.host(name);

beforeAll(async () => {
  ebb = await openHome();
  const source = join(ebb.dir, "app.ts");
  await writeFile(
    source,
    `export default {
      async fetch(request: Request, env: Record<string, string>) {
        const path = new URL(request.url).pathname;
        if (path === "/slow") await new Promise((done) => setTimeout(done, 30_000));
        if (path === "/busy") await new Promise((done) => setTimeout(done, 50));
        return new Response(env["VERSION"] ?? "none");
      },
    };`,
  );
  const deployed = await ebb.ebb("deploy", source, "--name", "app", "--json");
  expect(deployed).toMatchObject({ code: 0 });
  ({ image } = JSON.parse(deployed.stdout));
});
afterAll(() => ebb.close());

async function apply(
  name: string,
  version: string,
  extra: { readonly annotations?: string; readonly spec?: string } = {},
): Promise<void> {
  const manifest = `
apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: ${name} }
spec:
  template:
    metadata: { annotations: { autoscaling.knative.dev/window: 6s${extra.annotations ?? ""} } }
    spec: { ${extra.spec ?? ""} containers: [{ image: "${image}", env: [{ name: VERSION, value: "${version}" }] }] }
`;
  const applied = await ebb.kubectl(["apply", "-f", "-"], { stdin: manifest });
  if (applied.code !== 0) throw new Error(applied.stderr);
}

/** The Service is ready for the generation last applied. */
async function ready(name: string): Promise<void> {
  await eventually(
    `${name} is ready`,
    async () => {
      const got = await ebb.kubectl(["get", "ksvc", name, "-o", "json"]);
      const { metadata, status } = JSON.parse(got.stdout);
      const condition = status?.conditions?.find((c: { type: string }) => c.type === "Ready");
      return status?.observedGeneration === metadata.generation && condition?.status === "True" ? true : undefined;
    },
    { deadlineMs: 60_000 },
  );
}

async function podsOf(name: string): Promise<readonly { name: string; phase: string }[]> {
  const got = await ebb.kubectl(["get", "pods", "-l", `serving.knative.dev/service=${name}`, "-o", "json"]);
  if (got.code !== 0) throw new Error(got.stderr);
  return JSON.parse(got.stdout).items.map((pod: { metadata: { name: string }; status: { phase: string } }) => ({
    name: pod.metadata.name,
    phase: pod.status.phase,
  }));
}

/** How many pods the services have, followed by one watch. */
async function countPods(of: Home): Promise<{ of(service: string): number; close(): Promise<void> }> {
  const client = createHttpClient(await loadKubeconfig(of.kubeconfig, undefined, {}), { userAgent: "ebb-e2e" });
  const informers = createInformers(client, { log: silentLog });
  const pods = informers.of(PodKind);
  await informers.synced(AbortSignal.timeout(10_000));
  return {
    of: (service) =>
      pods.list(of.namespace).filter(({ metadata }) => metadata.labels?.["serving.knative.dev/service"] === service)
        .length,
    async close() {
      await informers.close();
      await client.close();
    },
  };
}

test("ten rollouts under steady load fail no request, and the last version answers at the end", async () => {
  await apply("rolling", "v0");
  await ready("rolling");
  const load = startLoad(ebb.routerUrl, host("rolling"), { connections: 4 });
  for (let version = 1; version <= 10; version++) {
    await apply("rolling", `v${version}`);
    await ready("rolling");
  }
  const result = await load.stop();
  expect(result.failures).toEqual([]);
  expect(result.answered).toBeGreaterThan(100);
  expect((await ebb.call(host("rolling"))).body).toBe("v10");
});

/** Cycles run on several services at once: one takes about ten seconds, and nearly all of that is waiting. */
const scalers = homeKind === "cluster" ? 2 : 10;
const cyclesEach = homeKind === "cluster" ? 3 : 5;

test("many times up and down under steady load fails no request", async () => {
  const names = Array.from({ length: scalers }, (_, n) => `scaling-${n}`);
  const spec = "containerConcurrency: 1,";
  for (const name of names) await apply(name, "v1", { spec, annotations: ", autoscaling.knative.dev/max-scale: '4'" });
  for (const name of names) await ready(name);
  const pods = await countPods(ebb);
  await Promise.all(
    names.map(async (name) => {
      const steady = startLoad(ebb.routerUrl, host(name), { connections: 1, path: "/busy" });
      for (let cycle = 1; cycle <= cyclesEach; cycle++) {
        const seen = (): string => `cycle ${cycle} of ${name}: ${pods.of(name)} pods`;
        const more = startLoad(ebb.routerUrl, host(name), { connections: 5, path: "/busy" });
        const isUp = async (): Promise<true | undefined> => (pods.of(name) >= 3 ? true : undefined);
        await eventually("it has scaled up", isUp, { deadlineMs: 60_000, everyMs: 200, seen });
        expect((await more.stop()).failures).toEqual([]);
        const isDown = async (): Promise<true | undefined> => (pods.of(name) <= 2 ? true : undefined);
        await eventually("it has scaled down", isDown, { deadlineMs: 60_000, everyMs: 200, seen });
      }
      const { failures, answered } = await steady.stop();
      expect(failures).toEqual([]);
      expect(answered).toBeGreaterThan(50);
    }),
  );
  await pods.close();
});

test("an instance killed in the middle of a request fails that one request, and is replaced", async () => {
  await apply("killed", "v1");
  await ready("killed");
  const slow = ebb.call(host("killed"), { path: "/slow", method: "POST" });
  const pod = await eventually("the instance has its pod", async () => (await podsOf("killed"))[0]);
  const deleted = ebb.kubectl(["delete", "pod", pod.name, "--grace-period=1"]);
  const answer = await slow;
  expect([502, 503, 504]).toContain(answer.status);
  await deleted;
  const again = await ebb.call(host("killed"));
  expect(again).toMatchObject({ status: 200, body: "v1" });
});

test("callers of a service that cannot start get an answer with the reason, others are untouched", async () => {
  const source = join(ebb.dir, "broken.ts");
  await writeFile(source, 'throw new Error("no database here");');
  const deployed = await ebb.ebb("deploy", source, "--name", "broken");
  expect(deployed.code).toBe(1);
  expect(deployed.stderr).toContain("no database here");
  expect((await ebb.call(host("app"))).status).toBe(200);
});
