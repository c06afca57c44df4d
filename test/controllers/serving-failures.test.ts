import { afterEach, beforeEach, expect, test } from "vitest";
import { DeploymentKind } from "../../src/api/apps/kinds.ts";
import { ConfigMapKind, NamespaceKind, PodKind } from "../../src/api/core/kinds.ts";
import { formatTime } from "../../src/api/meta/time.ts";
import { servingKeys } from "../../src/api/serving/keys.ts";
import { KnativeServiceKind, RevisionKind } from "../../src/api/serving/kinds.ts";
import { ManualClock } from "../../src/client/manual-clock.ts";
import { condition, createServingPlane, namespace, type ServingPlane } from "./serving-plane.ts";

let plane: ServingPlane;
beforeEach(async () => {
  plane = await createServingPlane();
});
afterEach(async () => {
  await plane.close();
});

/** A pod of the Revision whose container ended with this code, as a node would report it. */
async function crash(revision: string, exitCode: number, message: string, startedAt?: string): Promise<void> {
  const { metadata } = await plane.api.get(RevisionKind, { namespace, name: revision });
  const labels = { [servingKeys.revision]: revision, [servingKeys.revisionUid]: metadata.uid ?? "" };
  const pod = await plane.api.create(PodKind, {
    metadata: { name: `${revision}-pod`, namespace, labels },
    spec: { containers: [{ name: "user-container", image: "dev.local/hello:1" }] },
  });
  const container = { name: "user-container", image: "dev.local/hello:1", imageID: "", ready: false, restartCount: 1 };
  const status = {
    ...pod.status,
    containerStatuses: [
      {
        ...container,
        lastState: { terminated: { exitCode, message } },
        ...(startedAt === undefined ? {} : { state: { running: { startedAt } } }),
      },
    ],
  };
  await plane.api.update(PodKind, { ...pod, status }, { subresource: "status" });
}

const created = (name: string) =>
  plane.until(
    async () => (await plane.api.list(DeploymentKind, { namespace })).items,
    (deployments) => deployments.some(({ metadata }) => metadata.name === `${name}-deployment`),
    `the Deployment of ${name}`,
  );

test("a first start that fails is told up to the Service, with the last words", async () => {
  plane.instancesStart = false;
  await plane.apply("hello");
  await created("hello-00001");
  await crash("hello-00001", 7, "cannot find module");
  const service = await plane.until(
    () => plane.service("hello"),
    (s) => condition(s, "Ready") === "False RevisionFailed",
    "the Service to fail",
  );
  expect(service.status?.conditions?.find((c) => c.type === "ConfigurationsReady")?.message).toBe(
    'Revision "hello-00001" failed with message: Container failed with: cannot find module.',
  );
  expect(plane.events).toContain('LatestCreatedFailed: Latest created revision "hello-00001" has failed');
  plane.instancesStart = true;
  await plane.nudge();
  await plane.ready("hello");
});

test("a new Revision that fails leaves the one before in service", async () => {
  await plane.apply("hello");
  await plane.ready("hello");
  plane.instancesStart = false;
  await plane.apply("hello", (service) => ({
    ...service,
    spec: { template: { spec: { containers: [{ image: "dev.local/hello:broken" }] } } },
  }));
  await created("hello-00002");
  await crash("hello-00002", 1, "boom");
  const service = await plane.until(
    () => plane.service("hello"),
    (s) => condition(s, "ConfigurationsReady") === "False RevisionFailed",
    "the Service to tell of the failure",
  );
  expect(condition(service, "RoutesReady")).toBe("True");
  expect(service.status).toMatchObject({
    latestCreatedRevisionName: "hello-00002",
    latestReadyRevisionName: "hello-00001",
    traffic: [{ revisionName: "hello-00001", percent: 100 }],
  });
});

test("a later start that fails is told beside Ready, with an event", async () => {
  await plane.apply("hello");
  await plane.ready("hello");
  const key = { namespace, name: "hello-00001-deployment" };
  const deployment = await plane.api.get(DeploymentKind, key);
  const counts = { readyReplicas: 0, availableReplicas: 0 };
  await plane.api.update(
    DeploymentKind,
    { ...deployment, status: { ...deployment.status, ...counts } },
    { subresource: "status" },
  );
  await crash("hello-00001", 137, "killed");
  const service = await plane.until(
    () => plane.service("hello"),
    (s) => condition(s, "InstancesHealthy") === "False ExitCode137",
    "the failure to reach the Service",
  );
  expect(condition(service, "Ready")).toBe("True");
  expect(service.status?.conditions?.find((c) => c.type === "InstancesHealthy")?.severity).toBe("Info");
  expect(plane.events).toContain("StartFailed: ExitCode137: Container failed with: killed");
});

test("an instance that died and serves again is told beside Ready for ten minutes", async () => {
  await plane.close();
  const clock = new ManualClock();
  plane = await createServingPlane({ clock });
  await plane.apply("hello");
  await plane.ready("hello");
  await crash("hello-00001", 137, "OOMKilled: it needed more memory", formatTime(clock.now()));
  const told = (what: string) =>
    plane.until(
      () => plane.service("hello"),
      (s) => condition(s, "InstancesHealthy") === what,
      `InstancesHealthy ${what}`,
    );
  const service = await told("False ExitCode137");
  expect(condition(service, "Ready")).toBe("True");
  expect(plane.events).toContain("InstanceDied: ExitCode137: Container failed with: OOMKilled: it needed more memory");
  await clock.advance(9 * 60_000);
  expect(condition(await plane.service("hello"), "InstancesHealthy")).toBe("False ExitCode137");
  await clock.advance(61_000);
  await told("absent");
});

