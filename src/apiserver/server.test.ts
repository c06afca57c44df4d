import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builtinDefinitions } from "../api/definitions.ts";
import { ConfigMapKind, NamespaceKind, PodKind } from "../api/core/kinds.ts";
import { DeploymentKind } from "../api/apps/kinds.ts";
import { isAlreadyExists, isConflict, isNotFound } from "../api/meta/errors.ts";
import type { Logger } from "../telemetry/logger.ts";
import { createApiServer, type ApiServer } from "./server.ts";

const errors: unknown[] = [];
const log: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (message, fields) => void errors.push({ message, ...fields }),
  with: () => log,
  enabled: () => false,
};

let server: ApiServer;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "ebb-apiserver-"));
  server = createApiServer(
    { dataDir: ":memory:", definitions: builtinDefinitions, freeze: true },
    { log, now: () => Date.now() },
  );
  const port = await server.listen({ host: "127.0.0.1", port: 0 });
  writeFileSync(join(directory, "kubeconfig"), server.kubeconfig(`https://127.0.0.1:${port}`));
});

afterAll(async () => {
  await server.close();
  rmSync(directory, { recursive: true });
  expect(errors).toEqual([]);
});

async function kubectl(...args: readonly string[]): Promise<string> {
  return await new Promise((resolve, reject) => {
    execFile(
      "kubectl",
      ["--kubeconfig", join(directory, "kubeconfig"), "--cache-dir", join(directory, "cache"), ...args],
      (error, stdout, stderr) => (error ? reject(new Error(`kubectl ${args.join(" ")}: ${stderr}`)) : resolve(stdout)),
    );
  });
}

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

describe("kubectl", () => {
  test("creates, gets, lists, patches and deletes", async () => {
    expect(await kubectl("create", "configmap", "by-hand", "--from-literal=a=1")).toBe("configmap/by-hand created\n");
    expect(await kubectl("get", "cm", "by-hand", "-o", "jsonpath={.data.a}")).toBe("1");
    expect(await kubectl("get", "cm")).toMatch(/^NAME +DATA +AGE\n/);
    await kubectl("patch", "cm", "by-hand", "--type=merge", "-p", '{"data":{"b":"2"}}');
    await kubectl("label", "cm", "by-hand", "x=y");
    expect(await kubectl("get", "cm", "-l", "x=y", "-o", "name")).toBe("configmap/by-hand\n");
    expect(await kubectl("delete", "cm", "by-hand")).toBe('configmap "by-hand" deleted\n');
  });

  test("creates a deployment and scales it", async () => {
    await kubectl("create", "deployment", "web", "--image=example.com/web");
    await kubectl("scale", "deployment", "web", "--replicas=3");
    const web = await server.api.get(DeploymentKind, { namespace: "default", name: "web" });
    expect(web.spec?.replicas).toBe(3);
    expect(web.metadata.generation).toBe(2);
    expect(await kubectl("get", "deploy", "-o", "wide")).toMatch(/web +0\/3 +0 +0 .*example.com\/web/);
  });

  test("explains why there is nothing", async () => {
    await expect(kubectl("get", "pod", "nope")).rejects.toThrow('Error from server (NotFound): pods "nope" not found');
    expect(await server.api.list(PodKind)).toMatchObject({ items: [] });
  });
});
