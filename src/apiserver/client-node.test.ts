/** The JavaScript client most people have, against this server. */
import {
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  Watch,
  type V1ConfigMap,
} from "@kubernetes/client-node";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ConfigMapKind } from "../api/core/kinds.ts";
import { startTestServer, type TestServer } from "./test-server.ts";

let t: TestServer;
let config: KubeConfig;
beforeAll(async () => {
  t = await startTestServer();
  config = new KubeConfig();
  config.loadFromString(readFileSync(join(t.directory, "kubeconfig"), "utf8"));
});
afterAll(async () => {
  await t.close();
  expect(t.errors).toEqual([]);
});

const namespace = "default";

test("typed calls create, read, patch and delete", async () => {
  const core = config.makeApiClient(CoreV1Api);
  const made = await core.createNamespacedConfigMap({
    namespace,
    body: { metadata: { name: "typed" }, data: { a: "1" } },
  });
  expect(made.metadata?.creationTimestamp).toBeInstanceOf(Date);
  const read = await core.readNamespacedConfigMap({ namespace, name: "typed" });
  await core.replaceNamespacedConfigMap({ namespace, name: "typed", body: { ...read, data: { a: "2" } } });
  const list = await core.listNamespacedConfigMap({ namespace, fieldSelector: "metadata.name=typed" });
  expect(list.items.map(({ data }) => data)).toEqual([{ a: "2" }]);
  await core.deleteNamespacedConfigMap({ namespace, name: "typed" });
  await expect(core.readNamespacedConfigMap({ namespace, name: "typed" })).rejects.toMatchObject({ code: 404 });
});

test("dynamic calls find a kind by its apiVersion", async () => {
  const objects = KubernetesObjectApi.makeApiClient(config);
  const spec = {
    selector: { matchLabels: { a: "b" } },
    template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "example.com/c" }] } },
  };
  await objects.create({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "dynamic", namespace },
    spec,
  } as never);
  const read = await config.makeApiClient(AppsV1Api).readNamespacedDeployment({ namespace, name: "dynamic" });
  expect(read.spec?.replicas).toBe(1);
});

test("an informer follows from its list on", { timeout: 30_000 }, async () => {
  const core = config.makeApiClient(CoreV1Api);
  await t.server.api.create(ConfigMapKind, { metadata: { name: "before", namespace, labels: { informed: "" } } });
  const labelSelector = "informed";
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const informer = makeInformer<V1ConfigMap>(
    config,
    path,
    () => core.listNamespacedConfigMap({ namespace, labelSelector }),
    labelSelector,
  );
  const seen: string[] = [];
  for (const verb of ["add", "update", "delete"] as const)
    informer.on(verb, (object) => void seen.push(`${verb} ${object.metadata?.name}`));
  informer.on("error", () => void setTimeout(() => void informer.start(), 50));
  await informer.start();
  await t.server.api.create(ConfigMapKind, { metadata: { name: "after", namespace, labels: { informed: "" } } });
  await expect.poll(() => seen, { timeout: 10_000 }).toEqual(["add before", "add after"]);
  const at = { namespace, name: "after" };
  await t.server.api.patch(ConfigMapKind, at, { type: "merge", body: { data: { n: "1" } } });
  await t.server.api.delete(ConfigMapKind, at);
  await expect
    .poll(() => seen, { timeout: 10_000 })
    .toEqual(["add before", "add after", "update after", "delete after"]);
  await informer.stop();
});

test("a watch ends with 410 when its version is forgotten", async () => {
  const { metadata } = await t.server.api.create(ConfigMapKind, { metadata: { name: "old", namespace } });
  await t.server.api.delete(ConfigMapKind, { namespace, name: "old" });
  t.server.compact();
  const phases: unknown[] = [];
  await new Promise<void>((done) => {
    void new Watch(config).watch(
      "/api/v1/configmaps",
      { resourceVersion: String(Number(metadata.resourceVersion) - 1) },
      (phase, object) => void phases.push([phase, (object as { code?: number }).code]),
      () => done(),
    );
  });
  expect(phases).toEqual([["ERROR", 410]]);
});
