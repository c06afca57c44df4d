import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { ConfigMapKind } from "../../api/core/kinds.ts";
import { loadIdentity } from "../auth/identity.ts";
import { listOf, startTestServer, type Answer, type Loose, type TestServer } from "../test-server.ts";

interface Asked {
  readonly path: string;
  readonly request: Loose;
}

/** What the webhook at a path says to a request: its response without uid, a status code, or nothing at all. */
type Reply = (request: Loose) => object | number | undefined | Promise<object | undefined>;

let t: TestServer;
let hooks: Server;
let port = 0;
const asked: Asked[] = [];
const replies = new Map<string, Reply>();
const identity = loadIdentity({ hosts: ["127.0.0.1", "localhost", "hook.default.svc"], now: Date.now() });
const caBundle = Buffer.from(identity.ca.certificate).toString("base64");

beforeAll(async () => {
  t = await startTestServer();
  hooks = createServer({ key: identity.server.key, cert: identity.server.certificate }, (request, response) => {
    void (async () => {
      const review = JSON.parse(await text(request)) as Loose;
      const path = (request.url ?? "").split("?")[0] ?? "";
      const question = review["request"] as Loose;
      asked.push({ path, request: question });
      const reply = await replies.get(path)?.(question);
      if (reply === undefined) return;
      response.statusCode = typeof reply === "number" ? reply : 200;
      const answer = { uid: question["uid"], ...(typeof reply === "number" ? {} : reply) };
      response.end(JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: answer }));
    })();
  });
  hooks.listen(0, "127.0.0.1");
  await once(hooks, "listening");
  port = (hooks.address() as AddressInfo).port;
});
afterAll(async () => {
  hooks.closeAllConnections();
  hooks.close();
  await t.close();
  expect(t.errors).toEqual([]);
});

const group = "/apis/admissionregistration.k8s.io/v1";
const maps = "/api/v1/namespaces/default/configmaps";
afterEach(async () => {
  for (const plural of ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"])
    await t.ask("DELETE", `${group}/${plural}`);
  await t.ask("DELETE", maps);
  asked.length = 0;
  replies.clear();
});

const rule = { operations: ["*"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] };

async function register(
  sort: "Mutating" | "Validating",
  names: readonly string[],
  change: object = {},
): Promise<Answer> {
  const webhooks = names.map((name) => ({
    name: `${name}.hooks.test`,
    clientConfig: { url: `https://127.0.0.1:${port}/${name}`, caBundle },
    rules: [rule],
    sideEffects: "None",
    admissionReviewVersions: ["v1"],
    timeoutSeconds: 1,
    ...change,
  }));
  return await t.ask("POST", `${group}/${sort.toLowerCase()}webhookconfigurations`, {
    body: { metadata: { name: names.join("-") }, webhooks },
  });
}

const jsonPatch = (...operations: readonly object[]): object => ({
  allowed: true,
  patchType: "JSONPatch",
  patch: Buffer.from(JSON.stringify(operations)).toString("base64"),
});
const setData = (key: string, value: string): object => jsonPatch({ op: "add", path: `/data/${key}`, value });
const create = (name: string, rest: object = {}, query = ""): Promise<Answer> =>
  t.ask("POST", `${maps}${query}`, { body: { metadata: { name }, data: {}, ...rest } });
const paths = (): string[] => asked.map(({ path }) => path);

test("the configurations have their defaults, checks and columns", async () => {
  const made = await register("Mutating", ["a"]);
  expect(made.status).toBe(201);
  expect(made.json["webhooks"]?.[0]).toMatchObject({
    failurePolicy: "Fail",
    matchPolicy: "Equivalent",
    reinvocationPolicy: "Never",
    namespaceSelector: {},
    objectSelector: {},
    timeoutSeconds: 1,
    rules: [{ scope: "*" }],
  });
  const bad = await register("Validating", ["b"], {
    name: "short",
    timeoutSeconds: 31,
    sideEffects: "Some",
    clientConfig: { url: "http://x" },
    rules: [{ operations: ["READ"], apiGroups: ["*"], apiVersions: ["*"], resources: [] }],
  });
  expect(bad.status).toBe(422);
  const causes = listOf(bad.json["details"]?.["causes"]).map(({ field }) => String(field));
  expect(causes.sort()).toEqual([
    "webhooks[0].clientConfig.url",
    "webhooks[0].name",
    "webhooks[0].rules[0].operations[0]",
    "webhooks[0].rules[0].resources",
    "webhooks[0].sideEffects",
    "webhooks[0].timeoutSeconds",
  ]);
  const table = await t.ask("GET", `${group}/mutatingwebhookconfigurations`, {
    accept: "application/json;as=Table;v=v1;g=meta.k8s.io",
  });
  expect(listOf(table.json["columnDefinitions"]).map(({ name }) => String(name))).toEqual(["Name", "Webhooks", "Age"]);
  expect(listOf(table.json["rows"])[0]?.["cells"]).toEqual(["a", 1, expect.any(String)]);
});

test("mutating ones are asked in order, each about what the one before made of it", async () => {
  await register("Mutating", ["first", "second"]);
  replies.set("/first", () => setData("a", "1"));
  replies.set("/second", ({ object }) => setData("b", `after ${object?.["data"]?.["a"]}`));
  const made = await create("x", { metadata: { generateName: "x-" } });
  expect(made.status).toBe(201);
  expect(made.json["data"]).toEqual({ a: "1", b: "after 1" });
  expect(paths()).toEqual(["/first", "/second"]);
  const { name, uid } = made.json["metadata"] as Loose;
  expect(asked[0]?.request).toMatchObject({
    kind: { group: "", version: "v1", kind: "ConfigMap" },
    resource: { group: "", version: "v1", resource: "configmaps" },
    requestKind: { group: "", version: "v1", kind: "ConfigMap" },
    name,
    namespace: "default",
    operation: "CREATE",
    userInfo: { username: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] },
    object: { apiVersion: "v1", kind: "ConfigMap", metadata: { name, uid }, data: {} },
    oldObject: null,
    dryRun: false,
  });
  expect(asked[0]?.request["object"]?.["metadata"]).not.toHaveProperty("managedFields");
});

