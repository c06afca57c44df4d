/** Kinds of Eventing once on a real cluster: what it promises arrives at a function. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { eventually } from "../e2e/ebb-process.ts";
import { homeKind, openHome, type Home } from "../e2e/home.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 });

/** Keeps what comes, sends what it is told to, and answers at /answer/KIND with an event of that type. */
const witness = `
const seen = [];
export default { async fetch(request) {
  const { pathname } = new URL(request.url);
  if (request.method === "GET") return Response.json(seen);
  if (pathname === "/send") {
    const { to, headers, body } = await request.json();
    const response = await fetch(to, { method: "POST", headers, body });
    return Response.json({ status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() });
  }
  const headers = Object.fromEntries([...request.headers].filter(([name]) => name.startsWith("ce-") || name === "authorization"));
  seen.push({ path: pathname, headers, body: await request.text() });
  const answer = /^\\/answer\\/(.+)$/.exec(pathname);
  if (!answer) return new Response(null, { status: 204 });
  return new Response("{}", { headers: { "ce-specversion": "1.0", "ce-id": crypto.randomUUID(), "ce-source": "/witness",
    "ce-type": answer[1], "content-type": "application/json", ...(headers["ce-correlationid"] ? { "ce-replyid": headers["ce-correlationid"] } : {}) } });
} };`;

