import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Answer, type Ask, type Loose, type TestServer } from "../test-server.ts";

let t: TestServer;
beforeAll(async () => {
  t = await startTestServer();
});
afterAll(async () => {
  await t.close();
  expect(t.errors).toEqual([]);
});

const configMaps = "/api/v1/namespaces/default/configmaps";
const deployments = "/apis/apps/v1/namespaces/default/deployments";
const pods = "/api/v1/namespaces/default/pods";
const merge = { type: "application/merge-patch+json" };
const apply = { type: "application/apply-patch+yaml" };

const template = {
  metadata: { labels: { app: "a" } },
  spec: { containers: [{ name: "c", image: "example.com/c:1" }] },
};
const deployment = (name: string, spec: object = {}): object => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: { selector: { matchLabels: { app: "a" } }, template, ...spec },
});
const post = async (path: string, body: unknown, more: Ask = {}): Promise<Answer> =>
  await t.ask("POST", path, { body, ...more });
const get = async (path: string): Promise<Loose> => (await t.ask("GET", path)).json;

describe("create", () => {
  test.each<[string, string, unknown, number, string | RegExp]>([
    [
      "another namespace in the body",
      configMaps,
      { metadata: { name: "a", namespace: "other" } },
      400,
      /does not match the namespace/,
    ],
    [
      "a namespace that is not there",
      "/api/v1/namespaces/nope/configmaps",
      { metadata: { name: "a" } },
      404,
      'namespaces "nope" not found',
    ],
    [
      "another kind",
      configMaps,
      { apiVersion: "v1", kind: "Secret", metadata: { name: "a" } },
      400,
      /^Secret in version "v1" cannot be handled as a ConfigMap/,
    ],
    [
      "another version",
      configMaps,
      { apiVersion: "v2", metadata: { name: "a" } },
      400,
      /^the API version in the data \(v2\) does not match/,
    ],
    [
      "a bad name",
      configMaps,
      { metadata: { name: "A_b" } },
      422,
      /^ConfigMap "A_b" is invalid: metadata.name: Invalid value: "A_b": a lowercase RFC 1123 subdomain/,
    ],
    [
      "no name at all",
      configMaps,
      { metadata: {} },
      422,
      /metadata.name: Required value: name or generateName is required/,
    ],
    [
      "a version",
      configMaps,
      { metadata: { name: "a", resourceVersion: "7" } },
      400,
      "resourceVersion should not be set on objects to be created",
    ],
    [
      "a wrong type",
      configMaps,
      { metadata: { name: "a" }, data: { n: 1 } },
      400,
      /cannot unmarshal number into Go struct field ConfigMap.data of type string/,
    ],
    ["no JSON", configMaps, "{", 400, /json parse error/],
    ["a body that is no object", configMaps, "[]", 400, /expected/],
  ])("refuses %s", async (_name, path, body, code, message) => {
    const { json } = await post(path, body);
    expect(json).toMatchObject({ kind: "Status", apiVersion: "v1", status: "Failure", code });
    expect(json["message"]).toMatch(message);
  });

  test("answers 415 for a body it cannot read and 413 for one too large", async () => {
    expect((await post(configMaps, "x", { type: "text/plain" })).status).toBe(415);
    const data = { big: "x".repeat(3_200_000) };
    expect((await post(configMaps, { metadata: { name: "big" }, data })).status).toBe(413);
  });

  test("makes names from their base", async () => {
    const { json } = await post(configMaps, { metadata: { generateName: "made-" } });
    expect(json["metadata"]!["name"]).toMatch(/^made-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  });

  test("sets what only the server sets, whatever the client says", async () => {
    const metadata = { name: "owned", uid: "mine", generation: 7, creationTimestamp: "2001-01-01T00:00:00Z" };
    const { json } = await post(deployments, { ...deployment("owned"), metadata, status: { replicas: 9 } });
    expect(json["metadata"]).toMatchObject({ generation: 1, uid: expect.not.stringMatching("mine") });
    expect(json["metadata"]!["creationTimestamp"]).not.toBe("2001-01-01T00:00:00Z");
    expect(json["status"]).toEqual({});
  });

  test("tells unknown and repeated fields as the client asks", async () => {
    const body = '{"metadata":{"name":"strict"},"data":{"a":"1","a":"2"},"extra":1}';
    const warned = await post(`${configMaps}?dryRun=All`, body);
    expect(warned.status).toBe(201);
    expect(warned.headers["warning"]).toBe('299 - "unknown field \\"extra\\"", 299 - "duplicate field \\"data.a\\""');
    expect((await post(`${configMaps}?dryRun=All&fieldValidation=Ignore`, body)).headers["warning"]).toBeUndefined();
    const strict = await post(`${configMaps}?fieldValidation=Strict`, body);
    expect(strict.json).toMatchObject({
      code: 400,
      message:
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "extra", duplicate field "data.a"',
    });
    expect((await post(`${configMaps}?fieldValidation=Nope`, body)).status).toBe(422);
  });

  test("unknown and duplicate fields of a patch are told as the patch's", async () => {
    await post(configMaps, { metadata: { name: "patched" } });
    const body = '{"data":{"a":"1","a":"2"},"extra":1}';
    const strict = await t.ask("PATCH", `${configMaps}/patched?fieldValidation=Strict`, { body, ...merge });
    expect(strict.json).toMatchObject({
      code: 422,
      reason: "Invalid",
      message: expect.stringMatching(
        /patch: Invalid value: .*: strict decoding error: unknown field "extra", duplicate field "data.a"$/,
      ),
    });
    const applied = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"patched"},"data":{"a":"1","a":"2"}}';
    const path = `${configMaps}/patched?fieldManager=m&fieldValidation=Strict`;
    expect((await t.ask("PATCH", path, { body: applied, ...apply })).json).toMatchObject({
      code: 400,
      message: expect.stringContaining('strict decoding error: duplicate field "data.a"'),
    });
  });

  test("a dry run answers as if and stores nothing", async () => {
    const { status, json } = await post(`${configMaps}?dryRun=All`, { metadata: { name: "dry" } });
    expect(status).toBe(201);
    expect(json["metadata"]).toMatchObject({ uid: expect.any(String), creationTimestamp: expect.any(String) });
    expect(json["metadata"]).not.toHaveProperty("resourceVersion");
    expect((await t.ask("GET", `${configMaps}/dry`)).status).toBe(404);
    expect((await post(`${configMaps}?dryRun=Some`, { metadata: { name: "dry" } })).status).toBe(422);
  });
});

