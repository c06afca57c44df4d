import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DeploymentKind } from "../../api/apps/kinds.ts";
import { HorizontalPodAutoscalerKind } from "../../api/autoscaling/kinds.ts";
import { PodAutoscalerKind } from "../../api/autoscaling-internal/kinds.ts";
import { lastDecisionAnnotation, parseRecordedDecision } from "../../scaling/recorded-decision.ts";
import { scaleGauges } from "./scale-gauges.ts";
import { SimulatedCluster } from "./simulated-cluster.ts";

let cluster: SimulatedCluster;

beforeEach(() => {
  cluster = new SimulatedCluster();
});
afterEach(() => cluster.close());

const seconds = (count: number): Promise<void> => cluster.clock.advance(count * 1000);
const ruleOf = (name: string): string | undefined =>
  parseRecordedDecision(cluster.podAutoscaler(name).metadata.annotations?.[lastDecisionAnnotation])?.rule;

/** A revision that was started, saw no request and went to sleep. */
async function asleep(name: string, annotations: Record<string, string> = {}, containerConcurrency = 0): Promise<void> {
  cluster.addRevision(name, { annotations, containerConcurrency });
  await seconds(70);
  expect(cluster.replicas(name)).toBe(0);
}

describe("a new revision", () => {
  test("is activating until its first pod is ready, then initialized and active", async () => {
    cluster.addRevision("hello");
    await cluster.clock.settle();
    expect(cluster.condition("hello", "Active")).toBe("Unknown/Queued");
    expect(cluster.condition("hello", "ScaleTargetInitialized")).toBe("Unknown");
    expect(cluster.podAutoscaler("hello").status).toMatchObject({
      observedGeneration: 1,
      desiredScale: -1,
      actualScale: 0,
      serviceName: "hello",
      metricsServiceName: "hello-private",
    });
    await seconds(1);
    expect(cluster.condition("hello", "Active")).toBe("True");
    expect(cluster.condition("hello", "ScaleTargetInitialized")).toBe("True");
    expect(cluster.condition("hello", "Ready")).toBe("True");
    expect(cluster.podAutoscaler("hello").status?.actualScale).toBe(1);
  });

  test("without a request goes inactive after the stable window and then to zero", async () => {
    cluster.addRevision("hello");
    await seconds(58);
    expect([cluster.condition("hello", "Active"), cluster.replicas("hello")]).toEqual(["True", 1]);
    await seconds(8);
    expect([cluster.condition("hello", "Active"), cluster.replicas("hello")]).toEqual(["False/NoTraffic", 0]);
    expect(cluster.condition("hello", "Ready")).toBe("False/NoTraffic");
    expect(cluster.podAutoscaler("hello").status).toMatchObject({ desiredScale: 0, actualScale: 0 });
    expect(ruleOf("hello")).toBe("idle");
  });

  test("needs all pods of its initial scale to be initialized", async () => {
    cluster.addRevision("hello", { annotations: { "autoscaling.knative.dev/initial-scale": "3" }, replicas: 1 });
    await seconds(0.2);
    expect(cluster.replicas("hello")).toBe(3);
    expect(cluster.condition("hello", "ScaleTargetInitialized")).toBe("Unknown");
    await seconds(2);
    expect(cluster.condition("hello", "ScaleTargetInitialized")).toBe("True");
    expect(cluster.replicas("hello")).toBeLessThanOrEqual(3);
  });

  test("with initial scale 0, where allowed, is initialized and inactive at once", async () => {
    cluster.setConfig("config-autoscaler", { "allow-zero-initial-scale": "true", "initial-scale": "0" });
    cluster.addRevision("hello", { replicas: 0 });
    await seconds(1);
    expect(cluster.condition("hello", "Active")).toBe("False/NoTraffic");
    expect(cluster.condition("hello", "ScaleTargetInitialized")).toBe("True");
    expect(cluster.replicas("hello")).toBe(0);
    expect(cluster.writes).toEqual(["update podautoscalers/status hello", "patch podautoscalers hello"]);
  });

  test("that never starts is given up after the progress deadline and half a minute", async () => {
    cluster.startMs = Infinity;
    cluster.addRevision("hello", { annotations: { "serving.knative.dev/progress-deadline": "20s" } });
    await seconds(48);
    expect([cluster.condition("hello", "Active"), cluster.replicas("hello")]).toEqual(["Unknown/Queued", 1]);
    await seconds(6);
    expect([cluster.condition("hello", "Active"), cluster.replicas("hello")]).toEqual(["False/TimedOut", 0]);
    expect(cluster.condition("hello", "ScaleTargetInitialized")).toBe("Unknown");
    expect(ruleOf("hello")).toBe("activation-timeout");
  });
});