interface Seen {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Sent {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

if (homeKind !== "cluster")
  process.stderr.write("test/cluster: no cluster (npm run test:cluster), its kinds of events are NOT tested\n");

describe.skipIf(homeKind !== "cluster")("kinds of Eventing on a cluster", () => {
  let home: Home;

  beforeAll(async () => {
    home = await openHome();
    const source = join(home.dir, "witness.ts");
    await writeFile(source, witness);
    await home.ebb("deploy", source, "--wait", "120s", "--min", "1", "--max", "1");
  });
  afterAll(() => home.close());

  async function kubectl(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await home.kubectl([...args, "-n", home.namespace]);
    if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  /** Has Node, and is on the nodes already. */
  async function imageOfEbb(): Promise<string> {
    const path = "jsonpath={.spec.template.spec.containers[0].image}";
    const { stdout } = await home.kubectl(["get", "deployment", "ebb-events", "-n", "ebb-system", "-o", path]);
    return stdout;
  }

  const make = (apiVersion: string, kind: string, name: string, spec: object): object => ({
    apiVersion,
    kind,
    metadata: { name, namespace: home.namespace },
    spec,
  });
  async function apply(...objects: readonly object[]): Promise<void> {
    const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
    const { code, stderr } = await home.kubectl(["apply", "-f", "-"], { stdin: list });
    expect(`${code} ${stderr}`).toBe("0 ");
  }
  const ready = (resource: string, name: string): Promise<string> =>
    kubectl("wait", "--for=condition=Ready", `${resource}/${name}`, "--timeout=60s");
  const urlOf = (resource: string, name: string): Promise<string> =>
    kubectl("get", `${resource}/${name}`, "-o", "jsonpath={.status.address.url}");
  const at = (uri: string): object => ({
    ref: { apiVersion: "serving.knative.dev/v1", kind: "Service", name: "witness" },
    uri,
  });

  const event = (type: string, id: string): Readonly<Record<string, string>> => ({
    "ce-specversion": "1.0",
    "ce-id": id,
    "ce-source": "/test",
    "ce-type": type,
    "content-type": "application/json",
  });

  /** From inside the cluster, where names are those of its DNS. */
  async function send(to: string, headers: Readonly<Record<string, string>>, body = "{}"): Promise<Sent> {
    const answer = await home.call(home.host("witness"), {
      path: "/send",
      method: "POST",
      body: JSON.stringify({ to, headers, body }),
    });
    expect(answer.status).toBe(200);
    return JSON.parse(answer.body) as Sent;
  }

  async function arrives(path: string, is: (one: Seen) => boolean = () => true): Promise<Seen> {
    let last = "";
    return eventually(
      `an event at ${path}`,
      async () => {
        const { body } = await home.call(home.host("witness"), { path: "/" });
        last = body.slice(-1500);
        return (JSON.parse(body) as readonly Seen[]).find((one) => one.path === path && is(one));
      },
      { deadlineMs: 60_000, everyMs: 300, seen: () => last },
    );
  }

  test("a Job after its SinkBinding finds the sink from the start, and so do pods of a ContainerSource", async () => {
    const image = await imageOfEbb();
    const program = `fetch(process.env.K_SINK,{method:"POST",body:"{}",headers:{"content-type":"application/json","ce-specversion":"1.0","ce-id":"1","ce-source":"/program","ce-type":JSON.parse(process.env.K_CE_OVERRIDES).extensions.kind}}).then(()=>setTimeout(()=>0,process.env.STAY??0))`;
    const container = { name: "c", image, command: ["node", "-e", program] };
    await apply(
      make("sources.knative.dev/v1", "SinkBinding", "b", {
        subject: { apiVersion: "batch/v1", kind: "Job", selector: { matchLabels: { sends: "yes" } } },
        sink: at("/binding"),
        ceOverrides: { extensions: { kind: "job" } },
      }),
      make("sources.knative.dev/v1", "ContainerSource", "k", {
        sink: at("/container"),
        ceOverrides: { extensions: { kind: "container" } },
        template: { spec: { containers: [{ ...container, env: [{ name: "STAY", value: "100000000" }] }] } },
      }),
    );
    await kubectl("wait", "--for=jsonpath={.status.sinkUri}", "sinkbinding/b", "--timeout=30s");
    const job = make("batch/v1", "Job", "j", {
      template: { spec: { restartPolicy: "Never", containers: [container] } },
    }) as { metadata: object };
    await apply({ ...job, metadata: { ...job.metadata, labels: { sends: "yes" } } });
    await arrives("/binding", ({ headers }) => headers["ce-type"] === "job");
    await arrives("/container", ({ headers }) => headers["ce-type"] === "container");
    await ready("containersources.sources.knative.dev", "k");
  });

  test("JobSink runs a Job for an event, and only one", async () => {
    const image = await imageOfEbb();
    const program = `const e=JSON.parse(require("fs").readFileSync(process.env.K_EVENT_PATH+"/event","utf8"));console.log("got "+e.id+" "+e.data.a)`;
    const pod = { restartPolicy: "Never", containers: [{ name: "c", image, command: ["node", "-e", program] }] };
    await apply(make("sinks.knative.dev/v1alpha1", "JobSink", "jobs", { job: { spec: { template: { spec: pod } } } }));
    await ready("jobsinks.sinks.knative.dev", "jobs");
    const url = await urlOf("jobsinks.sinks.knative.dev", "jobs");
    const first = await send(url, event("t", "7"), '{"a":5}');
    expect(first.status).toBe(202);
    expect(first.headers["location"]).toMatch(/\/name\/jobs\/sources\//);
    expect((await send(url, event("t", "7"), '{"a":5}')).status).toBe(202);
    await kubectl(
      "wait",
      "--for=condition=Complete",
      "job",
      "-l",
      "sinks.knative.dev/job-sink-name=jobs",
      "--timeout=60s",
    );
  });

  test("IntegrationSource and IntegrationSink", async () => {
    await apply(
      make("sources.knative.dev/v1alpha1", "IntegrationSource", "tick", {
        timer: { period: 500, message: "hello" },
        sink: at("/timer"),
      }),
      make("sinks.knative.dev/v1alpha1", "IntegrationSink", "log", { log: { level: "INFO" } }),
    );
    await ready("integrationsources.sources.knative.dev", "tick");
    await ready("integrationsinks.sinks.knative.dev", "log");
    await arrives(
      "/timer",
      ({ headers, body }) => headers["ce-type"] === "dev.knative.connector.event.timer" && body.includes("hello"),
    );
    expect((await send(await urlOf("integrationsinks.sinks.knative.dev", "log"), event("t", "1"))).status).toBe(202);
  });

  test("Channel, InMemoryChannel and Subscription", async () => {
    await apply(
      make("messaging.knative.dev/v1", "Channel", "c", {}),
      make("messaging.knative.dev/v1", "Subscription", "s", {
        channel: { apiVersion: "messaging.knative.dev/v1", kind: "Channel", name: "c" },
        subscriber: at("/channel"),
      }),
    );
    await ready("channels.messaging.knative.dev", "c");
    await ready("inmemorychannels.messaging.knative.dev", "c");
    await ready("subscriptions.messaging.knative.dev", "s");
    const url = await urlOf("channels.messaging.knative.dev", "c");
    expect((await send(url, event("t", "1"))).status).toBe(202);
    await arrives("/channel");
  });

  test("Sequence and Parallel", async () => {
    await apply(
      make("flows.knative.dev/v1", "Sequence", "seq", {
        steps: [at("/answer/one"), at("/answer/two")],
        reply: at("/sequence"),
      }),
      make("flows.knative.dev/v1", "Parallel", "par", {
        branches: [
          { subscriber: at("/left") },
          { filter: at("/answer/pass"), subscriber: at("/answer/right"), reply: at("/right") },
        ],
      }),
    );
    await ready("sequences.flows.knative.dev", "seq");
    await ready("parallels.flows.knative.dev", "par");
    expect((await send(await urlOf("sequences.flows.knative.dev", "seq"), event("t", "1"))).status).toBe(202);
    expect((await send(await urlOf("parallels.flows.knative.dev", "par"), event("t", "1"))).status).toBe(202);
    await arrives("/sequence", ({ headers }) => headers["ce-type"] === "two");
    await arrives("/left");
    await arrives("/right", ({ headers }) => headers["ce-type"] === "right");
  });

  test("EventTransform", async () => {
    await apply(
      make("eventing.knative.dev/v1alpha1", "EventTransform", "double", {
        jsonata: {
          expression:
            '{ "specversion": "1.0", "id": id, "type": "doubled", "source": source, "data": { "n": data.n * 2 } }',
        },
        sink: at("/transform"),
      }),
    );
    await ready("eventtransforms.eventing.knative.dev", "double");
    const url = await urlOf("eventtransforms.eventing.knative.dev", "double");
    const answer = await send(url, event("t", "1"), '{"n":21}');
    expect(`${answer.status} ${answer.body}`).toMatch(/^20[024] /);
    await arrives("/transform", ({ body }) => {
      const { type, data } = JSON.parse(body) as { readonly type: string; readonly data: { readonly n: number } };
      return type === "doubled" && data.n === 42;
    });
  });

  test("RequestReply answers whichever replica gets the reply", async () => {
    await apply(
      make("eventing.knative.dev/v1", "Broker", "rr", {}),
      make("eventing.knative.dev/v1", "Trigger", "answers", {
        broker: "rr",
        filter: { attributes: { type: "question" } },
        subscriber: at("/answer/answer"),
      }),
      make("eventing.knative.dev/v1alpha1", "RequestReply", "ask", {
        brokerRef: { apiVersion: "eventing.knative.dev/v1", kind: "Broker", name: "rr" },
        timeout: "PT10S",
      }),
    );
    await ready("triggers.eventing.knative.dev", "answers");
    await ready("requestreplies.eventing.knative.dev", "ask");
    const url = await urlOf("requestreplies.eventing.knative.dev", "ask");
    const all = await Promise.all(Array.from({ length: 12 }, (_, i) => send(url, event("question", `q${i}`))));
    expect(all.map(({ status, headers }) => `${status} ${headers["ce-type"]}`)).toEqual(all.map(() => "200 answer"));
  });

  test("ApiServerSource sees what its account may, and another replica goes on when its own is gone", async () => {
    await apply(
      make("sources.knative.dev/v1", "ApiServerSource", "api", {
        serviceAccountName: "watcher",
        resources: [{ apiVersion: "v1", kind: "ConfigMap" }],
        sink: at("/api"),
      }),
    );
    await kubectl("wait", "--for=condition=SufficientPermissions=False", "apiserversource/api", "--timeout=30s");
    await kubectl("create", "serviceaccount", "watcher");
    await kubectl("create", "role", "watch", "--verb=get,list,watch", "--resource=configmaps");
    await kubectl("create", "rolebinding", "watch", "--role=watch", `--serviceaccount=${home.namespace}:watcher`);
    await ready("apiserversource", "api");
    const readBy = (): Promise<string> =>
      kubectl("get", "apiserversource/api", "-o", "jsonpath={.status.annotations.events\\.ebb\\.dev/read-by}");
    const owner = await readBy();
    expect(owner).toMatch(/^ebb-events-/);
    await kubectl("create", "configmap", "seen");
    await arrives("/api", ({ headers }) => headers["ce-name"] === "seen");
    await home.kubectl(["delete", "pod", owner.split("_")[0] ?? owner, "-n", "ebb-system", "--wait=false"]);
    await eventually("another reads it", async () => (await readBy()) !== owner, {
      deadlineMs: 60_000,
      everyMs: 300,
      seen: () => owner,
    });
    await kubectl("create", "configmap", "seen-later");
    await arrives("/api", ({ headers }) => headers["ce-name"] === "seen-later");
  });

  test("PingSource sends by its schedule", async () => {
    await apply(make("sources.knative.dev/v1", "PingSource", "ping", { schedule: "* * * * * *", sink: at("/ping") }));
    await ready("pingsources.sources.knative.dev", "ping");
    await arrives("/ping");
  });

  test("WebhookSource takes what comes from outside", async () => {
    await apply(
      make("sources.ebb.dev/v1alpha1", "WebhookSource", "hook", { verify: { scheme: "none" }, sink: at("/hook") }),
    );
    await ready("webhooksources.sources.ebb.dev", "hook");
    const { host } = new URL(await urlOf("webhooksources.sources.ebb.dev", "hook"));
    await eventually(
      "the webhook is routed",
      async () => (await home.call(host, { method: "POST", body: '{"from":"outside"}' })).status === 202,
      { deadlineMs: 30_000, everyMs: 300, seen: () => host },
    );
    await arrives("/hook", ({ body }) => body.includes("outside"));
  });

  test("EventType is served as v1beta1, v1beta2 and v1beta3", async () => {
    await apply(
      make("eventing.knative.dev/v1beta2", "EventType", "old", {
        type: "t",
        source: "/s",
        schemaData: "{}",
        reference: { apiVersion: "eventing.knative.dev/v1", kind: "Broker", name: "rr" },
      }),
    );
    const read = (version: string, path: string): Promise<string> =>
      kubectl("get", `eventtypes.${version}.eventing.knative.dev/old`, "-o", `jsonpath={${path}}`);
    expect(await read("v1beta2", ".spec.type")).toBe("t");
    expect(await read("v1beta1", ".spec.schemaData")).toBe("{}");
    expect(await read("v1beta3", ".spec.attributes[?(@.name=='source')].value")).toBe("/s");
    await kubectl("delete", "eventtypes.v1beta2.eventing.knative.dev/old");
  });

  test("with authentication-oidc a Broker takes what its EventPolicy lets in, and sinks get tokens", async () => {
    const features = ["patch", "configmap", "config-features", "-n", "knative-eventing", "--type=merge", "-p"];
    const setOidc = async (value: string | null): Promise<void> => {
      const { code, stderr } = await home.kubectl([
        ...features,
        JSON.stringify({ data: { "authentication-oidc": value } }),
      ]);
      expect(`${code} ${stderr}`).toBe("0 ");
    };
    for (const name of ["friend", "stranger"]) await kubectl("create", "serviceaccount", name);
    const sub = `system:serviceaccount:${home.namespace}:friend`;
    const broker = { apiVersion: "eventing.knative.dev/v1", kind: "Broker", name: "guarded" };
    await setOidc("enabled");
    try {
      await apply(
        make("eventing.knative.dev/v1", "Broker", "guarded", {}),
        make("eventing.knative.dev/v1", "Trigger", "guarded", {
          broker: "guarded",
          subscriber: { ...at("/guarded"), audience: "witness" },
        }),
        make("sources.knative.dev/v1", "PingSource", "known", { schedule: "* * * * * *", sink: { ref: broker } }),
        make("eventing.knative.dev/v1alpha1", "EventPolicy", "friends", {
          to: [{ ref: broker }],
          from: [{ sub }, { ref: { apiVersion: "sources.knative.dev/v1", kind: "PingSource", name: "known" } }],
        }),
      );
      await ready("eventpolicies.eventing.knative.dev", "friends");
      await ready("triggers.eventing.knative.dev", "guarded");
      await kubectl("wait", "--for=jsonpath={.status.policies[0].name}=friends", "broker/guarded", "--timeout=60s");
      const url = await urlOf("brokers.eventing.knative.dev", "guarded");
      const audience = await kubectl("get", "broker/guarded", "-o", "jsonpath={.status.address.audience}");
      const tokenOf = async (name: string, of: string): Promise<string> =>
        (await kubectl("create", "token", name, `--audience=${of}`)).trim();
      const statusWith = async (id: string, token?: string): Promise<number> => {
        const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
        return (await send(url, { ...event("t", id), ...authorization })).status;
      };
      // Each replica hears of the policy by itself.
      for (let n = 0; n < 6; n += 1) {
        expect(await statusWith("nobody")).toBe(401);
        expect(await statusWith("elsewhere", await tokenOf("friend", "another"))).toBe(401);
        expect(await statusWith("stranger", await tokenOf("stranger", audience))).toBe(403);
        expect(await statusWith(`friend-${n}`, await tokenOf("friend", audience))).toBe(202);
      }
      const seen = await arrives("/guarded", ({ headers }) => headers["ce-id"] === "friend-0");
      const [, claims = ""] = seen.headers["authorization"]?.split(".") ?? [];
      expect(JSON.parse(Buffer.from(claims, "base64url").toString())).toMatchObject({
        aud: ["witness"],
        sub: `system:serviceaccount:${home.namespace}:guarded-oidc-eventing.knative.dev-trigger`,
      });
      await arrives("/guarded", ({ headers }) => headers["ce-type"] === "dev.knative.sources.ping");
      const { body } = await home.call(home.host("witness"), { path: "/" });
      const ids = (JSON.parse(body) as readonly Seen[])
        .filter(({ path }) => path === "/guarded")
        .map(({ headers }) => headers["ce-id"]);
      expect(ids.filter((id) => ["nobody", "elsewhere", "stranger"].includes(id ?? ""))).toEqual([]);
    } finally {
      await setOidc(null);
    }
  });
});
