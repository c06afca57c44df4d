/**
 * Events on a real cluster: what producers inside it send reaches functions, and what is taken away meanwhile (a
 * dispatcher, the leader, NATS) costs nothing that was acknowledged.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { eventually } from "../e2e/ebb-process.ts";
import { homeKind, openHome, type Home } from "../e2e/home.ts";
import { hasHands, lay } from "./hands.ts";

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
const seen = new Map(), peaks = new Map();
export default { async fetch(request) {
  const { pathname, searchParams } = new URL(request.url);
  if (request.method === "GET") {
    const ids = seen.get(searchParams.get("of")) ?? new Map();
    const [from, count] = [Number(searchParams.get("from") ?? 0), Number(searchParams.get("count") ?? 0)];
    let missing = 0;
    for (let id = from; id < from + count; id++) if (!ids.has(String(id))) missing++;
    return Response.json({ distinct: ids.size, total: [...ids.values()].reduce((sum, n) => sum + n, 0), missing, most: peaks.get(searchParams.get("of")) ?? 0, ids: ids.size > 20 ? [] : [...ids.keys()] });
  }
  await request.arrayBuffer();
  const id = request.headers.get("ce-id"), type = request.headers.get("ce-type");
  const most = Number(request.headers.get("ce-most") ?? 0);
  if (most > (peaks.get(pathname) ?? 0)) peaks.set(pathname, most);
  const ids = seen.get(pathname) ?? new Map();
  seen.set(pathname, ids.set(id, (ids.get(id) ?? 0) + 1));
  if (type === "poison" && pathname !== "/dead") return new Response("no", { status: 500 });
  if (type === "order") return new Response("{}", { headers: { "ce-specversion": "1.0", "ce-id": "reply-" + id, "ce-source": "/recorder", "ce-type": "paid", "content-type": "application/json" } });
  return new Response(null, { status: 204 });
} };`;

/** Takes its time, and answers with an event that says how many it had at once. */
const sleeper = `
let active = 0, most = 0;
export default { async fetch(request) {
  most = Math.max(most, ++active);
  await request.arrayBuffer();
  await new Promise((done) => setTimeout(done, 150));
  active--;
  return new Response("{}", { headers: { "ce-specversion": "1.0", "ce-id": request.headers.get("ce-id"), "ce-source": "/sleeper", "ce-type": "slept", "ce-most": String(most), "content-type": "application/json" } });
} };`;

interface Seen {
  /** Most at once, where who sent it said so. */
  readonly most: number;
  readonly distinct: number;
  readonly total: number;
  readonly missing: number;
  readonly ids: readonly string[];
}

interface PodJson {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const settings = {
  feeder: ["--max", "1"],
  recorder: ["--min", "1", "--max", "1"],
  sleeper: ["--max", "3", "--concurrency", "4", "--annotation", "autoscaling.knative.dev/window=6s"],
} as const;

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
    for (const [name, text] of Object.entries({ feeder, recorder, sleeper })) {
      const source = join(home.dir, `${name}.ts`);
      await writeFile(source, text);
      await home.ebb("deploy", source, "--wait", "120s", ...settings[name as keyof typeof settings]);
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

  test("a backlog wakes a sleeping function by as much as it may take, and all of it arrives once", async () => {
    const path = "/slept";
    const pods = async (): Promise<number> =>
      (
        JSON.parse(
          await kubectl("get", "pods", "-n", home.namespace, "-l", "serving.knative.dev/service=sleeper", "-o", "json"),
        ) as { readonly items: readonly PodJson[] }
      ).items.filter(({ metadata }) => metadata.deletionTimestamp === undefined).length;
    const sleeping = { ref: { apiVersion: "serving.knative.dev/v1", kind: "Service", name: "sleeper" } };
    const wakes = (annotations: Readonly<Record<string, string>>): object => ({
      apiVersion: "eventing.knative.dev/v1",
      kind: "Trigger",
      metadata: { name: "wakes", namespace: home.namespace, annotations },
      spec: { broker: "default", filter: { attributes: { type: "nap" } }, subscriber: sleeping },
    });
    await apply(wakes({ "events.ebb.dev/paused": "true" }), trigger("slept", { path, type: "slept" }));
    for (const name of ["wakes", "slept"]) await ready("trigger", name);
    await eventually("the function to fall asleep", async () => ((await pods()) === 0 ? true : undefined), {
      deadlineMs: 150_000,
      everyMs: 1000,
    });
    const { from } = await feed({ count: 600, type: "nap" });
    expect(await pods()).toBe(0);
    let peak = 0;
    await apply(wakes({}));
    await eventually(
      "the backlog to arrive",
      async () => {
        peak = Math.max(peak, await pods());
        return (await seen(path, from, 600)).missing === 0 ? true : undefined;
      },
      { deadlineMs: 120_000, everyMs: 300 },
    );
    const { total, most } = await seen(path);
    process.stderr.write(`backlog of 600 for a sleeping function: ${peak} instances at most, ${most} at once in one\n`);
    expect([total, peak <= 3, most]).toEqual([600, true, 4]);
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

  test("a replay under load delivers again what came before it, and nothing else", async () => {
    const [before, otherBefore] = [await seen("/all-1"), await seen("/all-2")];
    const feeding = feed({ count: 2000, everyMs: 40 });
    await eventually(
      "some to arrive",
      async () => ((await seen("/all-1")).distinct > before.distinct + 400 ? true : undefined),
      { deadlineMs: 60_000, everyMs: 100 },
    );
    const asked = await seen("/all-1");
    const first = used - 2000;
    const replayed = await home.ebb("events", "replay", "all-1", "--id", String(first));
    expect(replayed).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+ events will be delivered/) });
    const told = await seen("/all-1");
    const { from } = await feeding;
    expect(from).toBe(first);
    const now = await arrivedAt("/all-1", from, 2000);
    const again = now.total - now.distinct - (before.total - before.distinct);
    process.stderr.write(`replay: asked at ${asked.distinct - before.distinct} of 2000, ${again} came again\n`);
    expect(again).toBeGreaterThanOrEqual(asked.distinct - before.distinct);
    // What was under way while it was asked comes again, too.
    expect(again).toBeLessThanOrEqual(told.distinct - before.distinct + 128);
    const other = await arrivedAt("/all-2", from, 2000);
    expect(other.total - other.distinct).toBe(otherBefore.total - otherBefore.distinct);
  });