describe.each([
  ["ahead by a minute", 60_000],
  ["ahead by eight hours", 8 * 3_600_000],
  ["back by an hour", -3_600_000],
  ["back by a year", -365 * 86_400_000],
])("a clock set %s", (_what, ms) => {
  test("changes nothing for a revision under steady load", async () => {
    cluster.addRevision("hello", { containerConcurrency: 10 });
    cluster.setLoad("hello", { concurrency: 21 });
    await seconds(90);
    expect(cluster.replicas("hello")).toBe(3);
    cluster.clock.jump(ms);
    for (let s = 0; s < 120; s++) {
      await seconds(1);
      expect([s, cluster.replicas("hello"), cluster.condition("hello", "Active")]).toEqual([s, 3, "True"]);
    }
    cluster.setLoad("hello", {});
    await seconds(150);
    expect(cluster.replicas("hello")).toBe(0);
  });

  test("lets a revision sleep and wake as before", async () => {
    cluster.addRevision("hello");
    await seconds(30);
    cluster.clock.jump(ms);
    await seconds(150);
    expect([cluster.replicas("hello"), cluster.condition("hello", "Active")]).toEqual([0, "False/NoTraffic"]);
    cluster.clock.jump(ms);
    cluster.request("hello");
    cluster.setLoad("hello", { concurrency: 1 });
    await seconds(30);
    expect([cluster.replicas("hello"), cluster.condition("hello", "Active")]).toEqual([1, "True"]);
  });
});

