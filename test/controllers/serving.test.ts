import { afterEach, beforeEach, expect, test } from "vitest";
import { DeploymentKind } from "../../src/api/apps/kinds.ts";
import { PodAutoscalerKind } from "../../src/api/autoscaling-internal/kinds.ts";
import { ServiceKind } from "../../src/api/core/kinds.ts";
import { KIngressKind } from "../../src/api/networking-internal/kinds.ts";
import { servingKeys } from "../../src/api/serving/keys.ts";
import { ConfigurationKind, KnativeServiceKind, RevisionKind, RouteKind } from "../../src/api/serving/kinds.ts";
import { ManualClock } from "../../src/client/manual-clock.ts";
import { condition, createServingPlane, isCurrentlyReady, namespace, type ServingPlane } from "./serving-plane.ts";

let plane: ServingPlane;
let clock: ManualClock;
beforeEach(async () => {
  clock = new ManualClock();
  plane = await createServingPlane({ clock });
});
afterEach(async () => {
  await plane.close();
});

const revision = (name: string) => plane.api.get(RevisionKind, { namespace, name });
const withImage = (image: string) => (service: Parameters<NonNullable<Parameters<ServingPlane["apply"]>[1]>>[0]) => ({
  ...service,
  spec: { ...service.spec, template: { ...service.spec.template, spec: { containers: [{ image }] } } },
});

test("a Service becomes ready at its first generation, with everything it stands for", async () => {
  await plane.apply("hello");
  const service = await plane.ready("hello");
  expect(service.metadata.generation).toBe(1);
  expect(service.status).toMatchObject({
    url: "http://hello.default.localhost:8080",
    address: { url: "http://hello.default.svc.cluster.local" },
    latestCreatedRevisionName: "hello-00001",
    latestReadyRevisionName: "hello-00001",
    traffic: [{ revisionName: "hello-00001", latestRevision: true, percent: 100 }],
  });
  expect(service.status?.conditions?.map(({ type, status }) => `${type} ${status}`)).toEqual([
    "ConfigurationsReady True",
    "Ready True",
    "RoutesReady True",
  ]);
  const made = await revision("hello-00001");
  expect(made.metadata.labels).toMatchObject({
    [servingKeys.configuration]: "hello",
    [servingKeys.configurationGeneration]: "1",
    [servingKeys.service]: "hello",
    [servingKeys.serviceUid]: service.metadata.uid,
    [servingKeys.routingState]: "active",
  });
  expect(made.metadata.annotations).toMatchObject({
    [servingKeys.creator]: "system:ebb",
    [servingKeys.routes]: "hello",
  });
  const route = await plane.api.get(RouteKind, { namespace, name: "hello" });
  expect(condition(route, "CertificateProvisioned")).toBe("True TLSNotEnabled");
  expect(plane.complaints).toEqual([]);
});

test("a Revision is run by a Deployment, a PodAutoscaler and core Services that it owns", async () => {
  await plane.apply("hello");
  await plane.ready("hello");
  const { metadata } = await revision("hello-00001");
  const deployment = await plane.api.get(DeploymentKind, { namespace, name: "hello-00001-deployment" });
  expect(deployment.spec).toMatchObject({
    replicas: 1,
    progressDeadlineSeconds: 600,
    revisionHistoryLimit: 0,
    selector: { matchLabels: { [servingKeys.revisionUid]: metadata.uid } },
    strategy: { rollingUpdate: { maxUnavailable: 0 } },
  });
  const [container] = deployment.spec.template.spec?.containers ?? [];
  expect(container).toMatchObject({
    name: "user-container",
    image: "dev.local/hello:1",
    ports: [{ name: "user-port", containerPort: 8080 }],
    terminationMessagePolicy: "FallbackToLogsOnError",
    readinessProbe: { tcpSocket: { port: 8080 } },
  });
  expect(container?.env).toEqual([
    { name: "PORT", value: "8080" },
    { name: "K_REVISION", value: "hello-00001" },
    { name: "K_CONFIGURATION", value: "hello" },
    { name: "K_SERVICE", value: "hello" },
  ]);
  expect(deployment.spec.template.spec?.terminationGracePeriodSeconds).toBe(300);
  const autoscaler = await plane.api.get(PodAutoscalerKind, { namespace, name: "hello-00001" });
  expect(autoscaler.spec).toEqual({
    containerConcurrency: 0,
    protocolType: "http1",
    reachability: "Reachable",
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "hello-00001-deployment" },
  });
  const services = (await plane.api.list(ServiceKind, { namespace })).items.map((one) => one.metadata.name).sort();
  expect(services).toEqual(expect.arrayContaining(["hello", "hello-00001", "hello-00001-private"]));
});

