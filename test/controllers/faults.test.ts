/** Controllers whose every third write fails, before or after it took effect: they must still arrive, exactly. */
import { afterEach, describe, expect, test } from "vitest";
import { DeploymentKind } from "../../src/api/apps/kinds.ts";
import { JobKind } from "../../src/api/batch/kinds.ts";
import type { Job } from "../../src/api/batch/types.gen.ts";
import { PodKind } from "../../src/api/core/kinds.ts";
import type { Pod } from "../../src/api/core/types.gen.ts";
import { internalError } from "../../src/api/meta/errors.ts";
import type { Client } from "../../src/client/client.ts";
import { seededRandom } from "../crash/seeded-random.ts";
import { createTestPlane, finishDeletion, type TestPlane } from "./test-plane.ts";

let plane: TestPlane;
afterEach(async () => {
  await plane.close();
});

const isEvent = (kind: { readonly plural: string }): boolean => kind.plural === "events";

function faulty(random: () => number): (api: Client) => Client {
  const disturb = async <T>(kind: { readonly plural: string }, write: () => Promise<T>): Promise<T> => {
    const luck = isEvent(kind) ? 1 : random();
    if (luck < 0.15) throw internalError("the write was lost");
    const result = await write();
    if (luck < 0.3) throw internalError("the answer was lost");
    return result;
  };
  return (api) => ({
    ...api,
    create: (kind, object, options) => disturb(kind, () => api.create(kind, object, options)),
    update: (kind, object, options) => disturb(kind, () => api.update(kind, object, options)),
    patch: (kind, key, patch, options) => disturb(kind, () => api.patch(kind, key, patch, options)),
    delete: (kind, key, options) => disturb(kind, () => api.delete(kind, key, options)),
  });
}

const isLive = ({ metadata, status }: Pod): boolean =>
  !metadata.deletionTimestamp && status?.phase !== "Failed" && status?.phase !== "Succeeded";

describe.each([1, 2, 3, 4, 5, 6])("seed %i", (seed) => {
  test("a Job counts every pod exactly once", async () => {
    const random = seededRandom(seed * 7919);
    plane = await createTestPlane({ faulty: faulty(random) });
    await plane.api.create(JobKind, {
      metadata: { name: "work", namespace: "default" },
      spec: {
        completions: 6,
        parallelism: 3,
        backoffLimit: 100,
        template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "example.test/work:1" }] } },
      },
    });
    const ended = { succeeded: 0, failed: 0 };
    const get = async (): Promise<Job> => plane.api.get(JobKind, { namespace: "default", name: "work" });
    for (let round = 0; round < 400 && !(await get()).status?.completionTime; round++) {
      await plane.clock.advance(5000);
      const live = (await plane.pods()).filter(isLive);
      expect(live.length).toBeLessThanOrEqual(3);
      const [pod] = live;
      if (!pod) continue;
      const succeeds = random() < 0.6;
      ended[succeeds ? "succeeded" : "failed"]++;
      await plane.end(pod, succeeds ? 0 : 1);
    }
    const { status } = await get();
    expect(status?.completionTime).toBeDefined();
    expect({ succeeded: status?.succeeded, failed: status?.failed ?? 0 }).toEqual(ended);
    expect(status?.succeeded).toBe(6);
    await plane.clock.advance(120_000);
    expect((await plane.pods()).flatMap(({ metadata }) => metadata.finalizers ?? [])).toEqual([]);
  });

  test("a rollout arrives, within its bounds", async () => {
    plane = await createTestPlane({ faulty: faulty(seededRandom(seed * 104_729)) });
    const key = { namespace: "default", name: "web" };
    const template = (image: string) => ({
      metadata: { name: "", labels: { app: "web" } },
      spec: { containers: [{ name: "c", image }] },
    });
    await plane.api.create(DeploymentKind, {
      metadata: key,
      spec: { replicas: 4, selector: { matchLabels: { app: "web" } }, template: template("example.test/web:1") },
    });
    const images = async (): Promise<string[]> =>
      (await plane.pods()).filter(isLive).map(({ spec }) => spec.containers[0]?.image ?? "");
    const arrive = async (image: string, fewest: number): Promise<void> => {
      for (let round = 0; round < 400; round++) {
        await plane.clock.advance(500);
        for (const pod of await plane.pods()) if (pod.metadata.deletionTimestamp) await finishDeletion(plane.api, pod);
        const live = (await plane.pods()).filter(isLive);
        const ready = live.filter(({ status }) => status?.phase === "Running");
        expect(live.length).toBeLessThanOrEqual(5);
        expect(ready.length).toBeGreaterThanOrEqual(fewest);
        const { spec, status } = await plane.api.get(DeploymentKind, key);
        const done = status?.updatedReplicas === spec.replicas && status.availableReplicas === spec.replicas;
        if (done && status.replicas === spec.replicas && (await images()).every((found) => found === image)) return;
        const next = live.find((pod) => pod.spec.nodeName && !ready.includes(pod));
        if (next) await plane.run([next]);
      }
      throw new Error(`${image} did not arrive; pods run ${(await images()).join(", ")}`);
    };
    await arrive("example.test/web:1", 0);
    const { metadata, spec } = await plane.api.get(DeploymentKind, key);
    await plane.api.update(DeploymentKind, { metadata, spec: { ...spec, template: template("example.test/web:2") } });
    await arrive("example.test/web:2", 3);
    await plane.api.delete(DeploymentKind, key, { propagationPolicy: "Background" });
    for (let round = 0; round < 60 && (await plane.pods()).length > 0; round++) {
      await plane.clock.advance(60_000);
      for (const pod of await plane.pods()) if (pod.metadata.deletionTimestamp) await finishDeletion(plane.api, pod);
    }
    expect((await plane.api.list(PodKind)).items).toEqual([]);
  });
});
