import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { eventually, startEbb } from "./ebb-process.ts";
import { homeKind, openHome, patienceMs, type Home } from "./home.ts";

vi.setConfig({ testTimeout: patienceMs(120_000), hookTimeout: patienceMs(30_000) });

const examples = join(import.meta.dirname, "../../examples");

const manifest = (name: string, image: string): string => `
apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: ${name} }
spec:
  template:
    metadata: { annotations: { autoscaling.knative.dev/window: 6s } }
    spec: { containers: [{ image: "${image}" }] }
`;

describe("a function deployed from source", () => {
  let ebb: Home;
  beforeAll(async () => {
    ebb = await openHome();
  });
  afterAll(async () => {
    await ebb.close();
  });

  async function podsOf(name: string): Promise<string> {
    const pods = await ebb.kubectl(["get", "pods", "--no-headers", "-l", `serving.knative.dev/service=${name}`]);
    if (pods.code !== 0) throw new Error(pods.stderr);
    return pods.stdout;
  }

  async function service(name: string): Promise<{ status: { url: string; latestReadyRevisionName: string } }> {
    return JSON.parse((await ebb.ebb("get", "services", name, "--json")).stdout);
  }

  test("answers at its host, sleeps when nobody calls, and wakes for the next call", async () => {
    const deployed = await ebb.ebb("deploy", join(examples, "hello"), "--json");
    expect(deployed).toMatchObject({ code: 0 });
    const { url } = JSON.parse(deployed.stdout);
    const { host, hostname } = new URL(url);
    expect(hostname).toBe(ebb.host("hello"));
    expect(await ebb.call(host, { path: "/?name=you" })).toMatchObject({ status: 200, body: "Hello, you!\n" });

    // The same image as a manifest, with a short window so that the test sees it fall asleep.
    const { image } = JSON.parse(deployed.stdout);
    const applied = await ebb.kubectl(["apply", "-f", "-"], { stdin: manifest("sleeper", image) });
    expect(applied.stdout).toContain("sleeper created");
    const ready = await ebb.kubectl(["wait", "ksvc/sleeper", "--for=condition=Ready", "--timeout=30s"]);
    expect(ready).toMatchObject({ code: 0 });
    const sleeper = host.replace("hello", "sleeper");
    expect(await ebb.call(sleeper)).toMatchObject({ status: 200 });
    await eventually(
      "no pod of the service is left",
      async () => ((await podsOf("sleeper")) === "" ? true : undefined),
      { deadlineMs: 60_000 },
    );
    const woken = await ebb.call(sleeper);
    expect(woken).toMatchObject({ status: 200, body: "Hello, world!\n" });
    expect(woken.headers["server-timing"]).toMatch(/^cold;dur=/);
    await eventually("the pod that answered is in the API", async () => {
      return /1\/1 +Running/.test(await podsOf("sleeper")) ? true : undefined;
    });
  });

  test("a new version takes over, a broken one never does", async () => {
    const file = join(ebb.dir, "fn", "index.ts");
    await mkdir(join(ebb.dir, "fn"));
    await writeFile(file, 'export default { fetch: () => new Response("one") };');
    expect((await ebb.ebb("deploy", join(ebb.dir, "fn"))).code).toBe(0);
    const host = new URL((await service("fn")).status.url).host;
    expect((await ebb.call(host)).body).toBe("one");

    await writeFile(file, 'export default { fetch: () => new Response("two") };');
    expect((await ebb.ebb("deploy", join(ebb.dir, "fn"))).code).toBe(0);
    expect((await ebb.call(host)).body).toBe("two");

    await writeFile(file, "export default { fetch( => };");
    const syntax = await ebb.ebb("deploy", join(ebb.dir, "fn"));
    expect(syntax.code).toBe(1);
    expect(syntax.stderr).toMatch(/index\.ts:1:25: /);
    expect((await ebb.call(host)).body).toBe("two");

    await writeFile(file, 'throw new Error("no database");');
    const throwing = await ebb.ebb("deploy", join(ebb.dir, "fn"));
    expect(throwing.code).toBe(1);
    expect(throwing.stderr).toContain("no database");
    expect((await ebb.call(host)).body).toBe("two");
  });

  test("a plain program is served by its PORT", async () => {
    expect(await ebb.ebb("deploy", join(examples, "python"))).toMatchObject({ code: 0 });
    const answer = await ebb.call(new URL((await service("python")).status.url).host, { path: "/x" });
    expect(answer).toMatchObject({ status: 200, body: "Hello from Python, /x\n" });
  });

  test("an unknown host is told so", async () => {
    expect((await ebb.call(ebb.host("nobody"))).status).toBe(404);
  });
});

test.skipIf(homeKind === "cluster")(
  "a second ebb on the same directory refuses and names the first; a killed one is continued",
  async () => {
    const first = await startEbb();
    expect((await first.ebb("deploy", join(examples, "hello"))).code).toBe(0);
    await expect(startEbb({ dir: first.dir })).rejects.toThrow(`in use by process ${first.pid}`);
    await first.kill9();
    const second = await startEbb({ dir: first.dir });
    try {
      const answer = await eventually("the service answers again", async () => {
        const port = new URL(second.routerUrl).port;
        const got = await second.call(`hello.default.localhost:${port}`);
        return got.status === 200 ? got : undefined;
      });
      expect(answer.body).toBe("Hello, world!\n");
    } finally {
      await second.stop();
    }
  },
);