test("the router is told hosts and shares, inside and outside", async () => {
  await plane.apply("hello");
  await plane.ready("hello");
  const ingress = await plane.api.get(KIngressKind, { namespace, name: "hello" });
  const split = {
    serviceName: "hello-00001",
    serviceNamespace: "default",
    servicePort: 80,
    percent: 100,
    appendHeaders: { "Knative-Serving-Revision": "hello-00001", "Knative-Serving-Namespace": "default" },
  };
  expect(ingress.spec.rules).toEqual([
    {
      hosts: ["hello.default", "hello.default.svc", "hello.default.svc.cluster.local"],
      visibility: "ClusterLocal",
      http: { paths: [{ splits: [split] }] },
    },
    { hosts: ["hello.default.localhost"], visibility: "ExternalIP", http: { paths: [{ splits: [split] }] } },
  ]);
});

test("a new template makes a new Revision, and traffic moves when it is ready", async () => {
  await plane.apply("hello");
  await plane.ready("hello");
  plane.instancesStart = false;
  await plane.apply("hello", withImage("dev.local/hello:2"));
  const waiting = await plane.until(
    async () => {
      // Progress is told once a second.
      await clock.advance(100);
      return plane.service("hello");
    },
    (s) => s.status?.latestCreatedRevisionName === "hello-00002",
    "the second Revision",
  );
  expect(waiting.status?.latestReadyRevisionName).toBe("hello-00001");
  expect(waiting.status?.traffic).toMatchObject([{ revisionName: "hello-00001" }]);
  plane.instancesStart = true;
  await plane.nudge();
  const service = await plane.ready("hello");
  expect(service.status?.traffic).toMatchObject([{ revisionName: "hello-00002", percent: 100 }]);
  await plane.until(
    () => revision("hello-00001"),
    ({ metadata }) => metadata.labels?.[servingKeys.routingState] === "reserve",
    "the first Revision to be in reserve",
  );
  const reserve = await plane.until(
    () => plane.api.get(PodAutoscalerKind, { namespace, name: "hello-00001" }),
    ({ spec }) => spec.reachability === "Unreachable",
    "the first Revision to be unreachable",
  );
  expect(reserve.metadata.generation).toBeGreaterThan(1);
});

test("traffic can be split, tagged and pinned without a new Revision", async () => {
  await plane.apply("hello");
  await plane.ready("hello");
  await plane.apply("hello", withImage("dev.local/hello:2"));
  await plane.ready("hello");
  await plane.apply("hello", (draft) => {
    const service = withImage("dev.local/hello:2")(draft);
    const traffic = [
      { revisionName: "hello-00001", percent: 20, tag: "old" },
      { latestRevision: true, percent: 80 },
    ];
    return { ...service, spec: { ...service.spec, traffic } };
  });
  const service = await plane.ready("hello");
  expect(service.status?.latestCreatedRevisionName).toBe("hello-00002");
  expect(service.status?.traffic).toEqual([
    {
      tag: "old",
      revisionName: "hello-00001",
      latestRevision: false,
      percent: 20,
      url: "http://old-hello.default.localhost:8080",
    },
    { revisionName: "hello-00002", latestRevision: true, percent: 80 },
  ]);
  const ingress = await plane.api.get(KIngressKind, { namespace, name: "hello" });
  const shares = Object.fromEntries(
    (ingress.spec.rules ?? []).map((rule) => [
      rule.hosts?.at(-1),
      rule.http?.paths[0]?.splits.map((split) => `${split.serviceName} ${split.percent}`),
    ]),
  );
  expect(shares).toEqual({
    "hello.default.svc.cluster.local": ["hello-00001 20", "hello-00002 80"],
    "hello.default.localhost": ["hello-00001 20", "hello-00002 80"],
    "old-hello.default.svc.cluster.local": ["hello-00001 100"],
    "old-hello.default.localhost": ["hello-00001 100"],
  });
  expect((await plane.api.get(ServiceKind, { namespace, name: "old-hello" })).spec?.type).toBe("ExternalName");
  expect((await revision("hello-00001")).metadata.labels?.[servingKeys.routingState]).toBe("active");
});

