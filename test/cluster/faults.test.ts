/** What a cluster may lose while requests come in steadily. Every fault says how many requests it is allowed to cost. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { eventually } from "../e2e/ebb-process.ts";
import { homeKind, openHome, type Home } from "../e2e/home.ts";
import { startLoad, type LoadResult } from "../e2e/steady-load.ts";
import { hasHands, lay } from "./hands.ts";

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const system = "ebb-system";

interface Named {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string };
}

interface PodJson extends Named {
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly phase: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

if (homeKind !== "cluster")
  process.stderr.write("test/cluster: no cluster (npm run test:cluster), its faults are NOT tested\n");

describe.skipIf(homeKind !== "cluster")("under steady load", () => {
  let home: Home;

  beforeAll(async () => {
    home = await openHome();
    const source = join(home.dir, "steady.ts");
    await writeFile(
      source,
      `export default { async fetch(request) {
        await new Promise((done) => setTimeout(done, 20));
        return new Response("ok"); } };`,
    );
    // Two instances always: whichever goes, the other is there.
    const settings = ["--min", "2", "--annotation", "autoscaling.knative.dev/window=30s"];
    expect(await home.ebb("deploy", source, "--wait", "120s", ...settings)).toMatchObject({ code: 0 });
  });
  afterAll(() => home.close());

  async function kubectl(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await home.kubectl(args);
    expect({ args, code, stderr: code === 0 ? "" : stderr }).toMatchObject({ code: 0 });
    return stdout;
  }

  async function pods(namespace: string, selector: string): Promise<readonly PodJson[]> {
    const { items } = JSON.parse(await kubectl("get", "pods", "-n", namespace, "-l", selector, "-o", "json"));
    return (items as readonly PodJson[]).filter((pod) => pod.metadata.deletionTimestamp === undefined);
  }

  const ready = (pod: PodJson): boolean =>
    pod.status.conditions?.some((c) => c.type === "Ready" && c.status === "True") === true;

  /** Loads the service while `during` runs, and for a while after; reports the counts. */
  async function loaded(what: string, during: () => Promise<void>, connections = 4): Promise<LoadResult> {
    const load = startLoad(home.routerUrl, home.host("steady"), { connections });
    await eventually("the load is under way", async () => (load.answered() > 20 ? true : undefined));
    try {
      await during();
      const before = load.answered();
      await eventually(
        "requests go on being answered",
        async () => (load.answered() > before + 50 ? true : undefined),
        {
          deadlineMs: 60_000,
        },
      );
    } finally {
      await load.stop();
    }
    const result = await load.stop();
    process.stderr.write(`${what}: ${result.answered} answered, ${result.failures.length} failed\n`);
    return result;
  }

  async function replaced(namespace: string, selector: string, gone: PodJson, count: number): Promise<void> {
    let seen = "";
    await eventually(
      `${count} pods of ${selector} are ready without ${gone.metadata.name}`,
      async () => {
        const now = (await pods(namespace, selector)).filter(
          (pod) => pod.metadata.uid !== gone.metadata.uid && ready(pod),
        );
        seen = now.map((pod) => pod.metadata.name).join(" ");
        return now.length >= count ? true : undefined;
      },
      { deadlineMs: 120_000, everyMs: 250, seen: () => seen },
    );
  }

  /** The pod that holds the controllers' lease. */
  async function leader(): Promise<{ readonly holder: string; readonly pod: PodJson }> {
    const holder = await kubectl(
      "get",
      "lease",
      "-n",
      system,
      "ebb-controller",
      "-o",
      "jsonpath={.spec.holderIdentity}",
    );
    const found = (await pods(system, "app.kubernetes.io/component=controller")).find((pod) =>
      holder.startsWith(pod.metadata.name),
    );
    if (!found) throw new Error(`no pod of ${system} holds the lease; it is held by "${holder}"`);
    return { holder, pod: found };
  }

  test("the leading controller killed: no request fails, and somebody else leads", async () => {
    const before = await leader();
    const count = (await pods(system, "app.kubernetes.io/component=controller")).length;
    let tookMs = 0;
    const { failures } = await loaded("leader killed", async () => {
      await kubectl("delete", "pod", "-n", system, before.pod.metadata.name, "--grace-period=0", "--force");
      const began = performance.now();
      await eventually(
        "another pod leads",
        async () => ((await leader()).holder === before.holder ? undefined : true),
        { deadlineMs: 60_000, everyMs: 100 },
      );
      tookMs = performance.now() - began;
    });
    process.stderr.write(`leader killed: another led after ${tookMs.toFixed(0)} ms\n`);
    expect(failures).toEqual([]);
    await replaced(system, "app.kubernetes.io/component=controller", before.pod, count);
    // With a second replica waiting, scaling stands still for no longer than this.
    if (count > 1) expect(tookMs).toBeLessThan(5000);
  });

  test("a router told to go drains: no request fails", async (context) => {
    const routers = await pods(system, "app.kubernetes.io/component=router");
    const [victim] = routers;
    if (!victim || routers.length < 2)
      return context.skip("one router alone cannot be spared: install with --replicas 2");
    const { failures } = await loaded("router deleted", async () => {
      await kubectl("delete", "pod", "-n", system, victim.metadata.name, "--wait=false");
      await replaced(system, "app.kubernetes.io/component=router", victim, routers.length);
    });
    expect(failures).toEqual([]);
  });

  test("a router killed outright costs no more than the requests it had", async (context) => {
    const routers = await pods(system, "app.kubernetes.io/component=router");
    const [victim] = routers;
    if (!victim || routers.length < 2)
      return context.skip("one router alone cannot be spared: install with --replicas 2");
    const connections = 4;
    const { failures } = await loaded(
      "router killed",
      async () => {
        await kubectl("delete", "pod", "-n", system, victim.metadata.name, "--grace-period=0", "--force");
        await replaced(system, "app.kubernetes.io/component=router", victim, routers.length);
      },
      connections,
    );
    // Each connection may meet it once more before kube-proxy has heard.
    expect(failures.length).toBeLessThanOrEqual(2 * connections);
  });

  test("an instance told to go finishes its requests: none fails", async () => {
    const [victim] = await pods(home.namespace, "serving.knative.dev/service=steady");
    if (!victim) throw new Error("the service has no pod");
    const { failures } = await loaded("instance deleted", async () => {
      await kubectl("delete", "pod", "-n", home.namespace, victim.metadata.name, "--wait=false");
      await replaced(home.namespace, "serving.knative.dev/service=steady", victim, 2);
    });
    expect(failures).toEqual([]);
  });

  test("an instance killed outright costs no more than the requests it had", async () => {
    const [victim] = await pods(home.namespace, "serving.knative.dev/service=steady");
    if (!victim) throw new Error("the service has no pod");
    const connections = 4;
    const { failures } = await loaded(
      "instance killed",
      async () => {
        await kubectl("delete", "pod", "-n", home.namespace, victim.metadata.name, "--grace-period=0", "--force");
        await replaced(home.namespace, "serving.knative.dev/service=steady", victim, 2);
      },
      connections,
    );
    // POSTs that may have been begun are not sent again.
    expect(failures.length).toBeLessThanOrEqual(connections);
  });

  test("a node cordoned: what runs goes on, what would be new is told on the Service", async () => {
    const [pod] = await pods(home.namespace, "serving.knative.dev/service=steady");
    const nodes = JSON.parse(await kubectl("get", "nodes", "-o", "json")).items as readonly Named[];
    const names = nodes.map((node) => node.metadata.name);
    for (const node of names) await kubectl("cordon", node);
    try {
      const { failures } = await loaded("all nodes cordoned", async () => {
        expect((await pods(home.namespace, "serving.knative.dev/service=steady")).map((p) => p.metadata.uid)).toContain(
          pod?.metadata.uid,
        );
        const refused = await home.ebb("deploy", join(home.dir, "steady.ts"), "--name", "newcomer", "--wait", "8s");
        expect(refused.code).toBe(1);
        expect(refused.stderr).toMatch(/unschedulable|cordon/i);
      });
      expect(failures).toEqual([]);
    } finally {
      for (const node of names) await kubectl("uncordon", node);
    }
    await home.ebb("delete", "newcomer");
  });

  test("a node drained: instances go one after the other, no request fails", async (context) => {
    const nodes = JSON.parse(await kubectl("get", "nodes", "-o", "json")).items as readonly Named[];
    const [pod] = await pods(home.namespace, "serving.knative.dev/service=steady");
    if (nodes.length < 2) return context.skip("a single node has nowhere to drain to");
    const node = pod?.spec.nodeName ?? "";
    try {
      const { failures } = await loaded("node drained", async () => {
        await kubectl("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=180s");
      });
      expect(failures).toEqual([]);
    } finally {
      await kubectl("uncordon", node);
    }
  });

  test("the kubelet stops for 20 s: what is routed stays routed", async (context) => {
    if (!hasHands("EBB_TEST_STOP_KUBELET", "EBB_TEST_START_KUBELET")) return context.skip("no hands on the kubelet");
    try {
      const { failures } = await loaded("kubelet stopped", async () => {
        await lay("EBB_TEST_STOP_KUBELET");
        await new Promise((resolve) => setTimeout(resolve, 20_000));
      });
      expect(failures).toEqual([]);
    } finally {
      await lay("EBB_TEST_START_KUBELET");
    }
  });

  test.for([
    { what: "etcd", seconds: 30, stop: "EBB_TEST_STOP_ETCD", start: "EBB_TEST_START_ETCD" },
    { what: "the API server", seconds: 60, stop: "EBB_TEST_STOP_APISERVER", start: "EBB_TEST_START_APISERVER" },
  ] as const)(
    "$what is away for $seconds s: what is routed stays routed, and ebb goes on afterwards",
    async ({ what, seconds, stop, start }, context) => {
      if (!hasHands(stop, start)) return context.skip(`no hands on ${what}`);
      try {
        const { failures } = await loaded(`${what} stopped`, async () => {
          await lay(stop);
          await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
        });
        expect(failures).toEqual([]);
      } finally {
        await lay(start);
      }
      await eventually(
        "the API answers again",
        async () => ((await home.kubectl(["get", "nodes"])).code === 0 ? true : undefined),
        { deadlineMs: 60_000, everyMs: 500 },
      );
      // A controller leads again: a new Service becomes ready.
      // After a minute Kubernetes takes every node for lost, and webhooks have no endpoints until nodes report again.
      let said = "";
      const deploy = ["deploy", join(home.dir, "steady.ts"), "--name", "after", "--wait", "90s"];
      const again = async (): Promise<true | undefined> => {
        const { code, stderr } = await home.ebb(...deploy);
        said = stderr;
        return code === 0 ? true : undefined;
      };
      await eventually("a deployment", again, { deadlineMs: 60_000, everyMs: 1000, seen: () => said });
      await home.ebb("delete", "after");
    },
  );

  test("webhooks' certificates taken away are made anew, and Services can be changed all along", async () => {
    const name = "ebb-serving-certs";
    const before = JSON.parse(await kubectl("get", "secret", "-n", system, name, "-o", "json")) as Named;
    const { failures } = await loaded("certificates removed", async () => {
      await kubectl("delete", "secret", "-n", system, name);
      await eventually(
        "there are new ones",
        async () => {
          const got = await home.kubectl(["get", "secret", "-n", system, name, "-o", "json"]);
          return got.code === 0 && (JSON.parse(got.stdout) as Named).metadata.uid !== before.metadata.uid
            ? true
            : undefined;
        },
        { deadlineMs: 90_000, everyMs: 500 },
      );
    });
    expect(failures).toEqual([]);
    let said = "";
    await eventually(
      "a Service can be changed",
      async () => {
        const got = await home.kubectl(["annotate", "ksvc", "steady", "--overwrite", `example.com/at=${Date.now()}`]);
        said = got.stderr;
        return got.code === 0 ? true : undefined;
      },
      { deadlineMs: 90_000, everyMs: 1000, seen: () => said },
    );
  });

  test("more sleepers called at once than hosts wait: every call is answered", async () => {
    const names = Array.from({ length: 15 }, (_, n) => `sleeper-${n}`);
    const source = join(home.dir, "sleeper.ts");
    await writeFile(source, 'export default { fetch: () => new Response("awake") };');
    const first = await home.ebb("deploy", source, "--name", names[0] ?? "", "--json", "--wait", "120s");
    expect(first).toMatchObject({ code: 0 });
    const { image } = JSON.parse(first.stdout) as { readonly image: string };
    const template = {
      metadata: { annotations: { "autoscaling.knative.dev/window": "6s" } },
      spec: { containers: [{ image }] },
    };
    const items = names.map((name) => ({
      apiVersion: "serving.knative.dev/v1",
      kind: "Service",
      metadata: { name },
      spec: { template },
    }));
    const list = JSON.stringify({ apiVersion: "v1", kind: "List", items });
    expect(await home.kubectl(["apply", "-f", "-"], { stdin: list })).toMatchObject({ code: 0 });
    await kubectl("wait", "ksvc", ...names, "--for=condition=Ready", "--timeout=120s");
    await eventually(
      "all sleep",
      async () => {
        const awake = await Promise.all(
          names.map((name) => pods(home.namespace, `serving.knative.dev/service=${name}`)),
        );
        return awake.every((one) => one.length === 0) ? true : undefined;
      },
      { deadlineMs: 90_000, everyMs: 500 },
    );
    const answers = await Promise.all(names.map((name) => home.call(home.host(name))));
    const times = answers.map(({ ms }) => Math.round(ms)).toSorted((a, b) => a - b);
    process.stderr.write(`${names.length} sleepers called at once: ${times.join(", ")} ms\n`);
    expect(answers.map(({ status, body }) => `${status} ${body}`)).toEqual(names.map(() => "200 awake"));
    await home.ebb("delete", ...names);
  });

  test("more at once than there is room for: a quota stops new instances, those that run answer, the Service says why", async () => {
    const quota = { apiVersion: "v1", kind: "ResourceQuota", metadata: { name: "few" }, spec: { hard: { pods: "2" } } };
    const made = await home.kubectl(["apply", "-f", "-"], { stdin: JSON.stringify(quota) });
    expect(made).toMatchObject({ code: 0 });
    try {
      const result = await home.ebb(
        "deploy",
        join(home.dir, "steady.ts"),
        "--name",
        "crowded",
        "--min",
        "2",
        "--wait",
        "20s",
      );
      expect(result.code).toBe(1);
      expect(result.stderr).toMatch(/exceeded quota: few/);
      const { failures } = await loaded("quota full", async () => undefined);
      expect(failures).toEqual([]);
    } finally {
      await kubectl("delete", "resourcequota", "few");
      await home.ebb("delete", "crowded");
    }
  });
});