describe("a sleeping revision", () => {
  test("is started ahead in the same turn as the request, then scaled", async () => {
    await asleep("hello");
    cluster.request("hello");
    expect(cluster.started).toMatchObject([{ revision: "default/hello", namespace: "default", count: 1 }]);
    const before = cluster.writes.length;
    await seconds(0.02);
    expect(cluster.writes.length).toBe(before);
    await seconds(0.01);
    expect(cluster.replicas("hello")).toBe(1);
    await seconds(0.6);
    expect(cluster.condition("hello", "Active")).toBe("True");
    expect(ruleOf("hello")).toBe("demand");
    expect(cluster.writes.slice(before)).toEqual([
      "patch deployments/scale hello-deployment",
      "update podautoscalers/status hello",
      "patch podautoscalers hello",
    ]);
  });

  test("is scaled once, however often it is looked at before the Deployment is heard of again", async () => {
    await asleep("hello");
    cluster.deploymentLagMs = 500;
    const before = cluster.writes.length;
    cluster.request("hello");
    await seconds(0.1);
    for (const window of ["61s", "62s"]) {
      cluster.setConfig("config-autoscaler", { "stable-window": window });
      await seconds(0.1);
      cluster.request("hello");
      await seconds(0.1);
    }
    await seconds(2);
    expect(cluster.replicas("hello")).toBe(1);
    expect(cluster.writes.slice(before).filter((one) => one.includes("/scale"))).toHaveLength(1);
    // Somebody else's size is not taken for the one that was written.
    cluster.deploymentLagMs = 0;
    const deployment = cluster.cache(DeploymentKind).get("default/hello-deployment");
    if (!deployment) throw new Error("there is no Deployment");
    cluster.setLoad("hello", { concurrency: 1 });
    cluster.put(DeploymentKind, { ...deployment, spec: { ...deployment.spec, replicas: 0 } });
    await seconds(4);
    expect(cluster.replicas("hello")).toBe(1);
  });

  test("says that it is not ready when it takes longer than a second", async () => {
    cluster.startMs = 500;
    await asleep("hello");
    cluster.startMs = 5000;
    cluster.request("hello");
    await seconds(0.9);
    expect(cluster.condition("hello", "Active")).toBe("False/NoTraffic");
    await seconds(0.2);
    expect(cluster.condition("hello", "Active")).toBe("Unknown/Queued");
    expect(cluster.podAutoscaler("hello").status?.desiredScale).toBe(1);
    await seconds(5);
    expect(cluster.condition("hello", "Active")).toBe("True");
  });

  test("among many that wake together is started at once, and written down in turn", async () => {
    for (let i = 0; i < 50; i++) cluster.addRevision(`hello-${i}`);
    await seconds(80);
    for (let i = 0; i < 50; i++) cluster.request(`hello-${i}`);
    expect(cluster.started).toHaveLength(50);
    const awake = (): number => cluster.started.filter(({ revision }) => cluster.replicas(revision.slice(8))).length;
    await seconds(0.1);
    expect(awake()).toBeGreaterThan(3);
    expect(awake()).toBeLessThan(20);
    await seconds(1);
    expect(awake()).toBe(50);
  });

  test("whose instance the router has just lost is started at once, whatever its pods still show", async () => {
    cluster.addRevision("hello");
    await seconds(80);
    cluster.setLoad("hello", { concurrency: 1 });
    cluster.request("hello");
    await seconds(20);
    expect(cluster.autoscaler.podsOf("default/hello").ready).toBe(1);
    const before = cluster.started.length;
    cluster.request("hello", 2);
    expect(cluster.started.length).toBe(before);
    cluster.drained = true;
    cluster.request("hello", 2);
    expect(cluster.started.length).toBe(before + 1);
  });

  test("among more than the machine can start is written down when it is started, or after two seconds", async () => {
    for (let i = 0; i < 5; i++) cluster.addRevision(`hello-${i}`);
    await seconds(80);
    cluster.busy = true;
    const before = cluster.writes.length;
    for (let i = 0; i < 5; i++) cluster.setLoad(`hello-${i}`, { concurrency: 1, queued: 1 });
    for (let i = 0; i < 5; i++) cluster.request(`hello-${i}`);
    await seconds(1.9);
    expect(cluster.writes.length).toBe(before);
    await seconds(0.2);
    expect(cluster.replicas("hello-4")).toBe(1);
  });

  test("whose instances wait for their pods is scaled at once, however many woke before it", async () => {
    for (let i = 0; i < 50; i++) cluster.addRevision(`hello-${i}`);
    await seconds(80);
    for (let i = 0; i < 49; i++) cluster.request(`hello-${i}`);
    cluster.startsAhead = false;
    cluster.request("hello-49");
    await cluster.clock.settle();
    expect(cluster.replicas("hello-49")).toBe(1);
  });

  test("gets as many instances as its queue needs, and no second request for the same number", async () => {
    await asleep("hello", {}, 10);
    for (let waiting = 1; waiting <= 25; waiting++) cluster.request("hello", waiting);
    expect(cluster.started.map(({ count }) => count)).toEqual([1, 2, 3]);
    await seconds(1);
    expect(cluster.replicas("hello")).toBe(3);
  });

  test("that takes one request at a time gets one instance for one request, not the headroom of a panic", async () => {
    await asleep("hello", {}, 1);
    cluster.request("hello");
    await seconds(20);
    expect(cluster.started.map(({ count }) => count)).toEqual([1]);
    expect(cluster.replicas("hello")).toBe(1);
  });

  test("is woken also while its last pod is still taken for ready on its way out", async () => {
    cluster.addRevision("hello");
    await seconds(30);
    const deployment = cluster.cache(DeploymentKind).get("default/hello-deployment");
    if (!deployment) throw new Error("there is no Deployment");
    const { apiVersion: _a, kind: _k, ...rest } = deployment;
    cluster.put(DeploymentKind, { ...rest, spec: { ...rest.spec, replicas: 0 } });
    expect(cluster.autoscaler.get("default/hello")?.readyPods).toBe(1);
    cluster.request("hello");
    expect(cluster.started).toMatchObject([{ count: 1 }]);
    await seconds(1);
    expect(cluster.replicas("hello")).toBe(1);
  });

  test("whose request vanished obeys the same windows on its way back to zero", async () => {
    await asleep("hello");
    cluster.request("hello");
    await seconds(30);
    expect(cluster.replicas("hello")).toBe(1);
    await seconds(40);
    expect(cluster.replicas("hello")).toBe(0);
  });

  test("costs no tick, no window and no write", async () => {
    for (let i = 0; i < 50; i++) cluster.addRevision(`hello-${i}`);
    await seconds(80);
    expect(cluster.autoscaler.activeCount).toBe(0);
    const { writes } = cluster;
    const before = writes.length;
    const pending = cluster.clock.pending;
    await seconds(3600);
    expect(writes.length).toBe(before);
    expect(cluster.clock.pending).toBe(pending);
    for (const scaler of cluster.autoscaler.all()) expect(scaler.windows).toBeUndefined();
    expect(cluster.autoscaler.wantsSamples("default/hello-0")).toBe(false);
  });

  test("stays asleep, without a write, when the autoscaler starts anew", async () => {
    await asleep("hello");
    await cluster.stopAutoscaler();
    const before = cluster.writes.length;
    cluster.start();
    await seconds(10);
    expect(cluster.writes.slice(before)).toEqual([]);
    expect(cluster.autoscaler.activeCount).toBe(0);
  });

  test("is woken by requests that came before its PodAutoscaler was known", async () => {
    await asleep("hello");
    await cluster.stopAutoscaler();
    cluster.start();
    cluster.request("hello");
    expect(cluster.started).toHaveLength(0);
    await seconds(1);
    expect(cluster.started).toMatchObject([{ count: 1 }]);
    expect(cluster.replicas("hello")).toBe(1);
  });
});