test("one that asks for it sees what a later one changed", async () => {
  await register("Mutating", ["early", "late"], { reinvocationPolicy: "IfNeeded" });
  replies.set("/early", ({ object }) => setData("seen", Object.keys(object?.["data"] ?? {}).join()));
  replies.set("/late", () => setData("late", "1"));
  expect((await create("x")).json["data"]).toEqual({ seen: "seen,late", late: "1" });
  // The second word of the early one is news to the late one in turn; a third round there is not.
  expect(paths()).toEqual(["/early", "/late", "/early", "/late"]);
});

test("what only the server sets is not a webhook's to change, and what it makes is checked", async () => {
  await register("Mutating", ["m"]);
  replies.set("/m", () =>
    jsonPatch(
      { op: "replace", path: "/metadata/name", value: "other" },
      { op: "replace", path: "/metadata/uid", value: "other" },
      { op: "add", path: "/metadata/labels", value: { by: "hook" } },
    ),
  );
  const made = await create("x");
  expect(made.json["metadata"]).toMatchObject({ name: "x", labels: { by: "hook" } });
  expect(made.json["metadata"]?.["uid"]).not.toBe("other");
  replies.set("/m", () => jsonPatch({ op: "add", path: "/data", value: 7 }));
  expect((await create("y")).status).toBe(400);
  replies.set("/m", () => setData("not a key!", "1"));
  expect((await create("y")).status).toBe(422);
});

test("a validating one refuses in its own words, and warns", async () => {
  await register("Validating", ["v", "w"]);
  replies.set("/w", () => ({ allowed: true, warnings: ["think twice"] }));
  replies.set("/v", () => ({ allowed: false, status: { code: 403, reason: "Forbidden", message: "no such thing" } }));
  const refused = await create("x");
  expect(refused.status).toBe(403);
  expect(refused.json).toMatchObject({
    reason: "Forbidden",
    message: 'admission webhook "v.hooks.test" denied the request: no such thing',
  });
  expect((await t.ask("GET", `${maps}/x`)).status).toBe(404);
  replies.set("/v", () => ({ allowed: false }));
  expect((await create("x")).json).toMatchObject({
    code: 400,
    message: 'admission webhook "v.hooks.test" denied the request without explanation',
  });
  replies.set("/v", () => ({ allowed: true }));
  const made = await create("x");
  expect(made.status).toBe(201);
  expect(made.headers["warning"]).toBe('299 - "think twice"');
  await expect(
    t.server.api.create(ConfigMapKind, { metadata: { name: "inside", namespace: "default" } }),
  ).resolves.toMatchObject({ metadata: { name: "inside" } });
});

test("updates, patches and deletions are asked about with what was there", async () => {
  await create("x", { data: { a: "1" } });
  await register("Validating", ["v"]);
  replies.set("/v", () => ({ allowed: true }));
  await t.ask("PATCH", `${maps}/x`, { body: { data: { a: "2" } }, type: "application/merge-patch+json" });
  await t.ask("PATCH", `${maps}/x?dryRun=All`, { body: { data: { a: "3" } }, type: "application/merge-patch+json" });
  replies.set("/v", ({ operation }) => ({ allowed: operation !== "DELETE", status: { message: "stays" } }));
  expect((await t.ask("DELETE", `${maps}/x`)).json["message"]).toContain("denied the request: stays");
  replies.set("/v", () => ({ allowed: true }));
  expect((await t.ask("DELETE", maps)).status).toBe(200);
  const aboutX = asked.filter(({ request }) => request["name"] === "x");
  expect(
    aboutX.map(({ request }) => [
      String(request["operation"]),
      request["oldObject"]?.["data"]?.["a"],
      request["object"]?.["data"]?.["a"],
      Boolean(request["dryRun"]),
    ]),
  ).toEqual([
    ["UPDATE", "1", "2", false],
    ["UPDATE", "2", "3", true],
    ["DELETE", "2", undefined, false],
    ["DELETE", "2", undefined, false],
  ]);
});