describe("update", () => {
  test("conflicts with another version, and needs the object to be there", async () => {
    const made = (await post(configMaps, { metadata: { name: "u" }, data: { a: "1" } })).json;
    const put = async (metadata: object): Promise<Loose> =>
      (await t.ask("PUT", `${configMaps}/u`, { body: { metadata: { name: "u", ...metadata }, data: { a: "2" } } }))
        .json;
    const stale = await put({ resourceVersion: "1" });
    expect(stale).toMatchObject({
      code: 409,
      reason: "Conflict",
      message:
        'Operation cannot be fulfilled on configmaps "u": the object has been modified; please apply your changes to the latest version and try again',
      details: { name: "u", kind: "configmaps" },
    });
    expect(await put({ uid: "other" })).toMatchObject({
      code: 409,
      message: expect.stringMatching(/Precondition failed: UID/),
    });
    expect(await put({ resourceVersion: made["metadata"]!["resourceVersion"] })).toMatchObject({ data: { a: "2" } });
    const absent = await t.ask("PUT", `${configMaps}/none`, { body: { metadata: { name: "none" } } });
    expect(absent.json).toMatchObject({ code: 404, details: { name: "none", kind: "configmaps" } });
    const misnamed = await t.ask("PUT", `${configMaps}/u`, { body: { metadata: { name: "v" } } });
    expect(misnamed.status).toBe(400);
  });

  test("spec and status each have their endpoint, and only the spec counts generations", async () => {
    const made = (await post(deployments, deployment("sides"))).json;
    const main = (await t.ask("PUT", `${deployments}/sides`, { body: { ...made, status: { replicas: 5 } } })).json;
    expect(main["status"]).toEqual({});
    const side = {
      ...made,
      spec: { ...(made["spec"] as object), paused: true },
      status: { replicas: 5, observedGeneration: 1 },
    };
    const status = (await t.ask("PUT", `${deployments}/sides/status`, { body: side })).json;
    expect(status).toMatchObject({ status: { replicas: 5 }, metadata: { generation: 1 } });
    expect(status["spec"]).not.toHaveProperty("paused");
    const patched = await t.ask("PATCH", `${deployments}/sides`, { body: { spec: { paused: true } }, ...merge });
    expect(patched.json).toMatchObject({ metadata: { generation: 2 }, status: { replicas: 5 } });
  });

  test("scales through the scale subresource", async () => {
    await post(deployments, deployment("scaled"));
    const before = await get(`${deployments}/scaled/scale`);
    expect(before).toMatchObject({
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      spec: { replicas: 1 },
      status: { replicas: 0, selector: "app=a" },
    });
    const patched = await t.ask("PATCH", `${deployments}/scaled/scale`, { body: { spec: { replicas: 4 } }, ...merge });
    expect(patched.json).toMatchObject({ kind: "Scale", spec: { replicas: 4 } });
    expect((await get(`${deployments}/scaled`))["spec"]).toMatchObject({ replicas: 4 });
    const stale = { ...before, spec: { replicas: 9 } };
    expect((await t.ask("PUT", `${deployments}/scaled/scale`, { body: stale })).status).toBe(409);
    const negative = await t.ask("PATCH", `${deployments}/scaled/scale`, {
      body: { spec: { replicas: -1 } },
      ...merge,
    });
    expect(negative.status).toBe(422);
  });

  test("a lease is made by the update that finds none", async () => {
    const path = "/apis/coordination.k8s.io/v1/namespaces/default/leases/l";
    const body = { metadata: { name: "l" }, spec: { holderIdentity: "me" } };
    const made = await t.ask("PUT", path, { body });
    expect(made.status).toBe(201);
    expect((await t.ask("PUT", path, { body: made.json })).status).toBe(200);
    expect((await t.ask("PUT", path, { body })).json["message"]).toMatch("must be specified for an update");
  });
});