describe("under load", () => {
  test("a revision grows to its load and shrinks at the rate allowed", async () => {
    await asleep("hello", {}, 10);
    cluster.request("hello");
    cluster.setLoad("hello", { concurrency: 35 });
    await seconds(20);
    expect(cluster.replicas("hello")).toBe(5);
    cluster.setLoad("hello", { concurrency: 7 });
    await seconds(180);
    expect(cluster.replicas("hello")).toBe(1);
    cluster.setLoad("hello", {});
    await seconds(150);
    expect([cluster.replicas("hello"), cluster.autoscaler.activeCount]).toEqual([0, 0]);
  });

  test("a burst makes it panic, and nothing is taken away until a window has passed", async () => {
    cluster.addRevision("hello", { containerConcurrency: 10 });
    cluster.setLoad("hello", { concurrency: 5 });
    await seconds(90);
    expect(cluster.replicas("hello")).toBe(1);
    cluster.setLoad("hello", { concurrency: 60 });
    await seconds(12);
    const most = cluster.replicas("hello") ?? 0;
    expect(most).toBeGreaterThanOrEqual(8);
    cluster.setLoad("hello", { concurrency: 5 });
    await seconds(50);
    expect(cluster.replicas("hello")).toBe(most);
    expect(ruleOf("hello")).toBe("panic-hold");
    await seconds(120);
    expect(cluster.replicas("hello")).toBe(1);
  });

  test("requests per second scale it when it asks for that", async () => {
    const annotations = { "autoscaling.knative.dev/metric": "rps", "autoscaling.knative.dev/target": "10" };
    cluster.addRevision("hello", { annotations });
    cluster.setLoad("hello", { concurrency: 0.01, requestsPerSecond: 21 });
    await seconds(20);
    expect(cluster.replicas("hello")).toBe(3);
  });

  test("asking for another metric on a live revision takes nothing away before that is measured", async () => {
    cluster.addRevision("hello", { containerConcurrency: 10 });
    cluster.setLoad("hello", { concurrency: 35, requestsPerSecond: 900 });
    await seconds(130);
    expect(cluster.replicas("hello")).toBe(5);
    const { apiVersion: _a, kind: _k, ...pa } = cluster.podAutoscaler("hello");
    const annotations = { ...pa.metadata.annotations, "autoscaling.knative.dev/metric": "rps" };
    cluster.put(PodAutoscalerKind, { ...pa, metadata: { ...pa.metadata, annotations } });
    await seconds(0.5);
    expect(cluster.replicas("hello")).toBe(5);
    await seconds(30);
    expect(cluster.replicas("hello")).toBe(7);
  });

  test("waiting requests are answered by the next report, not the next tick", async () => {
    cluster.addRevision("hello", { containerConcurrency: 1 });
    cluster.setLoad("hello", { concurrency: 0.1 });
    await seconds(61.5);
    expect(cluster.replicas("hello")).toBe(1);
    cluster.setLoad("hello", { concurrency: 30, queued: 29 });
    await seconds(1.01);
    expect(cluster.replicas("hello")).toBeGreaterThan(1);
  });

  test("the record is written when the number changes and at most every half minute otherwise", async () => {
    cluster.addRevision("hello", { containerConcurrency: 10 });
    let load = 20;
    await seconds(5);
    const before = cluster.writes.length;
    for (let i = 0; i < 120; i++) {
      load = load === 20 ? 20.4 : 20;
      cluster.setLoad("hello", { concurrency: load });
      await seconds(1);
    }
    const records = cluster.writes.slice(before).filter((write) => write === "patch podautoscalers hello");
    expect(records.length).toBeGreaterThanOrEqual(4);
    expect(records.length).toBeLessThanOrEqual(8);
  });
});

