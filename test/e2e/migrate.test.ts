/** `ebb migrate` and `ebb dev --context` between two homes that know nothing of each other. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { buildImage } from "../../src/images/build-image.ts";
import { openImageStore } from "../../src/images/store.ts";
import { freePort } from "../free-port.ts";
import { startOurs, temporaryStore } from "../registry/registries.ts";
import { eventually, startCommand, startEbb, type CommandResult, type EbbProcess } from "./ebb-process.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let here: EbbProcess;
let there: EbbProcess;
let registry: Awaited<ReturnType<typeof startOurs>>;
let removeStore: () => void;

beforeAll(async () => {
  const images = temporaryStore();
  removeStore = images.remove;
  [here, there, registry] = await Promise.all([startEbb(), startEbb(), startOurs(images.store)]);
  // In place of this machine's Node, of which a hundred megabytes would travel.
  const store = openImageStore(join(here.dir, "images"));
  const base = { layers: [{ kind: "files" as const, files: [{ path: "etc/base", content: "x" }] }], config: {} };
  await buildImage(store, "dev.local/base/small", base);
  store.close();
  const source = join(here.dir, "shop.js");
  await writeFile(source, "export default { fetch: (_, env) => new Response(`${env.TOKEN} ${env.MODE} ${env.WHO}`) };");
  await kubectl(here, "create", "secret", "generic", "vault", "--from-literal=token=s3cret");
  await kubectl(here, "create", "configmap", "modes", "--from-literal=MODE=fast");
  const deployed = await here.ebb("deploy", source, "--env", "WHO=me", "--secret", "TOKEN=vault:token");
  expect(deployed).toMatchObject({ code: 0 });
  const from = [
    { op: "add", path: "/spec/template/spec/containers/0/envFrom", value: [{ configMapRef: { name: "modes" } }] },
  ];
  await kubectl(here, "patch", "ksvc", "shop", "--type=json", "-p", JSON.stringify(from));
  await kubectl(here, "wait", "ksvc/shop", "--for=jsonpath={.status.latestReadyRevisionName}=shop-00002");
});
afterAll(async () => {
  await Promise.all([here.stop(), there.stop(), registry.close()]);
  removeStore();
});

async function kubectl(ebb: EbbProcess, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await ebb.kubectl(args);
  expect({ args, code, stderr: code === 0 ? "" : stderr }).toMatchObject({ code: 0 });
  return stdout;
}

const contextOf = async (ebb: EbbProcess): Promise<string> => (await kubectl(ebb, "config", "current-context")).trim();

async function migrate(...args: string[]): Promise<CommandResult> {
  const to = [
    "--kubeconfig",
    there.kubeconfig,
    "--registry",
    `${registry.host}/team`,
    "--base",
    "dev.local/base/small",
  ];
  return await here.ebb(
    "migrate",
    "standalone",
    await contextOf(there),
    "shop",
    ...to,
    "--to-namespace",
    "mall",
    ...args,
  );
}

test("a service goes to another home with its config, secrets and image, after the plan was shown", async () => {
  const looked = await migrate("--dry-run");
  expect(looked).toMatchObject({ code: 0 });
  expect(looked.stdout).toMatch(
    /^to \S+, namespace mall:\n {2}\+ Namespace mall\n {2}\+ (Secret vault\n {2}\+ ConfigMap modes|ConfigMap modes\n {2}\+ Secret vault)\n {2}\+ Service shop\n {6}image copied to \S+\/team\/shop:[0-9a-f]{12}, with a base\n$/,
  );
  expect(looked.stdout).not.toContain(Buffer.from("s3cret").toString("base64"));
  expect((await there.kubectl(["get", "namespace", "mall"])).code).toBe(1);
  // Nobody is asked where nobody is.
  expect(await migrate()).toMatchObject({ code: 2 });

  const moved = await migrate("--yes");
  expect(moved).toMatchObject({ code: 0 });
  expect(moved.stdout).toContain("shop is ready at http://shop.mall.localhost:");
  expect((await there.call("shop.mall.localhost")).body).toBe("s3cret fast me");
  expect((await here.call("shop.default.localhost")).body).toBe("s3cret fast me");
});

test("what is there already is left alone when it is the same, and overwritten only when told", async () => {
  await migrate("--yes");
  expect((await migrate("--dry-run")).stdout).toContain("= Service shop (is there already, the same)");
  await kubectl(there, "patch", "configmap", "modes", "-n", "mall", "--type=merge", "-p", '{"data":{"MODE":"slow"}}');
  await kubectl(
    there,
    "patch",
    "secret",
    "vault",
    "-n",
    "mall",
    "--type=merge",
    "-p",
    '{"stringData":{"token":"theirs"}}',
  );
  const refused = await migrate("--yes");
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.stdout).toContain('data.MODE: "slow" -> "fast"');
  expect(refused.stdout).toContain("data.token: another value");
  expect(refused.stderr).toContain("2 objects are at");
  const now = await kubectl(there, "get", "configmap", "modes", "-n", "mall", "-o", "jsonpath={.data.MODE}");
  expect(now).toBe("slow");
  expect(await migrate("--yes", "--overwrite")).toMatchObject({ code: 0 });
  expect(await kubectl(there, "get", "configmap", "modes", "-n", "mall", "-o", "jsonpath={.data.MODE}")).toBe("fast");
});

test("a service of a cluster, with its secure defaults, comes to a standalone ebb, also one of root", async () => {
  await migrate("--yes");
  // What the settings of an installation have every container ask for.
  const secure = {
    allowPrivilegeEscalation: false,
    runAsNonRoot: true,
    capabilities: { drop: ["ALL"] },
    seccompProfile: { type: "RuntimeDefault" },
  };
  const patch = [{ op: "add", path: "/spec/template/spec/containers/0/securityContext", value: secure }];
  await kubectl(there, "patch", "ksvc", "shop", "-n", "mall", "--type=json", "-p", JSON.stringify(patch));
  const names = [await contextOf(there), "standalone", "shop"];
  const homes = ["--kubeconfig", there.kubeconfig, "-n", "mall", "--to-namespace", "back", "--insecure"];
  const moved = await here.ebb("migrate", ...names, ...homes, "--yes");
  expect(moved).toMatchObject({ code: 0 });
  expect(moved.stdout).toContain("stays: Service shop: the securityContext that a cluster gives by default");
  expect((await here.call("shop.back.localhost")).body).toBe("s3cret fast me");
});

test("ebb dev runs with the variables a service has elsewhere, under those that are here", async () => {
  await migrate("--yes");
  const source = join(here.dir, "shop.js");
  await writeFile(join(here.dir, ".env"), "WHO=env file\n");
  const stop = new AbortController();
  const port = String(await freePort());
  const args = ["dev", source, "--port", port, "--json", "--kubeconfig", there.kubeconfig, "-n", "mall"];
  const dev = await startCommand(args, { ...process.env, EBB_DATA: here.dir }, stop.signal);
  const body = await eventually("it answers", async () => await (await fetch(`http://127.0.0.1:${port}/`)).text());
  expect(body).toBe("s3cret fast env file");
  stop.abort();
  expect(await dev.ended).toBe(0);
});
