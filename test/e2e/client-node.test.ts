/** What programs with the JavaScript client live through when ebb is killed and comes back on the same port. */
import { CoreV1Api, KubeConfig, makeInformer, Watch, type V1ConfigMap } from "@kubernetes/client-node";
import { rm } from "node:fs/promises";
import { expect, test } from "vitest";
import { eventually, startEbb, type EbbProcess } from "./ebb-process.ts";

const namespace = "default";
const path = `/api/v1/namespaces/${namespace}/configmaps`;

function coreOf(ebb: EbbProcess): { readonly config: KubeConfig; readonly core: CoreV1Api } {
  const config = new KubeConfig();
  config.loadFromFile(ebb.kubeconfig);
  return { config, core: config.makeApiClient(CoreV1Api) };
}

const make = (core: CoreV1Api, name: string): Promise<V1ConfigMap> =>
  core.createNamespacedConfigMap({ namespace, body: { metadata: { name, labels: { seen: "" } } } });

test("an informer and a watch go on after a restart, without a gap", { timeout: 60_000 }, async () => {
  const first = await startEbb();
  const { config, core } = coreOf(first);
  await make(core, "before");
  const informer = makeInformer<V1ConfigMap>(
    config,
    path,
    () => core.listNamespacedConfigMap({ namespace, labelSelector: "seen" }),
    "seen",
  );
  const seen: string[] = [];
  for (const verb of ["add", "update", "delete"] as const)
    informer.on(verb, (object) => void seen.push(`${verb} ${object.metadata?.name}`));
  // As its documentation says: who uses an informer starts it again after an error.
  informer.on("error", () => void setTimeout(() => informer.start().catch(() => undefined), 100));
  await informer.start();
  const { metadata } = await make(core, "last-before");
  await eventually("the informer follows", async () => (seen.includes("add last-before") ? true : undefined));

  await first.kill9();
  const second = await startEbb({ dir: first.dir, args: ["--api-port", new URL(first.apiUrl).port] });
  try {
    expect(second.apiUrl).toBe(first.apiUrl);
    const again = coreOf(second);
    await make(again.core, "after");
    await again.core.deleteNamespacedConfigMap({ namespace, name: "before" });
    await eventually(
      "the informer has seen what happened since",
      async () => (seen.includes("add after") && seen.includes("delete before") ? true : undefined),
      { deadlineMs: 30_000, seen: () => seen.join(", ") },
    );
    expect(new Set(seen).size).toBe(seen.length);

    // A version from before the crash is one to go on from.
    const events: string[] = [];
    const watching = await new Watch(again.config).watch(
      path,
      { resourceVersion: metadata?.resourceVersion ?? "", labelSelector: "seen" },
      (phase, object: V1ConfigMap) => void events.push(`${phase} ${object.metadata?.name}`),
      () => undefined,
    );
    await eventually("the watch is through", async () => (events.length >= 2 ? true : undefined));
    expect(events).toEqual(["ADDED after", "DELETED before"]);
    watching.abort();
  } finally {
    await informer.stop();
    await second.stop();
    await rm(first.dir, { recursive: true, force: true });
  }
});
