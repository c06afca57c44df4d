/** What must not hurt a caller: rollouts, scaling, killed instances, services that cannot start. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { eventually, startEbb, type EbbProcess } from "./ebb-process.ts";
import { startLoad } from "./steady-load.ts";

vi.setConfig({ testTimeout: 180_000 });

let ebb: EbbProcess;
let image: string;
const host = (name: string): string => `${name}.default.localhost`;

beforeAll(async () => {
  ebb = await startEbb();
  const source = join(ebb.dir, "app.ts");
  await writeFile(
    source,
    `export default {
      async fetch(request: Request, env: Record<string, string>) {
        const path = new URL(request.url).pathname;
        if (path === "/slow") await new Promise((done) => setTimeout(done, 30_000));
        if (path === "/busy") await new Promise((done) => setTimeout(done, 20));
        return new Response(env["VERSION"] ?? "none");
      },
    };`,
  );
  const deployed = await ebb.ebb("deploy", source, "--name", "app", "--json");
  expect(deployed).toMatchObject({ code: 0 });
  ({ image } = JSON.parse(deployed.stdout));
});
afterAll(() => ebb.stop());

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

test("scaling up under load and down again fails no request", async () => {
  await apply("scaling", "v1", {
    spec: "containerConcurrency: 1,",
    annotations: ", autoscaling.knative.dev/max-scale: '4'",
  });
  await ready("scaling");
  for (let cycle = 0; cycle < 3; cycle++) {
    const load = startLoad(ebb.routerUrl, host("scaling"), { connections: 6, path: "/busy" });
    await eventually("it has scaled up", async () => ((await podsOf("scaling")).length >= 3 ? true : undefined), {
      deadlineMs: 30_000,
    });
    const trickle = startLoad(ebb.routerUrl, host("scaling"), { connections: 1, path: "/busy" });
    expect((await load.stop()).failures).toEqual([]);
    await eventually("it has scaled down", async () => ((await podsOf("scaling")).length <= 2 ? true : undefined), {
      deadlineMs: 60_000,
    });
    expect((await trickle.stop()).failures).toEqual([]);
  }
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
