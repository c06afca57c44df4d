import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DeploymentKind } from "../api/apps/kinds.ts";
import { ConfigMapKind, NamespaceKind, PodKind } from "../api/core/kinds.ts";
import { isAlreadyExists, isConflict, isNotFound } from "../api/meta/errors.ts";
import type { ApiServer } from "./server.ts";
import { hasKubectl, startTestServer, type TestServer } from "./test-server.ts";

let t: TestServer;
let server: ApiServer;

beforeAll(async () => {
  t = await startTestServer();
  ({ server } = t);
});
afterAll(async () => {
  await t.close();
  expect(t.errors).toEqual([]);
});

const kubectl = (...args: readonly string[]): Promise<string> => t.kubectl(...args);

describe("in process", () => {
  test("an object is created with what the server sets, and found again", async () => {
    const made = await server.api.create(ConfigMapKind, {
      metadata: { name: "a", namespace: "default" },
      data: { k: "v" },
    });
    expect(made.metadata).toMatchObject({ name: "a", uid: expect.any(String), resourceVersion: expect.any(String) });
    expect(await server.api.get(ConfigMapKind, { namespace: "default", name: "a" })).toBe(made);
    await expect(server.api.create(ConfigMapKind, { metadata: { name: "a", namespace: "default" } })).rejects.toSatisfy(
      isAlreadyExists,
    );
  });

  test("an update from an old version conflicts, and one that changes nothing writes nothing", async () => {
    const { api } = server;
    const first = await api.create(ConfigMapKind, { metadata: { name: "c", namespace: "default" }, data: { n: "1" } });
    const second = await api.update(ConfigMapKind, { ...first, data: { n: "2" } });
    await expect(api.update(ConfigMapKind, { ...first, data: { n: "3" } })).rejects.toSatisfy(isConflict);
    const third = await api.update(ConfigMapKind, { ...second, data: { n: "2" } });
    expect(third.metadata.resourceVersion).toBe(second.metadata.resourceVersion);
  });

  test("a watch tells every change after the version it starts from", async () => {
    const { api } = server;
    const namespace = "default";
    const start = await api.create(ConfigMapKind, { metadata: { name: "w", namespace } });
    await api.update(ConfigMapKind, { ...start, data: { n: "1" } });
    const ended = new AbortController();
    const seen: string[] = [];
    const resourceVersion = start.metadata.resourceVersion ?? "";
    const options = { namespace, fieldSelector: "metadata.name=w", resourceVersion, signal: ended.signal };
    const watching = (async () => {
      for await (const event of api.watch(ConfigMapKind, options)) {
        if (event.type === "BOOKMARK") continue;
        seen.push(`${event.type} ${event.object.data?.["n"]}`);
        if (event.type === "DELETED") ended.abort();
      }
    })();
    await api.patch(ConfigMapKind, { namespace, name: "w" }, { type: "merge", body: { data: { n: "2" } } });
    await api.delete(ConfigMapKind, { namespace, name: "w" });
    await watching;
    expect(seen).toEqual(["MODIFIED 1", "MODIFIED 2", "DELETED 2"]);
    await expect(api.get(ConfigMapKind, { namespace, name: "w" })).rejects.toSatisfy(isNotFound);
  });

  test("a new namespace has its service account and its copy of the CA at once", async () => {
    const { api } = server;
    await api.create(NamespaceKind, { metadata: { name: "fresh" } } as never);
    const ca = await api.get(ConfigMapKind, { namespace: "fresh", name: "kube-root-ca.crt" });
    expect(ca.data?.["ca.crt"]).toBe(server.caCertificate);
  });
});

describe.skipIf(!hasKubectl)("kubectl", () => {
  test("creates, gets, lists, patches and deletes", async () => {
    expect(await kubectl("create", "configmap", "by-hand", "--from-literal=a=1")).toBe("configmap/by-hand created\n");
    expect(await kubectl("get", "cm", "by-hand", "-o", "jsonpath={.data.a}")).toBe("1");
    expect(await kubectl("get", "cm")).toMatch(/^NAME +DATA +AGE\n/);
    await kubectl("patch", "cm", "by-hand", "--type=merge", "-p", '{"data":{"b":"2"}}');
    await kubectl("label", "cm", "by-hand", "x=y");
    expect(await kubectl("get", "cm", "-l", "x=y", "-o", "name")).toBe("configmap/by-hand\n");
    expect(await kubectl("delete", "cm", "by-hand")).toMatch(/^configmap "by-hand" deleted/);
  });

  test("creates a deployment and scales it", async () => {
    await kubectl("create", "deployment", "web", "--image=example.com/web");
    await kubectl("scale", "deployment", "web", "--replicas=3");
    const web = await server.api.get(DeploymentKind, { namespace: "default", name: "web" });
    expect(web.spec?.replicas).toBe(3);
    expect(web.metadata.generation).toBe(2);
    expect(await kubectl("get", "deploy", "-o", "wide")).toMatch(/web +0\/3 +0 +0 .*example.com\/web/);
  });

  test("get -w prints changes as they come", async () => {
    const watching = t.spawnKubectl("get", "cm", "-w", "-l", "watched", "--no-headers");
    let seen = "";
    watching.stdout?.on("data", (chunk) => (seen += String(chunk)));
    const until = async (pattern: RegExp): Promise<void> =>
      await expect.poll(() => seen, { timeout: 10_000 }).toMatch(pattern);
    await kubectl("create", "cm", "first");
    await kubectl("label", "cm", "first", "watched=");
    await until(/^first +0 /);
    await kubectl("patch", "cm", "first", "--type=merge", "-p", '{"data":{"a":"1"}}');
    await until(/\nfirst +1 /);
    watching.kill();
  });

  test("explains why there is nothing", async () => {
    await expect(kubectl("get", "pod", "nope")).rejects.toThrow('Error from server (NotFound): pods "nope" not found');
    expect(await server.api.list(PodKind)).toMatchObject({ items: [] });
  });
});