test("a Revision named by its author can be gone back to by naming it again", async () => {
  const named = (name: string, image: string) => (draft: Parameters<ReturnType<typeof withImage>>[0]) => {
    const service = withImage(image)(draft);
    return { ...service, spec: { template: { ...service.spec.template, metadata: { name } } } };
  };
  await plane.apply("hello", named("hello-one", "dev.local/hello:1"));
  await plane.ready("hello");
  await plane.apply("hello", named("hello-two", "dev.local/hello:2"));
  expect((await plane.ready("hello")).status?.latestReadyRevisionName).toBe("hello-two");
  await plane.apply("hello", named("hello-one", "dev.local/hello:1"));
  const back = await plane.ready("hello");
  expect(back.status).toMatchObject({ latestCreatedRevisionName: "hello-one", latestReadyRevisionName: "hello-one" });
  expect(back.status?.traffic).toMatchObject([{ revisionName: "hello-one" }]);
  expect((await plane.api.list(RevisionKind, { namespace })).items).toHaveLength(2);

  await plane.apply("hello", named("hello-two", "dev.local/hello:3"));
  const taken = await plane.until(
    () => plane.service("hello"),
    (s) =>
      condition(s, "RoutesReady") === "False RevisionNameTaken" &&
      condition(s, "ConfigurationsReady") === "False RevisionFailed",
    "the name to be found taken",
  );
  expect(taken.status?.traffic).toMatchObject([{ revisionName: "hello-one" }]);
});

test("a namesake that belongs to somebody else is told, and taken the place of when it goes", async () => {
  await plane.api.create(RouteKind, {
    metadata: { name: "hello", namespace },
    spec: { traffic: [{ configurationName: "other", percent: 100 }] },
  });
  await plane.apply("hello");
  const blocked = await plane.until(
    () => plane.service("hello"),
    (s) => condition(s, "RoutesReady") === "False NotOwned",
    "the foreign Route to be told",
  );
  expect(blocked.status?.conditions?.find((c) => c.type === "Ready")?.message).toBe(
    'There is an existing Route "hello" that we do not own.',
  );
  await plane.api.delete(RouteKind, { namespace, name: "hello" });
  await plane.ready("hello");
});

test("a core Service of the Route's name keeps the Route from being programmed", async () => {
  await plane.api.create(ServiceKind, {
    metadata: { name: "hello", namespace },
    spec: { ports: [{ port: 80 }] },
  });
  await plane.apply("hello");
  const [blocked] = await plane.until(
    async () => (await plane.api.list(RouteKind, { namespace })).items,
    ([route]) => route !== undefined && condition(route, "IngressReady") === "False NotOwned",
    "the Route to say so",
  );
  expect(condition(blocked ?? {}, "AllTrafficAssigned")).toBe("True");
  await expect(plane.api.get(KIngressKind, { namespace, name: "hello" })).rejects.toThrow(/not found/);
  await plane.api.delete(ServiceKind, { namespace, name: "hello" });
  await clock.advance(5_000);
  await plane.ready("hello");
});

test("changes that are no change write nothing", async () => {
  await plane.apply("hello");
  await plane.ready("hello");
  const versions = async () =>
    Promise.all(
      [KnativeServiceKind, ConfigurationKind, RouteKind, KIngressKind].map(
        async (kind) =>
          (await plane.api.get(kind as typeof RouteKind, { namespace, name: "hello" })).metadata.resourceVersion,
      ),
    );
  // Routing labels follow readiness: quiet is when another Service could come and go without a write.
  await plane.apply("first");
  await plane.ready("first");
  const before = await versions();
  await plane.apply("hello");
  await plane.apply("other");
  await plane.ready("other");
  expect(await versions()).toEqual(before);
});

test("a metadata edit reaches the children, and takes what was foreign on them away", async () => {
  await plane.apply("hello");
  await plane.ready("hello");
  await plane.api.patch(
    RouteKind,
    { namespace, name: "hello" },
    { type: "merge", body: { metadata: { labels: { stray: "x" } } } },
  );
  await plane.api.patch(
    KnativeServiceKind,
    { namespace, name: "hello" },
    { type: "merge", body: { metadata: { labels: { team: "a" } } } },
  );
  const route = await plane.until(
    () => plane.api.get(RouteKind, { namespace, name: "hello" }),
    ({ metadata }) => metadata.labels?.team === "a" && metadata.labels.stray === undefined,
    "labels to follow the Service",
  );
  expect(route.metadata.generation).toBe(1);
  expect((await plane.ready("hello")).metadata.generation).toBe(1);
});

