import { afterEach, expect, test } from "vitest";
import { DeploymentKind } from "../../src/api/apps/kinds.ts";
import { HorizontalPodAutoscalerKind } from "../../src/api/autoscaling/kinds.ts";
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec } from "../../src/api/autoscaling/types.gen.ts";
import type {
  CustomMetricQuery,
  ExternalMetricQuery,
  PodUsageSample,
} from "../../src/controllers/hpa/metrics-source.ts";
import { createTestPlane, finishDeletion, type TestPlane } from "./test-plane.ts";

let plane: TestPlane;
afterEach(async () => {
  await plane.close();
});

/** Cpu each pod uses, in millicores; undefined: nothing measured. */
let cpuMillis: number | undefined;
let external: readonly number[] | undefined;
const queries: ExternalMetricQuery[] = [];

type Custom = (query: CustomMetricQuery) => Promise<ReadonlyMap<string, number>>;

async function open(replicas: number, custom?: Custom): Promise<void> {
  cpuMillis = 100;
  external = undefined;
  const podUsage = (): PodUsageSample | undefined =>
    cpuMillis === undefined
      ? undefined
      : {
          timestampMs: plane.clock.now(),
          windowMs: 15_000,
          containers: [{ name: "c", cpuMillis, memoryBytes: 1 }],
        };
  const query = async (asked: ExternalMetricQuery): Promise<readonly number[]> => {
    queries.push(asked);
    if (!external) throw new Error("the queue cannot be reached");
    return external;
  };
  plane = await createTestPlane({ extra: { metrics: { podUsage, external: query, ...(custom ? { custom } : {}) } } });
  const resources = { requests: { cpu: "100m" } };
  await plane.api.create(DeploymentKind, {
    metadata: { name: "web", namespace: "default" },
    spec: {
      replicas,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { name: "", labels: { app: "web" } },
        spec: { containers: [{ name: "c", image: "example.test/web:1", resources }] },
      },
    },
  });
  await settle();
}

/** Lets controllers and kubelet come to rest. */
async function settle(): Promise<void> {
  for (let round = 0; round < 5; round++) {
    await plane.clock.settle(6);
    const pods = await plane.pods();
    for (const pod of pods) if (pod.metadata.deletionTimestamp) await finishDeletion(plane.api, pod);
    await plane.run(pods.filter(({ metadata, status }) => !metadata.deletionTimestamp && status?.phase === "Pending"));
  }
}

async function createHpa(spec: Partial<HorizontalPodAutoscalerSpec> = {}): Promise<void> {
  await plane.api.create(HorizontalPodAutoscalerKind, {
    metadata: { name: "web", namespace: "default" },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      maxReplicas: 10,
      metrics: [
        { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } },
      ],
      ...spec,
    },
  });
  await settle();
}
const get = async (): Promise<HorizontalPodAutoscaler> =>
  plane.api.get(HorizontalPodAutoscalerKind, { namespace: "default", name: "web" });
const replicas = async (): Promise<number> =>
  (await plane.api.get(DeploymentKind, { namespace: "default", name: "web" })).spec.replicas;
const sync = async (times = 1): Promise<void> => {
  for (let i = 0; i < times; i++) {
    await plane.clock.advance(15_000);
    await settle();
  }
};
const reasons = ({ status }: HorizontalPodAutoscaler): Record<string, string> =>
  Object.fromEntries((status?.conditions ?? []).map(({ type, status, reason }) => [type, `${status} ${reason}`]));

test("twice the target doubles the replicas, and status says by what", async () => {
  await open(2);
  // Readiness younger than a window is not believed; let the pods grow older first.
  await plane.clock.advance(60_000);
  await createHpa();
  expect(await replicas()).toBe(4);
  const hpa = await get();
  expect(hpa.status).toMatchObject({
    currentReplicas: 2,
    desiredReplicas: 4,
    lastScaleTime: expect.any(String),
    currentMetrics: [
      { type: "Resource", resource: { name: "cpu", current: { averageUtilization: 100, averageValue: "100m" } } },
    ],
  });
  expect(reasons(hpa)).toEqual({
    AbleToScale: "True SucceededRescale",
    ScalingActive: "True ValidMetricFound",
    ScalingLimited: "False DesiredWithinRange",
  });
});

test("a load that went is followed down only after five minutes", async () => {
  await open(4);
  await plane.clock.advance(60_000);
  cpuMillis = 50;
  await createHpa();
  cpuMillis = 10;
  await sync(19);
  expect(await replicas()).toBe(4);
  expect(reasons(await get())["AbleToScale"]).toBe("True ScaleDownStabilized");
  await sync(3);
  expect(await replicas()).toBe(1);
});

test("without measurements nothing changes and the reason is given", async () => {
  await open(3);
  cpuMillis = undefined;
  await createHpa();
  expect(await replicas()).toBe(3);
  const { status } = await get();
  expect(status?.conditions?.find(({ type }) => type === "ScalingActive")).toMatchObject({
    status: "False",
    reason: "FailedGetResourceMetric",
    message:
      "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API",
  });
});

const about = { apiVersion: "v1", kind: "Service", name: "front" };
const unfetched =
  "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered";
