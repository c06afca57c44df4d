/**
 * Events on a real cluster: what producers inside it send reaches functions, and what is taken away meanwhile (a
 * dispatcher, the leader, NATS) costs nothing that was acknowledged.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { eventually } from "../e2e/ebb-process.ts";
import { homeKind, openHome, type Home } from "../e2e/home.ts";

vi.setConfig({ testTimeout: 420_000, hookTimeout: 240_000 });

const system = "ebb-system";
const dispatchers = "app.kubernetes.io/component=events";

/** Sends events from inside the cluster, each until it is acknowledged, and tells how that went. */
const feeder = `
export default { async fetch(request) {
  const { broker, from, count, width, type, everyMs } = await request.json();
  let next = from, acknowledged = 0, again = 0;
  const one = async (id) => {
    for (const deadline = Date.now() + 150_000; ;) {
      try {
        const response = await fetch(broker, { method: "POST", body: JSON.stringify({ id }), signal: AbortSignal.timeout(10_000),
          headers: { "content-type": "application/json", "ce-specversion": "1.0", "ce-id": String(id), "ce-source": "/feeder", "ce-type": type } });
        await response.arrayBuffer();
        if (response.status === 202) return void acknowledged++;
      } catch {}
      if (Date.now() > deadline) return;
      again++;
      await new Promise((done) => setTimeout(done, 100));
    }
  };
  await Promise.all(Array.from({ length: width }, async () => {
    while (next < from + count) {
      await one(next++);
      if (everyMs) await new Promise((done) => setTimeout(done, everyMs));
    }
  }));
  return Response.json({ acknowledged, again });
} };`;

/** Counts what arrives, by path and id; answers "order" with another event, and refuses "poison". */
const recorder = `
const seen = new Map();
export default { async fetch(request) {
  const { pathname, searchParams } = new URL(request.url);
  if (request.method === "GET") {
    const ids = seen.get(searchParams.get("of")) ?? new Map();
    const [from, count] = [Number(searchParams.get("from") ?? 0), Number(searchParams.get("count") ?? 0)];
    let missing = 0;
    for (let id = from; id < from + count; id++) if (!ids.has(String(id))) missing++;
    return Response.json({ distinct: ids.size, total: [...ids.values()].reduce((sum, n) => sum + n, 0), missing, ids: ids.size > 20 ? [] : [...ids.keys()] });
  }
  await request.arrayBuffer();
  const id = request.headers.get("ce-id"), type = request.headers.get("ce-type");
  const ids = seen.get(pathname) ?? new Map();
  seen.set(pathname, ids.set(id, (ids.get(id) ?? 0) + 1));
  if (type === "poison" && pathname !== "/dead") return new Response("no", { status: 500 });
  if (type === "order") return new Response("{}", { headers: { "ce-specversion": "1.0", "ce-id": "reply-" + id, "ce-source": "/recorder", "ce-type": "paid", "content-type": "application/json" } });
  return new Response(null, { status: 204 });
} };`;

interface Seen {
  readonly distinct: number;
  readonly total: number;
  readonly missing: number;
  readonly ids: readonly string[];
}

