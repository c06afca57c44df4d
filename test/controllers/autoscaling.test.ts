/** The autoscaler against the real API server: its writes are taken as they are, and settle. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { DeploymentKind } from "../../src/api/apps/kinds.ts";
import { PodAutoscalerKind } from "../../src/api/autoscaling-internal/kinds.ts";
import { HorizontalPodAutoscalerKind } from "../../src/api/autoscaling/kinds.ts";
import { builtinDefinitions } from "../../src/api/definitions.ts";
import { servingDefinitions } from "../../src/api/serving/definitions.ts";
import { createApiServer, type ApiServer } from "../../src/apiserver/server.ts";
import { createController, type Controller } from "../../src/client/create-controller.ts";
import { createInformers, type OpenInformers } from "../../src/client/create-informers.ts";
import { ManualClock } from "../../src/client/manual-clock.ts";
import { createAutoscaling, type Autoscaling } from "../../src/controllers/autoscaling/pod-autoscaler.ts";
import { lastDecisionAnnotation, parseRecordedDecision } from "../../src/scaling/recorded-decision.ts";
import type { Logger } from "../../src/telemetry/logger.ts";

const complaints: unknown[] = [];
const log: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message, fields) => void complaints.push({ message, ...fields }),
  error: (message, fields) => void complaints.push({ message, ...fields }),
  with: () => log,
  enabled: () => false,
};

const namespace = "default";
const key = { namespace, name: "hello" };
let server: ApiServer;
let clock: ManualClock;
let informers: OpenInformers;
let autoscaling: Autoscaling;
let controllers: readonly Controller[];

beforeEach(async () => {
  complaints.length = 0;
  clock = new ManualClock(Date.UTC(2026, 0, 1));
  server = createApiServer(
    { dataDir: ":memory:", definitions: [...builtinDefinitions, ...servingDefinitions], freeze: true },
    { log, now: () => clock.now() },
  );
  informers = createInformers(server.api, { log, clock });
  autoscaling = createAutoscaling({ client: server.api, informers, clock, log });
  controllers = autoscaling.controllers.map((spec) => createController(spec, { informers, log, clock }));
  const signal = new AbortController().signal;
  for (const controller of controllers) controller.start(signal);
  await informers.synced(signal);
});

afterEach(async () => {
  await Promise.all(controllers.map((controller) => controller.close()));
  await informers.close();
  await server.close();
  expect(complaints).toEqual([]);
});

async function addRevision(annotations: Record<string, string>, replicas: number): Promise<void> {
  const labels = { "serving.knative.dev/revision": "hello" };
  await server.api.create(DeploymentKind, {
    metadata: { name: "hello-deployment", namespace, labels },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { name: "", labels }, spec: { containers: [{ name: "app", image: "example.com/app" }] } },
    },
  });
  await server.api.create(PodAutoscalerKind, {
    metadata: { ...key, annotations },
    spec: {
      protocolType: "http1",
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "hello-deployment" },
    },
  });
}

/** Moves time on until the autoscaler has nothing more to write. */
async function pass(seconds: number): Promise<void> {
  for (let s = 0; s < seconds; s++) await clock.advance(1000);
  await clock.settle(50);
}

const versionOf = async (): Promise<string | undefined> =>
  (await server.api.list(PodAutoscalerKind, {})).metadata.resourceVersion;

test("a revision that never started is given up, woken by a request, and its record is kept", async () => {
  await addRevision({ "serving.knative.dev/progress-deadline": "30s" }, 1);
  await pass(70);
  const deployment = { namespace, name: "hello-deployment" };
  expect((await server.api.get(DeploymentKind, deployment)).spec.replicas).toBe(0);
  const pa = await server.api.get(PodAutoscalerKind, key);
  expect(pa.status).toMatchObject({ desiredScale: 0, actualScale: 0, observedGeneration: 1, serviceName: "hello" });
  expect(pa.status?.conditions?.map(({ type, status, reason }) => [type, status, reason])).toEqual([
    ["Active", "False", "TimedOut"],
    ["Ready", "False", "TimedOut"],
    ["SKSReady", "True", undefined],
    ["ScaleTargetInitialized", "Unknown", undefined],
  ]);
  autoscaling.autoscaler.demand("default/hello", 1, clock.now(), 0);
  await pass(1);
  expect((await server.api.get(DeploymentKind, deployment)).spec.replicas).toBe(1);
  const woken = await server.api.get(PodAutoscalerKind, key);
  expect(parseRecordedDecision(woken.metadata.annotations?.[lastDecisionAnnotation])).toMatchObject({
    desired: 1,
    rule: "demand",
  });
  expect(woken.metadata.generation).toBe(1);
});

test.each([
  ["a target and bounds", { target: "75", "min-scale": "2", "max-scale": "5" }],
  ["memory and a window", { metric: "memory", target: "200", window: "45s" }],
  ["a metric of its own", { metric: "queue-length", target: "12.7" }],
  ["nothing", {}],
])("an HPA made from %s is taken by the API server and left alone after that", async (_, asked) => {
  const prefixed = Object.entries(asked).map(([name, value]) => [`autoscaling.knative.dev/${name}`, value]);
  await addRevision(
    { "autoscaling.knative.dev/class": "hpa.autoscaling.knative.dev", ...Object.fromEntries(prefixed) },
    1,
  );
  await pass(3);
  const hpa = await server.api.get(HorizontalPodAutoscalerKind, key);
  expect(hpa.metadata.generation ?? 1).toBe(1);
  const before = await versionOf();
  await pass(60);
  expect(await versionOf()).toBe(before);
  expect((await server.api.get(HorizontalPodAutoscalerKind, key)).metadata.resourceVersion).toBe(
    hpa.metadata.resourceVersion,
  );
});

test("an HPA follows the revision's annotations", async () => {
  const hpaClass = { "autoscaling.knative.dev/class": "hpa.autoscaling.knative.dev" };
  await addRevision({ ...hpaClass, "autoscaling.knative.dev/max-scale": "5" }, 1);
  await pass(2);
  const annotations = { "autoscaling.knative.dev/max-scale": "9", "autoscaling.knative.dev/target": "60" };
  await server.api.patch(PodAutoscalerKind, key, { type: "merge", body: { metadata: { annotations } } });
  await pass(2);
  const { spec } = await server.api.get(HorizontalPodAutoscalerKind, key);
  expect(spec).toMatchObject({ maxReplicas: 9, metrics: [{ resource: { target: { averageUtilization: 60 } } }] });
});

test("a revision asleep is not written to for a day", async () => {
  await addRevision({}, 0);
  await server.api.update(
    PodAutoscalerKind,
    {
      ...(await server.api.get(PodAutoscalerKind, key)),
      status: {
        conditions: [
          { type: "Active", status: "False", reason: "NoTraffic", lastTransitionTime: "2025-12-31T00:00:00Z" },
          { type: "ScaleTargetInitialized", status: "True", lastTransitionTime: "2025-12-30T00:00:00Z" },
        ],
      },
    },
    { subresource: "status" },
  );
  await pass(5);
  const before = await versionOf();
  await clock.advance(86_400_000);
  await clock.settle(50);
  expect(await versionOf()).toBe(before);
  expect(autoscaling.autoscaler.activeCount).toBe(0);
});
