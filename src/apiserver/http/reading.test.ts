import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConfigMapKind, EventKind } from "../../api/core/kinds.ts";
import { listOf, startTestServer, type Loose, type TestServer } from "../test-server.ts";

let t: TestServer;
beforeAll(async () => {
  t = await startTestServer();
});
afterAll(async () => {
  await t.close();
  expect(t.errors).toEqual([]);
});

async function fill(namespace: string, names: readonly string[], labels = {}): Promise<void> {
  await t.ask("POST", "/api/v1/namespaces", { body: { metadata: { name: namespace } } });
  await t.ask("DELETE", `/api/v1/namespaces/${namespace}/configmaps/kube-root-ca.crt`);
  for (const name of names) await t.server.api.create(ConfigMapKind, { metadata: { name, namespace, labels } });
}

const names = (list: Loose): string[] => listOf(list["items"]).map((item) => item["metadata"]!["name"]!);
const get = async (path: string): Promise<Loose> => (await t.ask("GET", path)).json;

describe("lists", () => {
  test("pages all show the state of the first one", async () => {
    await fill("paged", ["a", "b", "c", "d", "e"]);
    const path = "/api/v1/namespaces/paged/configmaps?limit=2";
    const first = await get(path);
    expect(names(first)).toEqual(["a", "b"]);
    expect(first["metadata"]).toMatchObject({ remainingItemCount: 3 });
    await t.server.api.delete(ConfigMapKind, { namespace: "paged", name: "c" });
    await t.server.api.create(ConfigMapKind, { metadata: { name: "bb", namespace: "paged" } });
    const second = await get(`${path}&continue=${first["metadata"]!["continue"]}`);
    expect(names(second)).toEqual(["c", "d"]);
    expect(second["metadata"]!["resourceVersion"]).toBe(first["metadata"]!["resourceVersion"]);
    const third = await get(`${path}&continue=${second["metadata"]!["continue"]}`);
    expect(names(third)).toEqual(["e"]);
    expect(third["metadata"]!["continue"]).toBeUndefined();
  });

  test("a page whose version is compacted answers 410 with a token that goes on inconsistently", async () => {
    await fill("compacted", ["a", "b", "c"]);
    const path = "/api/v1/namespaces/compacted/configmaps?limit=1";
    const first = await get(path);
    await t.server.api.delete(ConfigMapKind, { namespace: "compacted", name: "b" });
    t.server.compact();
    const gone = await t.ask("GET", `${path}&continue=${first["metadata"]!["continue"]}`);
    expect(gone.json).toMatchObject({ code: 410, reason: "Expired" });
    const rest = await get(`${path}&continue=${gone.json["metadata"]!["continue"]}`);
    expect(names(rest)).toEqual(["c"]);
  });

  test.each([
    ["labelSelector=tier%20in%20(a,b)", ["one", "two"]],
    ["labelSelector=tier!%3Da", ["other", "two"]],
    ["labelSelector=!tier", ["other"]],
    ["fieldSelector=metadata.name%3Dtwo", ["two"]],
    ["fieldSelector=metadata.name!%3Dtwo", ["one", "other"]],
  ])("%s selects %j", async (query, expected) => {
    await fill("selected", []);
    for (const [name, labels] of [
      ["one", { tier: "a" }],
      ["two", { tier: "b" }],
      ["other", {}],
    ] as const)
      await t.ask("POST", "/api/v1/namespaces/selected/configmaps", { body: { metadata: { name, labels } } });
    expect(names(await get(`/api/v1/namespaces/selected/configmaps?${query}`))).toEqual(expected);
  });

  test.each([
    ["labelSelector=a%3D%3D%3Db", 400],
    ["fieldSelector=spec.nope%3D1", 400],
    ["resourceVersion=abc", 400],
    ["limit=x", 400],
    ["timeout=abc", 400],
    ["continue=abc", 400],
    ["resourceVersionMatch=Exact", 422],
    ["resourceVersion=0&resourceVersionMatch=Exact", 422],
    ["resourceVersion=1&resourceVersionMatch=Sometimes", 422],
    ["sendInitialEvents=true", 422],
  ])("?%s is answered %i", async (query, code) => {
    expect((await t.ask("GET", `/api/v1/configmaps?${query}`)).status).toBe(code);
  });

  test("an exact version is that version, a future one 504", async () => {
    await fill("exact", ["a"]);
    const path = "/api/v1/namespaces/exact/configmaps";
    const before = await get(path);
    await fill("exact", ["b"]);
    const version = before["metadata"]!["resourceVersion"]!;
    expect(names(await get(`${path}?resourceVersion=${version}&resourceVersionMatch=Exact`))).toEqual(["a"]);
    const future = await t.ask("GET", `${path}?resourceVersion=99999999`);
    expect(future.json).toMatchObject({ code: 504, details: { causes: [{ reason: "ResourceVersionTooLarge" }] } });
  });

  test("built-in items go without kind, and forms are chosen by Accept", async () => {
    await fill("forms", ["a"]);
    const path = "/api/v1/namespaces/forms/configmaps";
    expect(listOf((await get(path))["items"])[0]).not.toHaveProperty("kind");
    const table = await t.ask("GET", path, { accept: "application/json;as=Table;v=v1;g=meta.k8s.io,application/json" });
    expect(table.json).toMatchObject({
      kind: "Table",
      columnDefinitions: [{ name: "Name", format: "name" }, { name: "Data" }, { name: "Age" }],
      rows: [
        { cells: ["a", 0, expect.any(String)], object: { kind: "PartialObjectMetadata", metadata: { name: "a" } } },
      ],
    });
    const partial = await t.ask("GET", path, {
      accept: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
    });
    expect(partial.json).toMatchObject({ kind: "PartialObjectMetadataList", items: [{ metadata: { name: "a" } }] });
    expect((await t.ask("GET", path, { accept: "application/yaml" })).text).toMatch(/^kind: ConfigMapList\n/);
    expect((await t.ask("GET", path, { accept: "text/html" })).status).toBe(406);
  });
});