test("hiding a Service from outside takes its external hosts away", async () => {
  await plane.apply("hello");
  await plane.ready("hello");
  await plane.api.patch(
    KnativeServiceKind,
    { namespace, name: "hello" },
    { type: "merge", body: { metadata: { labels: { [servingKeys.visibility]: "cluster-local" } } } },
  );
  const service = await plane.until(
    () => plane.service("hello"),
    (s) => isCurrentlyReady(s) && s.status?.url === "http://hello.default.svc.cluster.local",
    "a local URL",
  );
  expect(service.status?.address?.url).toBe("http://hello.default.svc.cluster.local");
  const { spec } = await plane.api.get(KIngressKind, { namespace, name: "hello" });
  expect(spec.rules?.map((rule) => rule.visibility)).toEqual(["ClusterLocal"]);
});

test("a Configuration and a Route work without a Service, and the Revision is marked with who leads to it", async () => {
  await plane.api.create(ConfigurationKind, {
    metadata: { name: "alone", namespace },
    spec: { template: { spec: { containers: [{ image: "dev.local/hello:1" }] } } },
  });
  const state = ({ metadata }: Awaited<ReturnType<typeof revision>>): string =>
    `${metadata.labels?.[servingKeys.routingState]} ${metadata.annotations?.[servingKeys.routes] ?? ""}`;
  const [made] = await plane.until(
    async () => (await plane.api.list(RevisionKind, { namespace })).items,
    ([found]) => found !== undefined && condition(found, "Ready") === "True",
    "the Revision",
  );
  expect(made && state(made)).toBe("pending ");
  expect(made?.metadata.labels?.[servingKeys.service]).toBeUndefined();
  const route = (name: string) =>
    plane.api.create(RouteKind, {
      metadata: { name, namespace },
      spec: { traffic: [{ configurationName: "alone", percent: 100 }] },
    });
  await route("one");
  await route("two");
  const stateIs = (wanted: string) =>
    plane.until(
      () => revision("alone-00001"),
      (found) => state(found) === wanted,
      wanted,
    );
  await stateIs("active one,two");
  const configuration = await plane.api.get(ConfigurationKind, { namespace, name: "alone" });
  expect(configuration.metadata.annotations?.[servingKeys.routes]).toBe("one,two");
  const ingresses = await plane.until(
    async () => (await plane.api.list(KIngressKind, { namespace })).items,
    (items) => items.length === 2,
    "the Ingresses of both Routes",
  );
  const hosts = ingresses.find(({ metadata }) => metadata.name === "two")?.spec.rules?.[1]?.hosts;
  expect(hosts).toEqual(["two.default.localhost"]);
  await plane.api.delete(RouteKind, { namespace, name: "one" });
  await stateIs("active two");
  await plane.api.delete(RouteKind, { namespace, name: "two" });
  await stateIs("reserve ");
});

test("editing a live Revision's scaling annotations reaches its PodAutoscaler, its spec cannot be edited", async () => {
  await plane.apply("hello");
  await plane.ready("hello");
  const key = { namespace, name: "hello-00001" };
  const annotate = (value: string | null) =>
    plane.api.patch(RevisionKind, key, {
      type: "merge",
      body: { metadata: { annotations: { "autoscaling.knative.dev/min-scale": value } } },
    });
  const scaleIs = (wanted: string | undefined) =>
    plane.until(
      () => plane.api.get(PodAutoscalerKind, key),
      ({ metadata }) => metadata.annotations?.["autoscaling.knative.dev/min-scale"] === wanted,
      `min-scale ${wanted}`,
    );
  await annotate("2");
  await scaleIs("2");
  await annotate(null);
  await scaleIs(undefined);
  await expect(annotate("-2")).rejects.toMatchObject({ code: 400 });
  await expect(
    plane.api.patch(RevisionKind, key, { type: "merge", body: { spec: { timeoutSeconds: 5 } } }),
  ).rejects.toThrow(
    "validation failed: Immutable fields changed (-old +new): spec\nspec.timeoutSeconds:\n\t-: 300\n\t+: 5",
  );
});