test.each([
  ["hangs", () => new Promise<undefined>(() => undefined), "context deadline exceeded"],
  ["fails", () => 503, "the server answered 503"],
  ["talks nonsense", () => ({ uid: "another", allowed: true }), "expected response.uid="],
] as [string, Reply, string][])(
  "one that %s refuses the write or lets it pass, as it says",
  async (_what, reply, words) => {
    replies.set("/v", reply);
    await register("Validating", ["v"]);
    const refused = await create("x");
    expect(refused.status).toBe(500);
    expect(refused.json["message"]).toMatch(
      /^Internal error occurred: failed calling webhook "v\.hooks\.test": failed to call webhook: Post "https:\/\/127\.0\.0\.1:\d+\/v\?timeout=1s": /,
    );
    expect(refused.json["message"]).toContain(words);
    await t.ask("DELETE", `${group}/validatingwebhookconfigurations`);
    await register("Validating", ["v"], { failurePolicy: "Ignore" });
    expect((await create("x")).status).toBe(201);
  },
);

test("selectors and conditions say whom it is asked about", async () => {
  await register("Validating", ["object"], { objectSelector: { matchLabels: { watch: "me" } } });
  await register("Validating", ["namespace"], { namespaceSelector: { matchLabels: { no: "such" } } });
  await register("Validating", ["condition"], {
    matchConditions: [
      { name: "big", expression: "object.data.size() > 1" },
      { name: "person", expression: "!request.userInfo.username.startsWith('system:')" },
    ],
  });
  await register("Validating", ["exact"], { rules: [{ ...rule, operations: ["UPDATE"] }] });
  for (const path of ["/object", "/namespace", "/condition", "/exact"]) replies.set(path, () => ({ allowed: true }));
  await create("plain");
  expect(paths()).toEqual([]);
  await create("labelled", { metadata: { name: "labelled", labels: { watch: "me" } } });
  await create("big", { data: { a: "1", b: "2" } });
  expect(paths()).toEqual(["/object", "/condition"]);
});

test("a condition that cannot be evaluated refuses, unless failures are ignored", async () => {
  const broken = { matchConditions: [{ name: "broken", expression: "object.nothing.there == 1" }] };
  await register("Validating", ["v"], broken);
  const refused = await create("x");
  expect(refused.status).toBe(403);
  expect(refused.json["message"]).toContain('failed evaluating match conditions of v.hooks.test: condition "broken"');
  await t.ask("DELETE", `${group}/validatingwebhookconfigurations`);
  await register("Validating", ["v"], { ...broken, failurePolicy: "Ignore" });
  expect((await create("x")).status).toBe(201);
});

test("what changed while it was asked is asked about again, and no change is lost", async () => {
  await create("x", { data: { a: "0" } });
  await register("Validating", ["v"]);
  let others = 0;
  replies.set("/v", async ({ userInfo }) => {
    if (userInfo?.["username"] === "system:ebb" || others++ > 0) return { allowed: true };
    const patch = { type: "merge", body: { data: { b: "1" } } } as const;
    await t.server.api.patch(ConfigMapKind, { namespace: "default", name: "x" }, patch);
    return { allowed: true };
  });
  const body = { data: { a: "1" } };
  expect((await t.ask("PATCH", `${maps}/x`, { body, type: "application/merge-patch+json" })).status).toBe(200);
  expect((await t.ask("GET", `${maps}/x`)).json["data"]).toEqual({ a: "1", b: "1" });
  const mine = asked.filter(({ request }) => request["userInfo"]?.["username"] === "kubernetes-admin");
  expect(mine.map(({ request }) => request["object"]?.["data"])).toEqual([{ a: "1" }, { a: "1", b: "1" }]);
});

test("one behind a Service is reached at an address of it, under its name", async () => {
  await t.ask("POST", "/api/v1/namespaces/default/services", {
    body: { metadata: { name: "hook" }, spec: { ports: [{ port: 443 }] } },
  });
  const clientConfig = { service: { name: "hook", namespace: "default", path: "/s" }, caBundle };
  await register("Validating", ["s"], { clientConfig });
  expect((await create("x")).json["message"]).toContain('no endpoints available for service "hook"');
  await t.ask("POST", "/api/v1/namespaces/default/endpoints", {
    body: { metadata: { name: "hook" }, subsets: [{ addresses: [{ ip: "127.0.0.1" }], ports: [{ port }] }] },
  });
  replies.set("/s", () => ({ allowed: true }));
  expect((await create("x")).status).toBe(201);
  expect(paths()).toEqual(["/s"]);
});

test("webhook configurations themselves are never put before webhooks", async () => {
  await register("Validating", ["all"], {
    rules: [{ operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*"] }],
  });
  replies.set("/all", () => ({ allowed: false }));
  expect((await create("x")).status).toBe(400);
  expect((await t.ask("DELETE", `${group}/validatingwebhookconfigurations/all`)).status).toBe(200);
  expect((await create("x")).status).toBe(201);
});