describe("patch", () => {
  test("each kind of patch, and 415 for any other", async () => {
    await post(deployments, deployment("p"));
    const patch = async (type: string, body: unknown): Promise<Answer> =>
      await t.ask("PATCH", `${deployments}/p`, { body, type });
    const json = await patch("application/json-patch+json", [{ op: "replace", path: "/spec/replicas", value: 2 }]);
    expect(json.json["spec"]).toMatchObject({ replicas: 2 });
    const added = { spec: { template: { spec: { containers: [{ name: "d", image: "example.com/d:1" }] } } } };
    const strategic = await patch("application/strategic-merge-patch+json", added);
    const containers = strategic.json["spec"]!["template"]!["spec"]!["containers"] as unknown as readonly Loose[];
    expect(containers.map(({ name }) => name)).toEqual(["d", "c"]);
    expect((await patch("text/plain", {})).status).toBe(415);
    expect(
      (await patch("application/json-patch+json", [{ op: "test", path: "/spec/replicas", value: 9 }])).status,
    ).toBe(422);
    expect((await patch("application/json-patch+json", { a: 1 })).status).toBe(400);
    const moved = await patch("application/merge-patch+json", { metadata: { resourceVersion: "1" } });
    expect(moved.status).toBe(409);
    const renamed = await patch("application/merge-patch+json", { metadata: { name: "q" } });
    expect(renamed.status).toBe(400);
  });

  test("what it makes of an object must be one", async () => {
    await post(configMaps, { metadata: { name: "typed" } });
    const wrong = await t.ask("PATCH", `${configMaps}/typed`, { body: { data: { n: 1 } }, ...merge });
    expect(wrong.json).toMatchObject({
      code: 422,
      message: expect.stringMatching(/patch: Invalid value: .*cannot unmarshal number/),
    });
    const strict = await t.ask("PATCH", `${configMaps}/typed?fieldValidation=Strict`, { body: { zz: 1 }, ...merge });
    expect(strict.json).toMatchObject({
      code: 422,
      message: expect.stringMatching(/strict decoding error: unknown field "zz"$/),
    });
    const warned = await t.ask("PATCH", `${configMaps}/typed`, { body: { zz: 1 }, ...merge });
    expect([warned.status, warned.headers["warning"]]).toEqual([200, '299 - "unknown field \\"zz\\""']);
  });

  test("a patch that changes nothing writes nothing", async () => {
    const made = (await post(configMaps, { metadata: { name: "same" }, data: { a: "1" } })).json;
    const again = await t.ask("PATCH", `${configMaps}/same`, { body: { data: { a: "1" } }, ...merge });
    expect(again.json["metadata"]).toEqual(made["metadata"]);
  });
});