describe("bounds", () => {
  test("min-scale holds a revision without load, at rest", async () => {
    cluster.addRevision("hello", { annotations: { "autoscaling.knative.dev/min-scale": "2" } });
    await seconds(200);
    expect([cluster.replicas("hello"), cluster.condition("hello", "Active")]).toEqual([2, "True"]);
    expect([cluster.autoscaler.activeCount, ruleOf("hello")]).toEqual([0, "min-scale"]);
  });

  test("a revision resting at its minimum averages a new load over the quiet time before", async () => {
    const annotations = { "autoscaling.knative.dev/min-scale": "1" };
    cluster.addRevision("hello", { annotations, containerConcurrency: 10 });
    await seconds(200);
    cluster.setLoad("hello", { concurrency: 12 });
    await seconds(4);
    // Twelve requests in flight for four seconds are 0.8 over a minute: nothing to panic about.
    expect(cluster.replicas("hello")).toBe(1);
    await seconds(90);
    expect(cluster.replicas("hello")).toBe(2);
  });

  test("editing an annotation on a live revision works at once", async () => {
    await asleep("hello");
    const { apiVersion: _a, kind: _k, ...pa } = cluster.podAutoscaler("hello");
    const annotations = { ...pa.metadata.annotations, "autoscaling.knative.dev/min-scale": "3" };
    cluster.put(PodAutoscalerKind, { ...pa, metadata: { ...pa.metadata, annotations } });
    await seconds(1);
    expect(cluster.replicas("hello")).toBe(3);
  });

  test("a revision that loses its last route is let go whatever its minimum", async () => {
    cluster.addRevision("hello", { annotations: { "autoscaling.knative.dev/min-scale": "2" } });
    await seconds(100);
    const { apiVersion: _a, kind: _k, ...pa } = cluster.podAutoscaler("hello");
    cluster.put(PodAutoscalerKind, { ...pa, spec: { ...pa.spec, reachability: "Unreachable" } });
    await seconds(70);
    expect(cluster.replicas("hello")).toBe(0);
  });

  test("enable-scale-to-zero false keeps one", async () => {
    cluster.setConfig("config-autoscaler", { "enable-scale-to-zero": "false" });
    cluster.addRevision("hello");
    await seconds(200);
    expect([cluster.replicas("hello"), cluster.autoscaler.activeCount]).toEqual([1, 0]);
    cluster.setConfig("config-autoscaler", {});
    await seconds(10);
    expect(cluster.replicas("hello")).toBe(0);
  });

  test("pod retention keeps the last pod of an inactive revision", async () => {
    cluster.addRevision("hello", {
      annotations: { "autoscaling.knative.dev/scale-to-zero-pod-retention-period": "2m" },
    });
    await seconds(100);
    expect([cluster.replicas("hello"), cluster.condition("hello", "Active")]).toEqual([1, "False/NoTraffic"]);
    expect(ruleOf("hello")).toBe("pod-retention");
    await seconds(100);
    expect([cluster.replicas("hello"), ruleOf("hello")]).toEqual([0, "idle"]);
  });
});