describe("watches", () => {
  async function take(path: string, count: number): Promise<Loose[]> {
    const seen: Loose[] = [];
    for await (const event of t.lines(path)) {
      seen.push(event);
      if (seen.length === count) break;
    }
    return seen;
  }
  const brief = (event: Loose): string => `${event["type"]} ${event["object"]!["metadata"]!["name"] ?? ""}`.trim();

  test("without a version current objects come first, then changes", async () => {
    await fill("w1", ["a", "b"]);
    const at = { namespace: "w1", name: "b" };
    const seen: string[] = [];
    for await (const event of t.lines("/api/v1/namespaces/w1/configmaps?watch=1")) {
      seen.push(brief(event));
      if (seen.length === 2) {
        await t.server.api.patch(ConfigMapKind, at, { type: "merge", body: { data: { x: "1" } } });
        await t.server.api.delete(ConfigMapKind, { namespace: "w1", name: "a" });
      }
      if (seen.length === 4) break;
    }
    expect(seen).toEqual(["ADDED a", "ADDED b", "MODIFIED b", "DELETED a"]);
  });

  test("a watch-list ends its beginning with the annotated bookmark", async () => {
    await fill("w2", ["a", "b"]);
    const query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    const seen = await take(`/api/v1/namespaces/w2/configmaps?${query}`, 3);
    expect(seen.map(brief)).toEqual(["ADDED a", "ADDED b", "BOOKMARK"]);
    expect(seen[2]!["object"]!["metadata"]).toMatchObject({
      annotations: { "k8s.io/initial-events-end": "true" },
      resourceVersion: expect.stringMatching(/^\d+$/),
    });
    const wrong = await t.ask("GET", "/api/v1/configmaps?watch=true&sendInitialEvents=true");
    expect(wrong.status).toBe(422);
  });

  test("coming to match a selector is ADDED, ceasing to is DELETED with the old object and the new version", async () => {
    await fill("w3", ["a"], { on: "no" });
    const path = "/api/v1/namespaces/w3/configmaps";
    const { resourceVersion } = (await get(path))["metadata"]!;
    const label = async (on: string): Promise<Loose> =>
      (
        await t.ask("PATCH", `${path}/a`, {
          body: { metadata: { labels: { on } } },
          type: "application/merge-patch+json",
        })
      ).json;
    await label("yes");
    const off = await label("no");
    const seen = await take(`${path}?watch=1&resourceVersion=${resourceVersion}&labelSelector=on%3Dyes`, 2);
    expect(seen.map(brief)).toEqual(["ADDED a", "DELETED a"]);
    expect(seen[1]!["object"]!["metadata"]).toMatchObject({
      labels: { on: "yes" },
      resourceVersion: off["metadata"]!["resourceVersion"],
    });
  });

  test("a version older than history is a 410 frame in a 200 stream", async () => {
    await fill("w4", ["a"]);
    t.server.compact();
    const [only] = await take("/api/v1/configmaps?watch=1&resourceVersion=1", 1);
    expect(only).toMatchObject({ type: "ERROR", object: { code: 410, reason: "Expired" } });
  });

  test("tables tell their columns once", async () => {
    await fill("w5", ["a", "b"]);
    const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
    const seen: Loose[] = [];
    for await (const event of t.lines("/api/v1/namespaces/w5/configmaps?watch=1", accept)) {
      seen.push(event);
      if (seen.length === 2) break;
    }
    expect(seen.map((event) => listOf(event["object"]!["columnDefinitions"])?.length ?? 0)).toEqual([3, 0]);
  });

  test("a timeout ends the stream cleanly", async () => {
    const started = Date.now();
    for await (const _ of t.lines("/api/v1/namespaces/none/configmaps?watch=1&timeoutSeconds=1")) expect.unreachable();
    expect(Date.now() - started).toBeLessThan(5000);
  });
});

test("an event can be read and written in both of its groups", async () => {
  const event = {
    metadata: { name: "e", namespace: "default" },
    involvedObject: { kind: "Pod", name: "p" },
    reason: "R",
    message: "m",
    type: "Normal",
  };
  await t.server.api.create(EventKind, event as never);
  const other = await get("/apis/events.k8s.io/v1/namespaces/default/events/e");
  expect(other).toMatchObject({ apiVersion: "events.k8s.io/v1", regarding: { kind: "Pod", name: "p" }, note: "m" });
  expect(names(await get("/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Dp"))).toEqual(["e"]);
});