  test("NATS away for a minute under load: senders hear it, the status tells, nothing is lost", async () => {
    const nats = ["statefulset", "ebb-nats", "-n", system] as const;
    const isReadyBroker = async (): Promise<string> =>
      kubectl(
        "get",
        "broker.eventing.knative.dev/default",
        "-n",
        home.namespace,
        "-o",
        'jsonpath={.status.conditions[?(@.type=="Ready")].status} {.status.conditions[?(@.type=="Ready")].message}',
      );
    const doubled = await loaded("NATS away for a minute", 3000, async () => {
      await kubectl("scale", ...nats, "--replicas=0");
      try {
        const since = Date.now();
        await eventually(
          "the Broker to say so",
          async () => ((await isReadyBroker()).startsWith("False NATS has not been heard from") ? true : undefined),
          { deadlineMs: 50_000, everyMs: 500 },
        );
        const answer = await home.ebb("events", "send", "--type", "none");
        expect([answer.code, answer.stderr]).toEqual([1, expect.stringContaining("NATS did not store it")]);
        await new Promise((done) => setTimeout(done, Math.max(0, since + 60_000 - Date.now())));
      } finally {
        await kubectl("scale", ...nats, "--replicas=1");
      }
      await eventually(
        "the Broker to be back",
        async () => ((await isReadyBroker()).startsWith("True") ? true : undefined),
        {
          deadlineMs: 60_000,
          everyMs: 500,
        },
      );
    });
    expect(doubled).toBeLessThan(6 * 150);
  });

  test.skipIf(!hasHands("EBB_TEST_FREEZE_POD", "EBB_TEST_THAW_POD"))(
    "a dispatcher that stood still for longer than it may delivers nothing of others' when it goes on",
    async () => {
      await replicas(3);
      const [victim] = await pods(dispatchers);
      if (!victim) throw new Error("there is no dispatcher");
      const env = { POD_NAME: victim.metadata.name, POD_UID: victim.metadata.uid };
      const doubled = await loaded("dispatcher frozen for 10 s", 3000, async () => {
        await lay("EBB_TEST_FREEZE_POD", env);
        await new Promise((done) => setTimeout(done, 10_000));
        await lay("EBB_TEST_THAW_POD", env);
      });
      expect(doubled).toBeLessThan(6 * 150);
      await replicas(3);
      expect(await loaded("after that", 1000, async () => undefined)).toBe(0);
    },
  );

  test("asynchronous calls outlive the router that took them, a dispatcher and the leader", async () => {
    const from = used;
    used += 90;
    const headers = (id: number): Record<string, string> => ({
      prefer: "respond-async",
      "ce-id": String(id),
      "ce-type": "call",
    });
    const calls: string[] = [];
    const some = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n++) {
        const id = from + calls.length;
        const answer = await home.call(home.host("recorder"), {
          method: "POST",
          path: "/called",
          headers: headers(id),
          body: "x",
        });
        expect(answer.status).toBe(202);
        calls.push(String(answer.headers["x-call-id"]));
      }
    };
    await some(30);
    const [dispatcher] = await pods(dispatchers);
    await kubectl("delete", "pod", "-n", system, dispatcher?.metadata.name ?? "", "--grace-period=0", "--force");
    await some(30);
    const holder = await kubectl("get", "lease", "-n", system, "ebb-events", "-o", "jsonpath={.spec.holderIdentity}");
    await kubectl(
      "delete",
      "pod",
      "-n",
      system,
      holder.split("_")[0] ?? "",
      "--grace-period=0",
      "--force",
      "--ignore-not-found",
    );
    await some(30);
    await kubectl("rollout", "restart", "deployment/ebb-router", "-n", system);
    await arrivedAt("/called", from, 90);
    await kubectl("rollout", "status", "deployment/ebb-router", "-n", system, "--timeout=120s");
    for (const id of calls)
      await eventually(
        `call ${id} to be over`,
        async () => ((await home.ebb("call", id)).stdout.startsWith("succeeded") ? true : undefined),
        { deadlineMs: 30_000 },
      );
    await replicas(3);
  });
});