test("after a restart with several instances nothing is taken away for a window", async () => {
  cluster.addRevision("hello", { containerConcurrency: 10, replicas: 7 });
  await seconds(2);
  cluster.setLoad("hello", { concurrency: 45 });
  await seconds(100);
  expect(cluster.replicas("hello")).toBe(7);
  await cluster.stopAutoscaler();
  cluster.setLoad("hello", {});
  cluster.start();
  await seconds(55);
  expect(cluster.replicas("hello")).toBe(7);
  await seconds(10);
  expect(cluster.replicas("hello")).toBeLessThan(7);
});

test("hours of changing load leave nothing behind and no number out of bounds", async () => {
  const names = Array.from({ length: 12 }, (_, i) => `r${i}`);
  for (const [i, name] of names.entries()) {
    const annotations = {
      "autoscaling.knative.dev/max-scale": String(4 + i),
      "autoscaling.knative.dev/window": i % 3 === 0 ? "10s" : "60s",
      ...(i % 4 === 0 ? { "autoscaling.knative.dev/scale-down-delay": "90s" } : {}),
    };
    cluster.addRevision(name, { containerConcurrency: i % 5, annotations });
  }
  await seconds(5);
  const random = seededRandom(20_261_120);
  for (let minute = 0; minute < 120; minute++) {
    for (const name of names) {
      const isBusy = random() < 0.4;
      cluster.setLoad(name, isBusy ? { concurrency: random() * 40, requestsPerSecond: random() * 100 } : {});
      if (isBusy && cluster.replicas(name) === 0) cluster.request(name);
    }
    if (minute === 60) {
      await cluster.stopAutoscaler();
      cluster.start();
    }
    await seconds(60);
    for (const [i, name] of names.entries()) {
      expect(cluster.replicas(name)).toBeGreaterThanOrEqual(0);
      expect(cluster.replicas(name)).toBeLessThanOrEqual(4 + i);
    }
  }
  for (const name of names) cluster.setLoad(name, {});
  await seconds(400);
  expect(names.map((name) => cluster.replicas(name))).toEqual(names.map(() => 0));
  expect(cluster.autoscaler.activeCount).toBe(0);
  for (const scaler of cluster.autoscaler.all()) {
    expect(scaler.windows).toBeUndefined();
    expect(scaler.state).toEqual({ maxPanic: 0, delayed: expect.any(Array), desired: 0 });
    expect(scaler.state.delayed.length).toBeLessThanOrEqual(1);
  }
  // Only the router's own clock is left.
  expect(cluster.clock.pending).toBeLessThanOrEqual(1);
}, 60_000);

