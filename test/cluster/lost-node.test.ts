/** A node that is gone all at once, as when its power or network goes: nothing refuses, nothing says goodbye. */
import { spawn, type ChildProcess } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { eventually } from "../e2e/ebb-process.ts";
import { homeKind, openHome, type Home } from "../e2e/home.ts";
import { startLoad, type LoadResult } from "../e2e/steady-load.ts";
import { hasHands, lay } from "./hands.ts";

vi.setConfig({ testTimeout: 420_000, hookTimeout: 240_000 });

const system = "ebb-system";
const node = process.env["EBB_TEST_LOST_NODE"] ?? "";
const canLose = hasHands("EBB_TEST_LOST_NODE", "EBB_TEST_LOSE_NODE", "EBB_TEST_RETURN_NODE");
const instances = "serving.knative.dev/service=steady";

interface PodJson {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

if (homeKind !== "cluster")
  process.stderr.write("test/cluster: no cluster (npm run test:cluster), the loss of a node is NOT tested\n");

describe.skipIf(homeKind !== "cluster" || !canLose)("a lost node", () => {
  let home: Home;
  const forwards: ChildProcess[] = [];

  beforeAll(async () => {
    home = await openHome();
    const source = join(home.dir, "steady.ts");
    await writeFile(source, 'export default { fetch: () => new Response("ok") };');
    expect(await home.ebb("deploy", source, "--wait", "120s", "--min", "2")).toMatchObject({ code: 0 });
    for (const component of ["router", "controller"]) await spread(system, `app.kubernetes.io/component=${component}`);
    await spread(home.namespace, instances);
  });
  afterAll(async () => {
    for (const child of forwards) child.kill();
    await home.close();
  });

  async function kubectl(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await home.kubectl(args);
    expect({ args, code, stderr: code === 0 ? "" : stderr }).toMatchObject({ code: 0 });
    return stdout;
  }

  /** Pods that are ready and are to stay. */
  async function ready(namespace: string, selector: string): Promise<readonly PodJson[]> {
    const { items } = JSON.parse(await kubectl("get", "pods", "-n", namespace, "-l", selector, "-o", "json"));
    return (items as readonly PodJson[]).filter(
      ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined &&
        status.conditions?.some((one) => one.type === "Ready" && one.status === "True") === true,
    );
  }

  const elsewhere = (pods: readonly PodJson[]): readonly PodJson[] => pods.filter(({ spec }) => spec.nodeName !== node);

  /** One of two is on the node that will go, one is not: as it should be, and as a node drained before may have left it. */
  async function spread(namespace: string, selector: string): Promise<void> {
    const names = (await kubectl("get", "nodes", "-o", "name"))
      .trim()
      .split("\n")
      .map((name) => name.slice(5));
    const others = names.filter((name) => name !== node);
    for (const [wanted, closed] of [
      [others, [node]],
      [[node], others],
    ] as const) {
      const pods = await ready(namespace, selector);
      const [surplus] = pods;
      if (surplus === undefined || pods.some(({ spec }) => wanted.includes(spec.nodeName ?? ""))) continue;
      for (const name of closed) await kubectl("cordon", name);
      try {
        await kubectl("delete", "pod", "-n", namespace, surplus.metadata.name, "--wait=false");
        await seen(`${selector} on ${wanted.join(" or ")}`, async () => {
          const now = await ready(namespace, selector);
          return now.some(({ spec }) => wanted.includes(spec.nodeName ?? "")) && now.length >= pods.length;
        });
      } finally {
        for (const name of closed) await kubectl("uncordon", name);
      }
    }
  }

  /** Milliseconds until it is so. */
  async function seen(what: string, isSo: () => Promise<boolean>, deadlineMs = 180_000): Promise<number> {
    const began = performance.now();
    await eventually(what, async () => ((await isSo()) ? true : undefined), { deadlineMs, everyMs: 250 });
    return Math.round(performance.now() - began);
  }

  /** The way to a router that stays, whatever the address in front of all of them leads to. */
  async function remainingRouter(): Promise<string> {
    const [router] = elsewhere(await ready(system, "app.kubernetes.io/component=router"));
    if (router === undefined) throw new Error(`no router is ready on a node beside ${node}`);
    const direct = `http://${router.status.podIP ?? ""}:8080`;
    if (await answers(direct)) return direct;
    const args = ["--kubeconfig", home.kubeconfig, "port-forward", "-n", system, router.metadata.name, ":8080"];
    const child = spawn("kubectl", args, { stdio: ["ignore", "pipe", "inherit"] });
    forwards.push(child);
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
    const port = await eventually("the port-forward", async () => /127\.0\.0\.1:(\d+)/.exec(said)?.[1]);
    return `http://127.0.0.1:${port}`;
  }

  /** Whether pods can be reached from here. */
  const answers = (url: string): Promise<boolean> =>
    fetch(url, { signal: AbortSignal.timeout(2000) }).then(
      () => true,
      () => false,
    );

  const tell = (what: string, { answered, failures, slowestMs }: LoadResult): void =>
    void process.stderr.write(
      `node lost, ${what}: ${answered} answered, ${failures.length} failed, slowest ${Math.round(slowestMs)} ms\n`,
    );

  test("costs no GET through a router that stays, is told on the Service, and what was there is replaced", async () => {
    const url = await remainingRouter();
    const routers = (await ready(system, "app.kubernetes.io/component=router")).length;
    const host = home.host("steady");
    const gets = startLoad(url, host, { connections: 4, method: "GET" });
    const posts = startLoad(url, host, { connections: 2 });
    const fromOutside = startLoad(home.routerUrl, host, { connections: 4, method: "GET", timeoutMs: 2000 });
    await eventually("the load is under way", async () => (gets.answered() > 50 ? true : undefined));
    const took: Record<string, number> = {};
    try {
      await lay("EBB_TEST_LOSE_NODE");
      const told = seen("the Service names the node", async () => {
        const said = await home.kubectl(["get", "ksvc", "steady", "-o", "jsonpath={.status.conditions}"]);
        return said.stdout.includes("NodeLost") && said.stdout.includes(JSON.stringify(node).slice(1, -1));
      }).then((ms) => (took["told on the Service"] = ms));
      const again = seen("two instances elsewhere", async () => {
        return elsewhere(await ready(home.namespace, instances)).length >= 2;
      }).then((ms) => (took["two instances elsewhere"] = ms));
      const led = seen("a leader elsewhere", async () => {
        const holder = await kubectl(
          "get",
          "lease",
          "-n",
          system,
          "ebb-controller",
          "-o",
          "jsonpath={.spec.holderIdentity}",
        );
        const controllers = await ready(system, "app.kubernetes.io/component=controller");
        return elsewhere(controllers).some(({ metadata }) => holder.startsWith(metadata.name));
      }).then((ms) => (took["a leader elsewhere"] = ms));
      const routed = seen("as many routers as before, elsewhere", async () => {
        return elsewhere(await ready(system, "app.kubernetes.io/component=router")).length >= routers;
      }).then((ms) => (took["all routers elsewhere"] = ms));
      const settled = await Promise.allSettled([told, again, led, routed]);
      for (const one of settled) if (one.status === "rejected") throw one.reason;
      // What was under way when the node went has ended by now, one way or the other.
      const before = posts.answered();
      await eventually("POSTs go on", async () => (posts.answered() > before + 20 ? true : undefined));
    } finally {
      tell("GETs", await gets.stop());
      tell("POSTs", await posts.stop());
      tell("GETs by the address of all routers, given up after 2 s", await fromOutside.stop());
      process.stderr.write(`node lost, ms until: ${JSON.stringify(took)}\n`);
      await lay("EBB_TEST_RETURN_NODE");
    }
    const [got, posted] = [await gets.stop(), await posts.stop()];
    expect(got.failures).toEqual([]);
    // Through a port-forward they wait for the API server and the kubelet besides.
    expect(got.slowestMs).toBeLessThan(url.includes("//127.0.0.1:") ? 20_000 : 5000);
    // Sent and not answered: they may have been done, so nobody does them again. One for each connection at most.
    expect(posted.failures.length).toBeLessThanOrEqual(2);
  });

  test("that is back takes pods again, and the Service is well", async () => {
    await kubectl("wait", `node/${node}`, "--for=condition=Ready", "--timeout=180s");
    await seen("the Service is well", async () => {
      const said = await home.kubectl(["get", "ksvc", "steady", "-o", "jsonpath={.status.conditions}"]);
      return !said.stdout.includes("NodeLost") && (await ready(home.namespace, instances)).length >= 2;
    });
    expect(await home.call(home.host("steady"))).toMatchObject({ status: 200, body: "ok" });
  });
});