describe("server-side apply", () => {
  const applied = async (name: string, query: string, data: object): Promise<Answer> =>
    await t.ask("PATCH", `${configMaps}/${name}?${query}`, {
      ...apply,
      body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data },
    });

  test("creates, keeps others' fields, conflicts, and takes over when forced", async () => {
    expect((await applied("ssa", "fieldManager=one", { a: "1" })).status).toBe(201);
    const two = await applied("ssa", "fieldManager=two", { b: "1" });
    expect(two.json["data"]).toEqual({ a: "1", b: "1" });
    const conflict = await applied("ssa", "fieldManager=two", { a: "2", b: "1" });
    expect(conflict.json).toMatchObject({
      code: 409,
      reason: "Conflict",
      message: 'Apply failed with 1 conflict: conflict with "one": .data.a',
      details: { causes: [{ reason: "FieldManagerConflict", field: ".data.a" }] },
    });
    const forced = await applied("ssa", "fieldManager=two&force=true", { a: "2", b: "1" });
    expect(forced.json["data"]).toEqual({ a: "2", b: "1" });
    const pruned = await applied("ssa", "fieldManager=two", { b: "1" });
    expect(pruned.json["data"]).toEqual({ b: "1" });
  });

  test("again changes nothing, not even a time", async () => {
    const first = await applied("twice", "fieldManager=one", { a: "1" });
    const second = await applied("twice", "fieldManager=one", { a: "1" });
    expect(second.json).toEqual(first.json);
  });

  test("needs a manager and known fields", async () => {
    expect((await applied("nobody", "", { a: "1" })).json).toMatchObject({ code: 422 });
    const unknown = await t.ask("PATCH", `${configMaps}/unknown?fieldManager=one`, {
      ...apply,
      body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "unknown" }, zz: 1 },
    });
    expect(unknown.json["message"]).toMatch(".zz: field not declared in schema");
  });

  test("a field the server fills in is nobody's", async () => {
    const spec = { ports: [{ port: 80 }], selector: { a: "b" } };
    const { json } = await post("/api/v1/namespaces/default/services", { metadata: { name: "addressed" }, spec });
    expect(json["spec"]).toMatchObject({ clusterIP: expect.stringMatching(/^10\.96\./) });
    expect(JSON.stringify(json["metadata"]!["managedFields"])).not.toMatch("f:clusterIP");
  });
});

describe("delete", () => {
  const withFinalizer = { finalizers: ["example.com/hold"] };

  test("answers Success when the object is gone", async () => {
    const made = (await post(configMaps, { metadata: { name: "d" } })).json;
    const { uid } = made["metadata"]!;
    const { json } = await t.ask("DELETE", `${configMaps}/d`);
    expect(json).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Success",
      details: { name: "d", kind: "configmaps", uid },
    });
    expect((await t.ask("DELETE", `${configMaps}/d`)).status).toBe(404);
  });

  test("waits for finalizers and goes with the last", async () => {
    await post(deployments, { ...deployment("held"), metadata: { name: "held", ...withFinalizer } });
    const first = await t.ask("DELETE", `${deployments}/held`);
    expect(first.json["metadata"]).toMatchObject({
      deletionTimestamp: expect.any(String),
      deletionGracePeriodSeconds: 0,
      generation: 2,
    });
    const again = await post(deployments, deployment("held"));
    expect(again.json["message"]).toBe('object is being deleted: deployments.apps "held" already exists');
    const more = { metadata: { finalizers: ["example.com/hold", "example.com/more"] } };
    expect((await t.ask("PATCH", `${deployments}/held`, { body: more, ...merge })).status).toBe(422);
    const last = await t.ask("PATCH", `${deployments}/held`, { body: { metadata: { finalizers: null } }, ...merge });
    expect(last.status).toBe(200);
    expect((await t.ask("GET", `${deployments}/held`)).status).toBe(404);
  });

  test.each([
    ["Foreground", ["foregroundDeletion"]],
    ["Orphan", ["orphan"]],
  ])("%s leaves the rest to the garbage collector", async (propagationPolicy, finalizers) => {
    const name = propagationPolicy.toLowerCase();
    await post(deployments, deployment(name));
    const { json } = await t.ask("DELETE", `${deployments}/${name}`, { body: { propagationPolicy } });
    expect(json["metadata"]).toMatchObject({ finalizers });
  });

  test("preconditions must hold", async () => {
    await post(configMaps, { metadata: { name: "pre" } });
    const answer = async (preconditions: object): Promise<number> =>
      (await t.ask("DELETE", `${configMaps}/pre`, { body: { preconditions } })).status;
    expect(await answer({ uid: "other" })).toBe(409);
    expect(await answer({ resourceVersion: "1" })).toBe(409);
  });

  test("a pod has its grace once it is on a node, and it only gets shorter", async () => {
    await post(pods, { metadata: { name: "graceful" }, spec: template.spec });
    const binding = { target: { kind: "Node", name: "n" } };
    expect((await post(`${pods}/graceful/binding`, binding)).status).toBe(201);
    expect((await post(`${pods}/graceful/binding`, binding)).status).toBe(409);
    expect(await get(`${pods}/graceful`)).toMatchObject({ metadata: { generation: 1 }, spec: { nodeName: "n" } });
    const seconds = async (query: string): Promise<unknown> =>
      (await t.ask("DELETE", `${pods}/graceful${query}`)).json["metadata"]!["deletionGracePeriodSeconds"];
    expect(await seconds("")).toBe(30);
    expect(await seconds("?gracePeriodSeconds=5")).toBe(5);
    expect(await seconds("?gracePeriodSeconds=20")).toBe(5);
    expect((await t.ask("DELETE", `${pods}/graceful?gracePeriodSeconds=0`)).json).toMatchObject({ kind: "Pod" });
    expect((await t.ask("GET", `${pods}/graceful`)).status).toBe(404);
  });

  test("a collection goes by selector and answers what went", async () => {
    for (const name of ["x", "y"]) await post(configMaps, { metadata: { name, labels: { bulk: name } } });
    const { json } = await t.ask("DELETE", `${configMaps}?labelSelector=bulk%3Dx`);
    expect((json["items"] as unknown as readonly Loose[]).map((item) => item["metadata"]!["name"])).toEqual(["x"]);
    expect((await t.ask("GET", `${configMaps}/y`)).status).toBe(200);
  });

  test("a namespace is Terminating until it is finalized, and takes nothing new meanwhile", async () => {
    await post("/api/v1/namespaces", { metadata: { name: "ending" } });
    expect((await t.ask("DELETE", "/api/v1/namespaces/ending")).json).toMatchObject({
      status: { phase: "Terminating" },
    });
    const refused = await post("/api/v1/namespaces/ending/configmaps", { metadata: { name: "late" } });
    expect(refused.json).toMatchObject({ code: 403, details: { causes: [{ reason: "NamespaceTerminating" }] } });
    const ending = await get("/api/v1/namespaces/ending");
    expect((await t.ask("PUT", "/api/v1/namespaces/ending/finalize", { body: { ...ending, spec: {} } })).status).toBe(
      200,
    );
    expect((await t.ask("GET", "/api/v1/namespaces/ending")).status).toBe(404);
    expect((await t.ask("DELETE", "/api/v1/namespaces/default")).status).toBe(403);
  });
});

