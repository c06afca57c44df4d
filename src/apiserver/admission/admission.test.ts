import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Answer, type Loose, type TestServer } from "../test-server.ts";

let t: TestServer;
beforeAll(async () => {
  t = await startTestServer();
});
afterAll(async () => {
  await t.close();
  expect(t.errors).toEqual([]);
});

const post = async (namespace: string, plural: string, body: object): Promise<Answer> =>
  await t.ask("POST", `/api/v1/namespaces/${namespace}/${plural}`, { body });
const newNamespace = async (name: string): Promise<unknown> =>
  await t.ask("POST", "/api/v1/namespaces", { body: { metadata: { name } } });
const pod = (name: string, resources: object = {}, more: object = {}): object => ({
  metadata: { name },
  spec: { containers: [{ name: "c", image: "example.com/c", resources }], ...more },
});

describe("pods", () => {
  test("run as an account that exists, with its token at hand", async () => {
    const { json } = await post("default", "pods", pod("plain"));
    expect(json["spec"]).toMatchObject({ serviceAccountName: "default", priority: 0 });
    expect(json["spec"]!["containers"]).toMatchObject([
      { volumeMounts: [{ mountPath: "/var/run/secrets/kubernetes.io/serviceaccount", readOnly: true }] },
    ]);
    const refused = await post("default", "pods", pod("ghost", {}, { serviceAccountName: "ghost" }));
    expect(refused.json).toMatchObject({
      code: 403,
      message:
        'pods "ghost" is forbidden: error looking up service account default/ghost: serviceaccount "ghost" not found',
    });
  });

  test("get the priority of their class", async () => {
    const { json } = await post("default", "pods", pod("urgent", {}, { priorityClassName: "system-node-critical" }));
    expect(json["spec"]).toMatchObject({ priority: 2_000_001_000 });
    const refused = await post("default", "pods", pod("odd", {}, { priorityClassName: "odd" }));
    expect(refused.json["message"]).toBe('pods "odd" is forbidden: no PriorityClass with name odd was found');
  });
});

describe("services", () => {
  const service = (name: string, spec: object = {}): object => ({
    metadata: { name },
    spec: { ports: [{ port: 80 }], ...spec },
  });

  test("each have an address of their own, which an update cannot lose", async () => {
    const [one, two] = [
      await post("default", "services", service("one")),
      await post("default", "services", service("two")),
    ];
    expect(one.json["spec"]!["clusterIP"]).not.toBe(two.json["spec"]!["clusterIP"]);
    const again = await t.ask("PUT", "/api/v1/namespaces/default/services/one", { body: service("one") });
    expect(again.json["spec"]).toEqual(one.json["spec"]);
    const taken = await post("default", "services", service("three", { clusterIP: one.json["spec"]!["clusterIP"] }));
    expect(taken.json["message"]).toMatch("provided IP is already allocated");
    await t.ask("DELETE", "/api/v1/namespaces/default/services/one");
    const freed = await post("default", "services", service("three", { clusterIP: one.json["spec"]!["clusterIP"] }));
    expect(freed.status).toBe(201);
  });

  test("headless ones have none, and a dry run takes none", async () => {
    const headless = await post("default", "services", service("headless", { clusterIP: "None" }));
    expect(headless.json["spec"]).toMatchObject({ clusterIP: "None", clusterIPs: ["None"] });
    const outside = await post("default", "services", service("outside", { clusterIP: "192.0.2.1" }));
    expect(outside.json["message"]).toMatch("is not in the valid range");
  });

  test("node ports are given, kept and refused when taken", async () => {
    const { json } = await post("default", "services", service("ported", { type: "NodePort" }));
    const ports = json["spec"]!["ports"] as unknown as readonly { readonly nodePort: number }[];
    const nodePort = ports[0]?.nodePort ?? 0;
    expect(nodePort).toBeGreaterThanOrEqual(30_000);
    const clash = await post(
      "default",
      "services",
      service("clash", { type: "NodePort", ports: [{ port: 80, nodePort }] }),
    );
    expect(clash.json["message"]).toMatch("provided port is already allocated");
    const body = service("ported", { type: "ClusterIP" });
    const closed = await t.ask("PUT", "/api/v1/namespaces/default/services/ported", { body });
    expect(JSON.stringify(closed.json["spec"])).not.toMatch("nodePort");
  });
});

describe("limit ranges", () => {
  test("fill what containers leave out and refuse what is outside", async () => {
    await newNamespace("limited");
    const limits = [
      { type: "Container", default: { cpu: "500m" }, defaultRequest: { cpu: "100m" }, max: { cpu: "1" } },
    ];
    expect((await post("limited", "limitranges", { metadata: { name: "l" }, spec: { limits } })).status).toBe(201);
    const filled = await post("limited", "pods", pod("filled"));
    expect(filled.json["spec"]!["containers"]).toMatchObject([
      { resources: { limits: { cpu: "500m" }, requests: { cpu: "100m" } } },
    ]);
    const refused = await post("limited", "pods", pod("big", { limits: { cpu: "2" } }));
    expect(refused.json).toMatchObject({
      code: 403,
      message: 'pods "big" is forbidden: maximum cpu usage per Container is 1, but limit is 2',
    });
  });
});

describe("resource quotas", () => {
  const quota = async (namespace: string): Promise<Loose> =>
    (await t.ask("GET", `/api/v1/namespaces/${namespace}/resourcequotas/q`)).json;

  test("refuse what goes over and keep count", async () => {
    await newNamespace("counted");
    const hard = { pods: "2", "requests.cpu": "1", "count/configmaps": "2" };
    await post("counted", "resourcequotas", { metadata: { name: "q" }, spec: { hard } });
    expect((await post("counted", "pods", pod("silent"))).json["message"]).toBe(
      'pods "silent" is forbidden: failed quota: q: must specify requests.cpu',
    );
    expect((await post("counted", "pods", pod("a", { requests: { cpu: "600m" } }))).status).toBe(201);
    const over = await post("counted", "pods", pod("b", { requests: { cpu: "600m" } }));
    expect(over.json["message"]).toBe(
      'pods "b" is forbidden: exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1',
    );
    expect((await post("counted", "configmaps", { metadata: { name: "one" } })).status).toBe(201);
    expect((await post("counted", "configmaps", { metadata: { name: "two" } })).status).toBe(403);
    await expect
      .poll(async () => (await quota("counted"))["status"])
      .toEqual({ hard, used: { pods: "1", "requests.cpu": "600m", "count/configmaps": "2" } });
    await t.ask("DELETE", "/api/v1/namespaces/counted/pods/a");
    expect((await post("counted", "pods", pod("b", { requests: { cpu: "600m" } }))).status).toBe(201);
  });
});