interface PodJson {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

if (homeKind !== "cluster")
  process.stderr.write("test/cluster: no cluster (npm run test:cluster), its events are NOT tested\n");

describe.skipIf(homeKind !== "cluster")("events on a cluster", () => {
  let home: Home;
  let broker = "";
  /** Ids of one test are no others'. */
  let used = 0;

  beforeAll(async () => {
    home = await openHome();
    broker = `http://broker-ingress.knative-eventing.svc.cluster.local/${home.namespace}/default`;
    for (const [name, text] of Object.entries({ feeder, recorder })) {
      const source = join(home.dir, `${name}.ts`);
      await writeFile(source, text);
      const settings = name === "recorder" ? ["--min", "1", "--max", "1"] : ["--max", "1"];
      await home.ebb("deploy", source, "--wait", "120s", ...settings);
      await kubectl("wait", "--for=condition=Ready", `ksvc/${name}`, "-n", home.namespace, "--timeout=90s");
    }
    await apply(
      brokerOf("default"),
      ...[0, 1, 2, 3, 4, 5].map((index) => trigger(`all-${index}`, { path: `/all-${index}` })),
    );
    await ready("broker", "default");
    for (const index of [0, 1, 2, 3, 4, 5]) await ready("trigger", `all-${index}`);
  });
  afterAll(() => home.close());

  async function kubectl(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await home.kubectl(args);
    if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  async function apply(...objects: readonly object[]): Promise<void> {
    const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
    expect(await home.kubectl(["apply", "-f", "-"], { stdin: list })).toMatchObject({ code: 0 });
  }

  const brokerOf = (name: string): object => ({
    apiVersion: "eventing.knative.dev/v1",
    kind: "Broker",
    metadata: { name, namespace: home.namespace },
  });

  interface TriggerWishes {
    readonly path: string;
    readonly type?: string;
    readonly broker?: string;
    readonly delivery?: object;
  }

  const recorderAt = (uri: string): object => ({
    ref: { apiVersion: "serving.knative.dev/v1", kind: "Service", name: "recorder" },
    uri,
  });

  const trigger = (name: string, { path, type = "load", delivery, ...rest }: TriggerWishes): object => ({
    apiVersion: "eventing.knative.dev/v1",
    kind: "Trigger",
    metadata: { name, namespace: home.namespace },
    spec: {
      broker: rest.broker ?? "default",
      filter: { attributes: { type } },
      subscriber: recorderAt(path),
      ...(delivery ? { delivery } : {}),
    },
  });

  const ready = (kind: string, name: string): Promise<string> =>
    kubectl(
      "wait",
      "--for=condition=Ready",
      `${kind}.eventing.knative.dev/${name}`,
      "-n",
      home.namespace,
      "--timeout=30s",
    );

  interface Feed {
    readonly count: number;
    readonly type?: string;
    readonly to?: string;
    /** Pause of each of eight senders between two events. */
    readonly everyMs?: number;
  }

  /** Resolves when all are acknowledged. */
  async function feed({
    count,
    type = "load",
    to = broker,
    everyMs = 0,
  }: Feed): Promise<{ readonly from: number; readonly again: number }> {
    const from = used;
    used += count;
    const body = JSON.stringify({ broker: to, from, count, width: 8, type, everyMs });
    const answer = await home.call(home.host("feeder"), { method: "POST", body });
    expect(answer.status).toBe(200);
    const { acknowledged, again } = JSON.parse(answer.body) as {
      readonly acknowledged: number;
      readonly again: number;
    };
    expect(acknowledged).toBe(count);
    return { from, again };
  }

  async function seen(path: string, from = 0, count = 0): Promise<Seen> {
    const query = new URLSearchParams({ of: path, from: String(from), count: String(count) });
    const answer = await home.call(home.host("recorder"), { path: `/?${query.toString()}` });
    expect(answer.status).toBe(200);
    return JSON.parse(answer.body) as Seen;
  }

  async function arrivedAt(path: string, from: number, count: number): Promise<Seen> {
    let last = "";
    return eventually(
      `${count} events at ${path}`,
      async () => {
        const now = await seen(path, from, count);
        last = JSON.stringify(now);
        return now.missing === 0 ? now : undefined;
      },
      { deadlineMs: 90_000, everyMs: 500, seen: () => last },
    );
  }

  async function pods(selector: string): Promise<readonly PodJson[]> {
    const { items } = JSON.parse(await kubectl("get", "pods", "-n", system, "-l", selector, "-o", "json")) as {
      readonly items: readonly PodJson[];
    };
    return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  const isReady = ({ status }: PodJson): boolean =>
    status.conditions?.some((one) => one.type === "Ready" && one.status === "True") === true;

  async function replicas(count: number): Promise<void> {
    await kubectl("scale", "deployment", "ebb-events", "-n", system, `--replicas=${count}`);
    await eventually(
      `${count} dispatchers`,
      async () => {
        const now = await pods(dispatchers);
        return now.length === count && now.every(isReady) ? true : undefined;
      },
      { deadlineMs: 90_000, everyMs: 300 },
    );
  }

  /** Feeds while `during` runs; everything acknowledged arrives at every trigger. Gives how many arrived more than once. */
  async function loaded(what: string, count: number, during: () => Promise<void>): Promise<number> {
    const before = await Promise.all([0, 1, 2, 3, 4, 5].map((index) => seen(`/all-${index}`)));
    const feeding = feed({ count, everyMs: 40 });
    // Under way before anything is taken away.
    await eventually(
      "the first arrive",
      async () => ((await seen("/all-0")).distinct > (before[0]?.distinct ?? 0) + 50 ? true : undefined),
      {
        deadlineMs: 30_000,
        everyMs: 100,
      },
    );
    await during();
    const { from, again } = await feeding;
    let doubled = 0;
    for (const index of [0, 1, 2, 3, 4, 5]) {
      const now = await arrivedAt(`/all-${index}`, from, count);
      const was = before[index];
      doubled += now.total - now.distinct - ((was?.total ?? 0) - (was?.distinct ?? 0));
    }
    process.stderr.write(
      `${what}: ${count} acknowledged (${again} sent again), at 6 triggers 0 missing, ${doubled} came twice\n`,
    );
    return doubled;
  }

  test("an event wakes a sleeping function, its reply goes to the next trigger, what fails to the dead letter", async () => {
    const delivery = { retry: 1, backoffPolicy: "linear", backoffDelay: "PT0.2S", deadLetterSink: recorderAt("/dead") };
    await apply(
      trigger("orders", { path: "/orders", type: "order" }),
      trigger("paid", { path: "/paid", type: "paid" }),
      trigger("poison", { path: "/poison", type: "poison", delivery }),
    );
    for (const name of ["orders", "paid", "poison"]) await ready("trigger", name);
    const { from } = await feed({ count: 1, type: "order" });
    await arrivedAt("/orders", from, 1);
    await eventually("the reply", async () => ((await seen("/paid")).ids.includes(`reply-${from}`) ? true : undefined));
    const poison = await feed({ count: 1, type: "poison" });
    await arrivedAt("/dead", poison.from, 1);
    expect((await seen("/poison")).total).toBe(2);
  });

  test("in the steady state nothing comes twice, with one dispatcher and with three", async () => {
    await replicas(3);
    expect(await loaded("three dispatchers", 1500, async () => undefined)).toBe(0);
  });

  test("dispatchers from three to one and back to three: nothing is lost, nothing comes twice", async () => {
    const doubled = await loaded("scaled 3, 1, 3", 4000, async () => {
      await replicas(1);
      await replicas(3);
    });
    expect(doubled).toBe(0);
  });

  test("a dispatcher killed outright: what was under way comes again, nothing is lost", async () => {
    const doubled = await loaded("dispatcher killed", 4000, async () => {
      const [victim] = await pods(dispatchers);
      await kubectl("delete", "pod", "-n", system, victim?.metadata.name ?? "", "--grace-period=0", "--force");
      await replicas(3);
    });
    expect(doubled).toBeLessThan(6 * 150);
  });

  test("the leader killed outright: the same, and somebody else leads", async () => {
    const holder = async (): Promise<string> =>
      kubectl("get", "lease", "-n", system, "ebb-events", "-o", "jsonpath={.spec.holderIdentity}");
    const before = await holder();
    const doubled = await loaded("leader killed", 4000, async () => {
      await kubectl("delete", "pod", "-n", system, before.split("_")[0] ?? "", "--grace-period=0", "--force");
      await eventually("another leads", async () => ((await holder()) === before ? undefined : true), {
        deadlineMs: 30_000,
      });
      await replicas(3);
    });
    expect(doubled).toBeLessThan(6 * 150);
  });

  test("NATS killed outright and back: senders wait, nothing acknowledged is lost", async () => {
    const [server] = await pods("app.kubernetes.io/component=nats");
    if (!server) throw new Error("ebb's own NATS does not run here");
    const doubled = await loaded("NATS killed", 4000, async () => {
      await kubectl("delete", "pod", "-n", system, server.metadata.name, "--grace-period=0", "--force");
      await eventually(
        "NATS is back",
        async () => {
          const [now] = await pods("app.kubernetes.io/component=nats");
          return now && now.metadata.uid !== server.metadata.uid && isReady(now) ? true : undefined;
        },
        { deadlineMs: 90_000, everyMs: 300 },
      );
    });
    expect(doubled).toBeLessThan(6 * 150);
  });

  test("a trigger edited and another broker deleted mid-stream disturb nobody", async () => {
    await apply(brokerOf("doomed"), trigger("doomed", { path: "/doomed", broker: "doomed" }));
    await ready("broker", "doomed");
    await ready("trigger", "doomed");
    await feed({ count: 50, to: broker.replace(/default$/, "doomed") });
    const doubled = await loaded("edited and deleted", 2000, async () => {
      await apply(
        trigger("all-0", { path: "/all-0", delivery: { retry: 5, backoffPolicy: "linear", backoffDelay: "PT0.1S" } }),
      );
      await kubectl("delete", "broker.eventing.knative.dev", "doomed", "-n", home.namespace, "--timeout=30s");
    });
    expect(doubled).toBe(0);
  });
});
