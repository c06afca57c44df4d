/** What an installed ebb goes through without its users noticing, and what it refuses. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { eventually } from "../e2e/ebb-process.ts";
import { homeKind, openHome, type Home } from "../e2e/home.ts";
import { startLoad } from "../e2e/steady-load.ts";

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

if (homeKind !== "cluster")
  process.stderr.write("test/cluster: no cluster (npm run test:cluster), an installed ebb is NOT tested\n");

const system = "ebb-system";
const record = ["configmap", "ebb-installation", "-n", system] as const;

describe.skipIf(homeKind !== "cluster")("an installed ebb", () => {
  let home: Home;
  beforeAll(async () => {
    home = await openHome();
  });
  afterAll(() => home.close());

  async function kubectl(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await home.kubectl(args);
    expect({ args, code, stderr: code === 0 ? "" : stderr }).toMatchObject({ code: 0 });
    return stdout;
  }

  const imagePath = "jsonpath={.spec.template.spec.containers[0].image}";
  const imageOf = (component: string): Promise<string> =>
    kubectl("get", "deployment", "-n", system, `ebb-${component}`, "-o", imagePath);

  test("is found in order by doctor", async () => {
    const { code, stdout, stderr } = await home.ebb("doctor");
    expect({ code, said: code === 0 ? "" : stdout + stderr }).toEqual({ code: 0, said: "" });
  });

  test("does not let an older ebb take away what it has", async () => {
    const revision = await kubectl("get", ...record, "-o", "jsonpath={.data.revision}");
    await kubectl("patch", ...record, "--type=merge", "-p", '{"data":{"revision":"99999"}}');
    try {
      const refused = await home.ebb("upgrade");
      expect(refused.code).toBe(1);
      expect(refused.stderr).toMatch(/a newer ebb is on this cluster: .*revision 99999.*--allow-downgrade/s);
    } finally {
      await kubectl("patch", ...record, "--type=merge", "-p", JSON.stringify({ data: { revision } }));
    }
  });

  test("is upgraded under load without a failed request", async (context) => {
    const registry = process.env["EBB_TEST_REGISTRY"] ?? "";
    if (process.env["EBB_TEST_PUSH_REGISTRY"]) return context.skip("the registry has another name here");
    const source = join(home.dir, "served.ts");
    await writeFile(source, 'export default { fetch: () => new Response("ok") };');
    expect(await home.ebb("deploy", source, "--wait", "120s", "--min", "1")).toMatchObject({ code: 0 });
    const before = await imageOf("router");
    const insecure = process.env["EBB_TEST_REGISTRY_INSECURE"] === undefined ? [] : ["--insecure"];
    const load = startLoad(home.routerUrl, home.host("served"), { connections: 4 });
    await eventually("the load is under way", async () => (load.answered() > 20 ? true : undefined));
    try {
      // The same ebb by another name is a new image to every pod.
      const name = `${registry}/upgrade-${Date.now().toString(36)}`;
      const there = await home.ebb("upgrade", "--registry", name, ...insecure, "--wait", "120s");
      expect({ code: there.code, said: there.code === 0 ? "" : there.stderr }).toEqual({ code: 0, said: "" });
      expect(await imageOf("controller")).toContain(name);
      const back = await home.ebb("upgrade", "--image", before, "--wait", "120s");
      expect({ code: back.code, said: back.code === 0 ? "" : back.stderr }).toEqual({ code: 0, said: "" });
    } finally {
      await load.stop();
    }
    const { answered, failures } = await load.stop();
    process.stderr.write(`upgraded twice: ${answered} answered, ${failures.length} failed\n`);
    expect(failures).toEqual([]);
  });
});