test("why no pod can wait for a function is told beside Ready, until some can", async () => {
  await plane.close();
  let trouble: { readonly reason: string; readonly message: string } | undefined;
  const handlers: ((revision: string) => void)[] = [];
  const warmTroubles = {
    of: () => trouble,
    onChange: (handler: (revision: string) => void) => void handlers.push(handler),
  };
  plane = await createServingPlane({ warmTroubles });
  await plane.apply("hello");
  await plane.ready("hello");
  const tell = async (now: typeof trouble, what: string) => {
    trouble = now;
    for (const handler of handlers) handler(`${namespace}/hello-00001`);
    return plane.until(
      () => plane.service("hello"),
      (s) => condition(s, "WarmPodsAvailable") === what,
      `WarmPodsAvailable ${what}`,
    );
  };
  const message = "starts as an ordinary pod, no pod can wait for it: ErrImagePull: 401 Unauthorized";
  const service = await tell({ reason: "WarmPodsNotStarting", message }, "False WarmPodsNotStarting");
  expect(condition(service, "Ready")).toBe("True");
  expect(service.status?.conditions?.find((c) => c.type === "WarmPodsAvailable")).toMatchObject({
    severity: "Info",
    message,
  });
  await tell(undefined, "absent");
});

test("an image that cannot be found fails the Revision with what the registry said", async () => {
  await plane.close();
  plane = await createServingPlane({ resolveDigest: () => Promise.reject(new Error("manifest unknown")) });
  await plane.apply("hello", (service) => ({
    ...service,
    spec: { template: { spec: { containers: [{ image: "example.com/none" }] } } },
  }));
  const [revision] = await plane.until(
    async () => (await plane.api.list(RevisionKind, { namespace })).items,
    ([found]) => found !== undefined && condition(found, "ContainerHealthy") === "False ContainerMissing",
    "the missing image to be told",
  );
  expect(revision?.status?.conditions?.find((c) => c.type === "Ready")?.message).toBe(
    'Unable to fetch image "example.com/none": manifest unknown',
  );
});

test("a tag is replaced by its digest in what runs", async () => {
  await plane.apply("hello", (service) => ({
    ...service,
    spec: { template: { spec: { containers: [{ image: "example.com/hello:1" }] } } },
  }));
  await plane.ready("hello");
  const digest = `example.com/hello:1@sha256:${"0".repeat(64)}`;
  const revision = await plane.api.get(RevisionKind, { namespace, name: "hello-00001" });
  expect(revision.status?.containerStatuses).toEqual([{ name: "user-container", imageDigest: digest }]);
  const deployment = await plane.api.get(DeploymentKind, { namespace, name: "hello-00001-deployment" });
  expect(deployment.spec.template.spec?.containers[0]?.image).toBe(digest);
});

test("a bad Service is denied as Knative's webhook would, and stays as it was", async () => {
  await plane.apply("hello");
  const before = await plane.ready("hello");
  const change = plane.api.patch(
    KnativeServiceKind,
    { namespace, name: "hello" },
    { type: "merge", body: { spec: { traffic: [{ percent: 40, latestRevision: true }] } } },
  );
  await expect(change).rejects.toMatchObject({
    code: 400,
    reason: "BadRequest",
    message:
      'admission webhook "validation.webhook.serving.knative.dev" denied the request: validation failed: Traffic targets sum to 40, want 100: spec.traffic',
  });
  expect(await plane.service("hello")).toEqual(before);
});

test("a bad config map is denied, a good one takes effect at once", async () => {
  await plane.api.create(NamespaceKind, { metadata: { name: "knative-serving" } });
  const config = (data: Record<string, string>) =>
    plane.api.create(ConfigMapKind, { metadata: { name: "config-domain", namespace: "knative-serving" }, data });
  await expect(config({ "example.com": "selector: 3" })).rejects.toMatchObject({
    code: 400,
    message: expect.stringMatching(/^admission webhook "config\.webhook\.serving\.knative\.dev" denied the request: /),
  });
  await plane.apply("hello");
  await plane.ready("hello");
  await config({ "example.com": "" });
  await plane.until(
    () => plane.service("hello"),
    (s) => s.status?.url === "http://hello.default.example.com:8080",
    "the Service's URL to follow",
  );
});

test("a write that fails is tried again, and a new spec does not pass for ready meanwhile", async () => {
  await plane.close();
  let broken = true;
  plane = await createServingPlane({
    spoil: (verb, kind) => {
      if (broken && verb === "create" && kind.kind === "Route") throw new Error("disk is full");
    },
  });
  await plane.apply("hello");
  await plane.until(
    () => plane.service("hello"),
    (s) => s.status?.observedGeneration === 1 && condition(s, "Ready") === "Unknown NewObservedGenFailure",
    "the Service to tell that its spec could not be looked at",
  );
  expect(plane.complaints.join()).toContain("disk is full");
  broken = false;
  await plane.ready("hello");
});