test.each([
  ["Pods", { pods: { metric: { name: "rps" }, target: { type: "AverageValue", averageValue: "5" } } }, ""],
  [
    "Object",
    { object: { describedObject: about, metric: { name: "rps" }, target: { type: "Value", value: "5" } } },
    "Service on default front/",
  ],
])("a %s metric, which nobody serves here, is refused in upstream's words", async (type, metric, prefix) => {
  await open(1);
  await createHpa({ metrics: [{ type, ...metric }] });
  const active = (await get()).status?.conditions?.find((found) => found.type === "ScalingActive");
  expect(active).toMatchObject({
    status: "False",
    reason: `FailedGet${type}Metric`,
    message: `the HPA was unable to compute the replica count: unable to get metric rps: ${prefix}${unfetched}`,
  });
  expect(await replicas()).toBe(1);
});

test("a target at zero switches the HPA off, one outside its limits is moved at once", async () => {
  await open(0);
  await createHpa({ minReplicas: 2, maxReplicas: 3 });
  expect(reasons(await get())["ScalingActive"]).toBe("False ScalingDisabled");
  await plane.api.patch(
    DeploymentKind,
    { namespace: "default", name: "web" },
    { type: "merge", body: { spec: { replicas: 7 } } },
  );
  await sync();
  expect(await replicas()).toBe(3);
  await plane.api.patch(
    DeploymentKind,
    { namespace: "default", name: "web" },
    { type: "merge", body: { spec: { replicas: 1 } } },
  );
  await sync();
  expect(await replicas()).toBe(2);
});

test("a missing target is said so, and found once it is there", async () => {
  await open(1);
  await createHpa({ scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "other" } });
  const { status } = await get();
  expect(status?.conditions).toMatchObject([
    {
      type: "AbleToScale",
      status: "False",
      reason: "FailedGetScale",
      message: 'the HPA controller was unable to get the target\'s current scale: deployments.apps "other" not found',
    },
  ]);
});

test("an external metric is asked for by its name and selector, and its failure blocks only scaling down", async () => {
  await open(2);
  const metric = { name: "queue", selector: { matchLabels: { topic: "a" } } };
  external = [30_000, 20_000];
  await createHpa({
    metrics: [{ type: "External", external: { metric, target: { type: "AverageValue", averageValue: "10" } } }],
  });
  expect(queries.at(-1)).toEqual({ namespace: "default", name: "queue", selector: "topic=a" });
  expect(await replicas()).toBe(4);
  await sync();
  expect(await replicas()).toBe(5);
  external = undefined;
  await sync();
  expect(await replicas()).toBe(5);
  expect(reasons(await get())["ScalingActive"]).toBe("False FailedGetExternalMetric");
});

test("a Pods metric is the average over the target's pods, others left out", async () => {
  const asked: CustomMetricQuery[] = [];
  await open(2, async (query) => {
    asked.push(query);
    const names = (await plane.pods()).map(({ metadata }) => metadata.name);
    return new Map([["somebody-elses", 1e9], ...names.map((name): [string, number] => [name, 15_000])]);
  });
  const target = { type: "AverageValue", averageValue: "10" };
  await createHpa({ metrics: [{ type: "Pods", pods: { metric: { name: "concurrency" }, target } }] });
  expect(asked[0]).toMatchObject({ namespace: "default", resource: "pods", object: "*", metric: "concurrency" });
  expect(await replicas()).toBe(3);
  expect((await get()).status?.currentMetrics).toEqual([
    { type: "Pods", pods: { metric: { name: "concurrency" }, current: { averageValue: "15" } } },
  ]);
});

test.each([
  ["Value", { type: "Value", value: "10" }, { value: "25" }, 5],
  ["AverageValue", { type: "AverageValue", averageValue: "10" }, { averageValue: "12500m" }, 3],
])("an Object metric with a %s target is that of the object it names", async (_type, target, current, wanted) => {
  const asked: CustomMetricQuery[] = [];
  await open(2, async (query) => {
    asked.push(query);
    return new Map([["front", 25_000]]);
  });
  await createHpa({
    metrics: [{ type: "Object", object: { describedObject: about, metric: { name: "rps" }, target } }],
    behavior: { scaleUp: { policies: [{ type: "Pods", value: 10, periodSeconds: 15 }] } },
  });
  expect(asked[0]).toMatchObject({ resource: "services", object: "front", metric: "rps" });
  expect(await replicas()).toBe(wanted);
  const object = { metric: { name: "rps" }, describedObject: about, current };
  expect((await get()).status?.currentMetrics).toEqual([{ type: "Object", object }]);
});

test("a custom metric that is not there blocks, and says what was not found", async () => {
  await open(1, async () => new Map());
  const target = { type: "Value", value: "5" };
  await createHpa({
    metrics: [{ type: "Object", object: { describedObject: about, metric: { name: "rps" }, target } }],
  });
  const active = (await get()).status?.conditions?.find(({ type }) => type === "ScalingActive");
  expect(active).toMatchObject({
    status: "False",
    reason: "FailedGetObjectMetric",
    message: expect.stringContaining("the server could not find the metric rps for services front"),
  });
});

test("two HPAs over the same pods leave them alone and name each other", async () => {
  await open(2);
  await plane.clock.advance(60_000);
  await createHpa();
  expect(await replicas()).toBe(4);
  const { spec } = await get();
  await plane.api.create(HorizontalPodAutoscalerKind, { metadata: { name: "rival", namespace: "default" }, spec });
  await sync();
  expect(await replicas()).toBe(4);
  const active = (await get()).status?.conditions?.find(({ type }) => type === "ScalingActive");
  expect(active).toMatchObject({ status: "False", reason: "AmbiguousSelector" });
  expect(active?.message).toContain("default/rival, default/web");
  await plane.api.delete(HorizontalPodAutoscalerKind, { namespace: "default", name: "rival" });
  await sync();
  expect(reasons(await get())["ScalingActive"]).toBe("True ValidMetricFound");
});
