import { afterAll, beforeAll, expect, test } from "vitest";
import { CustomResourceDefinitionKind } from "../../api/apiextensions/kinds.ts";
import { listOf, startTestServer, type Answer, type Loose, type TestServer } from "../test-server.ts";

let t: TestServer;
beforeAll(async () => {
  t = await startTestServer();
});
afterAll(async () => {
  await t.close();
  expect(t.errors).toEqual([]);
});

const v2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const newest = `${v2},application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json`;
const aggregated = async (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
  await t.ask("GET", path, { accept: newest, headers });

const widget = {
  metadata: { name: "widgets.example.com" },
  spec: {
    group: "example.com",
    names: { kind: "Widget", plural: "widgets", singular: "widget", shortNames: ["wd"] },
    scope: "Namespaced",
    versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
  },
} as const;

test("aggregated documents come in the media type asked for, under an ETag", async () => {
  for (const path of ["/api", "/apis"]) {
    const first = await aggregated(path);
    expect(first.headers["content-type"]).toBe(v2);
    expect(first.headers["vary"]).toBe("Accept");
    expect(first.json).toMatchObject({ kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2" });
    const etag = String(first.headers["etag"]);
    expect((await aggregated(path, { "if-none-match": etag })).status).toBe(304);
  }
  const apps = listOf((await aggregated("/apis")).json["items"]).find((item) => item["metadata"]!["name"] === "apps");
  expect(listOf(listOf(apps?.["versions"])[0]?.["resources"])).toContainEqual({
    resource: "deployments",
    responseKind: { group: "apps", version: "v1", kind: "Deployment" },
    scope: "Namespaced",
    singularResource: "deployment",
    verbs: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
    shortNames: ["deploy"],
    categories: ["all"],
    subresources: [
      {
        subresource: "status",
        responseKind: { group: "apps", version: "v1", kind: "Deployment" },
        verbs: ["get", "patch", "update"],
      },
      {
        subresource: "scale",
        responseKind: { group: "autoscaling", version: "v1", kind: "Scale" },
        verbs: ["get", "patch", "update"],
      },
    ],
  });
});

test("old clients get a document per group and version", async () => {
  const get = async (path: string): Promise<Loose> => (await t.ask("GET", path)).json;
  expect(await get("/api")).toMatchObject({ kind: "APIVersions", versions: ["v1"] });
  expect(listOf((await get("/apis"))["groups"]).map(({ name }) => name)).toContain("autoscaling");
  expect(await get("/apis/autoscaling")).toMatchObject({
    kind: "APIGroup",
    preferredVersion: { version: "v2" },
    versions: [{ version: "v2" }, { version: "v1" }],
  });
  const pods = listOf((await get("/api/v1"))["resources"]).filter(({ name }) => name?.startsWith("pods"));
  expect(pods.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["pods", "pods/status", "pods/log", "pods/eviction"]),
  );
  expect(pods.find(({ name }) => name === "pods/eviction")).toMatchObject({
    group: "policy",
    version: "v1",
    kind: "Eviction",
  });
  expect((await t.ask("GET", "/apis/nope")).status).toBe(404);
  expect((await t.ask("GET", "/apis/authorization.k8s.io/v1")).json["resources"]).toMatchObject([
    { name: "selfsubjectaccessreviews", namespaced: false, verbs: ["create"] },
    { name: "subjectaccessreviews" },
    { name: "localsubjectaccessreviews", namespaced: true },
    { name: "selfsubjectrulesreviews" },
  ]);
});

test("a custom resource is discovered and served within a second, and no longer after it is removed", async () => {
  const before = (await aggregated("/apis")).headers["etag"];
  await t.server.api.create(CustomResourceDefinitionKind, widget as never);
  const started = Date.now();
  await expect
    .poll(async () => (await t.ask("GET", "/apis/example.com/v1/widgets")).status, { timeout: 5000 })
    .toBe(200);
  expect(Date.now() - started).toBeLessThan(1000);
  expect((await aggregated("/apis")).headers["etag"]).not.toBe(before);
  const path = "/apis/example.com/v1/namespaces/default/widgets";
  const body = { apiVersion: "example.com/v1", kind: "Widget", metadata: { name: "w" } };
  expect((await t.ask("POST", path, { body })).status).toBe(201);
  expect(listOf((await t.ask("GET", path)).json["items"])[0]).toMatchObject({ kind: "Widget" });
  const strategic = await t.ask("PATCH", `${path}/w`, { body: {}, type: "application/strategic-merge-patch+json" });
  expect(strategic.status).toBe(415);
  await t.server.api.delete(CustomResourceDefinitionKind, { name: "widgets.example.com" });
  await expect
    .poll(async () => (await t.ask("GET", "/apis/example.com/v1/widgets")).status, { timeout: 5000 })
    .toBe(404);
});