test("an eviction the budget does not allow is 429 and tells when to come back", async () => {
  const budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
  const labels = { guarded: "yes" };
  await post(pods, { metadata: { name: "guarded", labels }, spec: template.spec });
  const status = { phase: "Running" };
  await t.ask("PATCH", `${pods}/guarded/status`, { body: { status }, ...merge });
  await post(budgets, { metadata: { name: "b" }, spec: { minAvailable: 1, selector: { matchLabels: labels } } });
  const allow = async (disruptionsAllowed: number): Promise<unknown> =>
    await t.ask("PATCH", `${budgets}/b/status`, {
      body: {
        status: { disruptionsAllowed, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1, observedGeneration: 1 },
      },
      ...merge,
    });
  await allow(0);
  const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "guarded" } };
  const refused = await post(`${pods}/guarded/eviction`, eviction);
  expect(refused.json).toMatchObject({ code: 429, details: { causes: [{ reason: "DisruptionBudget" }] } });
  expect(refused.headers["retry-after"]).toBe("10");
  await allow(1);
  expect((await post(`${pods}/guarded/eviction`, eviction)).json).toMatchObject({ kind: "Status", status: "Success" });
  expect((await t.ask("GET", `${pods}/guarded`)).status).toBe(404);
  expect((await get(`${budgets}/b`))["status"]).toMatchObject({
    disruptionsAllowed: 0,
    disruptedPods: { guarded: expect.any(String) },
  });
});

test("methods and paths that are not there are told apart", async () => {
  expect((await t.ask("POST", `${configMaps}/a`, { body: {} })).json).toMatchObject({
    code: 405,
    reason: "MethodNotAllowed",
  });
  expect((await t.ask("GET", "/api/v1/nothings")).json).toMatchObject({ code: 404, reason: "NotFound", details: {} });
  const unknown = await t.ask("GET", "/apis/example.com/v1/things");
  expect([unknown.status, unknown.text]).toEqual([404, "404 page not found\n"]);
  expect((await t.ask("GET", "/api/v1/namespaces/default/nodes")).status).toBe(404);
  expect((await t.ask("GET", "/api/v1/namespaces/%zz/pods")).status).toBe(400);
});