/** Mulberry32. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

test("its numbers can be read under Knative's names", async () => {
  cluster.addRevision("hello", { containerConcurrency: 10 });
  cluster.setLoad("hello", { concurrency: 42 });
  await seconds(20);
  cluster.startMs = Infinity;
  cluster.setLoad("hello", { concurrency: 84 });
  await seconds(20);
  const [gauges] = [...scaleGauges(cluster.autoscaler)];
  const value = (name: string): number | undefined => gauges?.values.get(`kn.revision.${name}`);
  expect(gauges?.attributes).toMatchObject({ "kn.revision.name": "hello", "k8s.namespace.name": "default" });
  expect([value("pods.desired"), value("pods.requested")]).toEqual([12, 12]);
  expect([value("pods.count"), value("pods.pending.count"), value("pods.terminating.count")]).toEqual([6, 6, 0]);
  expect([value("concurrency.panic"), value("concurrency.target"), value("panic.mode")]).toEqual([84, 7, 1]);
  expect(value("capacity.excess")).toBe(60 - 211 - 84);
});

test("a deleted revision is forgotten", async () => {
  cluster.addRevision("hello");
  await seconds(2);
  cluster.cache(PodAutoscalerKind).remove(cluster.podAutoscaler("hello"));
  await seconds(1);
  expect(cluster.autoscaler.get("default/hello")).toBeUndefined();
  expect(cluster.autoscaler.wantsSamples("default/hello")).toBe(false);
});

describe("class hpa", () => {
  const annotations = {
    "autoscaling.knative.dev/class": "hpa.autoscaling.knative.dev",
    "autoscaling.knative.dev/target": "62.5",
    "autoscaling.knative.dev/min-scale": "2",
    "autoscaling.knative.dev/max-scale": "5",
    "autoscaling.knative.dev/window": "30s",
  };

  test("makes a HorizontalPodAutoscaler, and no scaler", async () => {
    cluster.addRevision("hello", { annotations });
    await seconds(2);
    const hpa = cluster.cache(HorizontalPodAutoscalerKind).get("default/hello");
    expect(hpa?.spec).toEqual({
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "hello-deployment" },
      minReplicas: 2,
      maxReplicas: 5,
      metrics: [
        { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 63 } } },
      ],
      behavior: { scaleUp: { stabilizationWindowSeconds: 30 }, scaleDown: { stabilizationWindowSeconds: 30 } },
    });
    expect(hpa?.metadata.ownerReferences).toMatchObject([{ kind: "PodAutoscaler", name: "hello", controller: true }]);
    expect(cluster.autoscaler.get("default/hello")).toBeUndefined();
    await seconds(20);
    expect(cluster.writes.filter((write) => write.includes("horizontalpodautoscalers"))).toHaveLength(1);
  });

  test("shows what the HPA wants and is active once enough pods are ready", async () => {
    cluster.addRevision("hello", { annotations, replicas: 2 });
    await seconds(2);
    const hpa = cluster.cache(HorizontalPodAutoscalerKind).get("default/hello");
    if (!hpa) throw new Error("no HPA was made");
    const { apiVersion: _a, kind: _k, ...rest } = hpa;
    cluster.put(HorizontalPodAutoscalerKind, { ...rest, status: { desiredReplicas: 4, currentReplicas: 2 } });
    await seconds(1);
    expect(cluster.podAutoscaler("hello").status).toMatchObject({ desiredScale: 4, actualScale: 2 });
    expect(cluster.condition("hello", "Ready")).toBe("True");
  });

  test("leaves an HPA of somebody else alone and says so", async () => {
    cluster.put(HorizontalPodAutoscalerKind, {
      metadata: { name: "hello", namespace: "default" },
      spec: { scaleTargetRef: { kind: "Deployment", name: "other" }, maxReplicas: 3 },
    });
    cluster.addRevision("hello", { annotations });
    await seconds(2);
    expect(cluster.condition("hello", "Active")).toBe("False/NotOwned");
    expect(cluster.writes.filter((write) => write.includes("horizontalpodautoscalers"))).toEqual([]);
  });
});

describe("another autoscaler begins to lead", () => {
  /** The one before is gone; routers need a while to come. */
  async function takeOver(): Promise<void> {
    await cluster.stopAutoscaler();
    cluster.seesAll = false;
    cluster.writes.length = 0;
    cluster.start();
    await cluster.clock.settle();
  }
  const remember = (name: string, averageConcurrency: number, s = 60): void =>
    cluster.autoscaler.remember(
      [
        {
          revision: `default/${name}`,
          averageConcurrency: Array(s).fill(averageConcurrency),
          requestCount: Array(s).fill(1),
        },
      ],
      cluster.clock.steadyMs(),
    );

  test("no instance goes, and nothing is written, while nobody has reported", async () => {
    cluster.addRevision("hello", { containerConcurrency: 10 });
    cluster.setLoad("hello", { concurrency: 21 });
    await seconds(90);
    expect(cluster.replicas("hello")).toBe(3);
    await takeOver();
    await seconds(200);
    expect([cluster.replicas("hello"), cluster.condition("hello", "Active")]).toEqual([3, "True"]);
    expect(cluster.writes.filter((write) => write.includes("scale"))).toEqual([]);
  });

  test("a single instance that was idle for half the window stays for the other half", async () => {
    cluster.addRevision("hello");
    cluster.setLoad("hello", { concurrency: 1 });
    await seconds(120);
    cluster.setLoad("hello", {});
    await seconds(30);
    await takeOver();
    cluster.autoscaler.remember(
      [
        {
          revision: "default/hello",
          averageConcurrency: [...Array(30).fill(1), ...Array(30).fill(0)],
          requestCount: Array(60).fill(0),
        },
      ],
      cluster.clock.steadyMs(),
    );
    cluster.seesAll = true;
    await seconds(20);
    expect(cluster.replicas("hello")).toBe(1);
    await seconds(25);
    expect(cluster.replicas("hello")).toBe(0);
  });

  test("what routers remember makes panic needless, and the number stays", async () => {
    cluster.addRevision("hello", { containerConcurrency: 10 });
    cluster.setLoad("hello", { concurrency: 21 });
    await seconds(90);
    await takeOver();
    remember("hello", 15);
    remember("hello", 6);
    cluster.seesAll = true;
    for (let s = 0; s < 70; s++) {
      await seconds(1);
      expect([s, cluster.replicas("hello")]).toEqual([s, 3]);
    }
    expect(cluster.autoscaler.get("default/hello")?.state.panicSinceMs).toBeUndefined();
  });

  test("a revision that sleeps is woken at once, before anybody else has reported", async () => {
    await asleep("hello");
    await takeOver();
    await seconds(5);
    cluster.request("hello");
    await seconds(1);
    expect(cluster.replicas("hello")).toBe(1);
    await seconds(100);
    expect(cluster.replicas("hello")).toBe(1);
  });

  test("load remembered before the PodAutoscaler is known is not lost", async () => {
    await takeOver();
    remember("late", 21);
    cluster.addRevision("late", { containerConcurrency: 10, replicas: 3 });
    cluster.setLoad("late", { concurrency: 21 });
    await seconds(1);
    cluster.seesAll = true;
    for (let s = 0; s < 20; s++) {
      await seconds(1);
      expect([s, cluster.replicas("late")]).toEqual([s, 3]);
    }
  });
});

describe("instances that routers cannot reach", () => {
  const lose = (id: string, lost: boolean, router = "r1"): void =>
    cluster.lost.hear(router, { revision: "default/hello", id, node: "a" }, lost);

  test("get another each, ahead of pods too, until they are back", async () => {
    cluster.addRevision("hello", { annotations: { "autoscaling.knative.dev/min-scale": "2" } });
    await seconds(70);
    expect(cluster.replicas("hello")).toBe(2);
    lose("hello-1", true);
    lose("hello-1", true, "r2");
    expect(cluster.started.at(-1)).toMatchObject({ revision: "default/hello", count: 2 });
    await seconds(3);
    expect(cluster.replicas("hello")).toBe(3);
    expect(cluster.autoscaler.podsOf("default/hello")).toMatchObject({ ready: 2, lost: 1 });
    lose("hello-1", false);
    await seconds(3);
    expect(cluster.replicas("hello")).toBe(3);
    cluster.lost.forget("r2");
    await seconds(3);
    expect(cluster.replicas("hello")).toBe(2);
  });

  test("are not held against a revision that may sleep", async () => {
    cluster.addRevision("hello");
    await seconds(10);
    lose("hello-1", true);
    await seconds(90);
    expect(cluster.replicas("hello")).toBe(0);
  });
});
