import { beforeEach, expect, test } from "vitest";
import { PodKind } from "../../api/core/kinds.ts";
import type { Pod } from "../../api/core/types.gen.ts";
import { apiVersionOf, groupResourceKey, type Kind } from "../../api/meta/kind.ts";
import { isApiError } from "../../api/meta/errors.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import { servingKeys } from "../../api/serving/keys.ts";
import { ConfigurationKind, KnativeServiceKind, RevisionKind } from "../../api/serving/kinds.ts";
import { ObjectCache } from "../../client/object-cache.ts";
import { hpaSource } from "./hpa-source.ts";
import { createRevisionMetrics, type RevisionMetrics } from "./revision-metrics.ts";
import { customGroup, externalGroup, metricsResources, serveMetrics } from "./serve-metrics.ts";

let metrics: RevisionMetrics;

beforeEach(() => {
  const caches = new Map<string, ObjectCache<KubeObject>>();
  const cacheOf = <T extends KubeObject>(kind: Kind<T>): ObjectCache<T> => {
    const key = groupResourceKey(kind);
    if (!caches.has(key)) caches.set(key, new ObjectCache<KubeObject>(() => undefined));
    return caches.get(key) as unknown as ObjectCache<T>;
  };
  const put = (kind: Kind, name: string, labels: Record<string, string> = {}, rest: object = {}): void => {
    const metadata = { name, namespace: "default", labels, resourceVersion: "1", uid: name };
    cacheOf(kind).put({ apiVersion: apiVersionOf(kind), kind: kind.kind, metadata, ...rest } as unknown as KubeObject);
  };
  metrics = createRevisionMetrics({
    informers: { of: cacheOf, synced: () => Promise.resolve() },
    loadOf: (key) =>
      key === "default/hello-1"
        ? { concurrency: 3, rps: 40.5, queued: 2 }
        : { concurrency: key === "default/hello-2" ? 1 : 0, rps: 0, queued: 0 },
  });
  put(KnativeServiceKind as Kind, "hello", { team: "a" });
  put(ConfigurationKind as Kind, "hello");
  for (const name of ["hello-1", "hello-2", "other-1"]) {
    const service = name.replace(/-\d$/, "");
    put(RevisionKind as Kind, name, { [servingKeys.service]: service, [servingKeys.configuration]: service });
  }
  const status: Pod["status"] = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
  for (const name of ["a", "b"])
    put(PodKind as Kind, name, { [servingKeys.revision]: "hello-1", app: name }, { status });
  put(PodKind as Kind, "starting", { [servingKeys.revision]: "hello-1" }, { status: { phase: "Pending" } });
  put(PodKind as Kind, "stranger", {}, { status });
});

const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);
const get = (group: string, version: string, path: string, selector = ""): object =>
  serveMetrics(metrics, { group, version, parts: path.split("/"), selector }, nowMs);

test("an external metric has a value for each revision the selector matches, with its labels", () => {
  const labels = { [servingKeys.service]: "hello", [servingKeys.configuration]: "hello" };
  const item = { metricName: "rps", timestamp: "2026-01-02T03:04:05Z", windowSeconds: 15 };
  expect(get(externalGroup, "v1beta1", "namespaces/default/rps", `${servingKeys.service}=hello`)).toEqual({
    kind: "ExternalMetricValueList",
    apiVersion: "external.metrics.k8s.io/v1beta1",
    metadata: {},
    items: [
      { ...item, metricLabels: { ...labels, [servingKeys.revision]: "hello-1" }, value: "40500m" },
      { ...item, metricLabels: { ...labels, [servingKeys.revision]: "hello-2" }, value: "0" },
    ],
  });
});

test("a Service's metric is the sum over its revisions, in the form of either version", () => {
  const describedObject = {
    kind: "Service",
    apiVersion: "serving.knative.dev/v1",
    namespace: "default",
    name: "hello",
  };
  const item = { describedObject, timestamp: "2026-01-02T03:04:05Z", windowSeconds: 15, value: "4" };
  const path = "namespaces/default/services.serving.knative.dev/hello/concurrency";
  expect(get(customGroup, "v1beta2", path)).toEqual({
    kind: "MetricValueList",
    apiVersion: "custom.metrics.k8s.io/v1beta2",
    metadata: {},
    items: [{ ...item, metric: { name: "concurrency", selector: null } }],
  });
  expect(get(customGroup, "v1beta1", path)).toEqual({
    kind: "MetricValueList",
    apiVersion: "custom.metrics.k8s.io/v1beta1",
    metadata: {},
    items: [{ ...item, metricName: "concurrency", selector: null }],
  });
});

test.each([
  ["pods/*/concurrency", "", { a: "1500m", b: "1500m" }],
  ["pods/*/concurrency", "app=b", { b: "1500m" }],
  ["pods/a/queue_length", "", { a: "1" }],
  ["pods/*/concurrency", "app=nobody", {}],
  ["revisions.serving.knative.dev/hello-2/concurrency", "", { "hello-2": "1" }],
  ["services.serving.knative.dev/*/concurrency", "team=a", { hello: "4" }],
  ["configurations.serving.knative.dev/hello/rps", "", { hello: "40500m" }],
])("%s with selector %j", (path, selector, expected) => {
  const { items } = get(customGroup, "v1beta2", `namespaces/default/${path}`, selector) as {
    readonly items: readonly { readonly describedObject: { readonly name: string }; readonly value: string }[];
  };
  expect(Object.fromEntries(items.map(({ describedObject, value }) => [describedObject.name, value]))).toEqual(
    expected,
  );
});

test.each([
  [
    externalGroup,
    "namespaces/default/unheard",
    404,
    "the server could not find the metric unheard for externalmetrics.external.metrics.k8s.io",
  ],
  [
    externalGroup,
    "namespaces/default/toString",
    404,
    "the server could not find the metric toString for externalmetrics.external.metrics.k8s.io",
  ],
  [customGroup, "namespaces/default/pods/*/unheard", 404, "the server could not find the metric unheard for pods"],
  [customGroup, "namespaces/default/secrets/*/rps", 404, "the server could not find the metric rps for secrets"],
  [customGroup, "namespaces/default/pods/nobody/rps", 404, "the server could not find the metric rps for pods nobody"],
  [customGroup, "nodes/node1/rps", 404, "the server could not find the requested resource"],
  [customGroup, "namespaces/default/pods/a", 404, "the server could not find the requested resource"],
])("%s %s is refused as upstream's adapters do", (group, path, code, message) => {
  try {
    get(group, "v1beta1", path);
    expect.unreachable();
  } catch (error) {
    expect(isApiError(error) && [error.status.code, error.status.message]).toEqual([code, message]);
  }
});

test("a selector that cannot be read is the client's fault", () => {
  expect(() => get(externalGroup, "v1beta1", "namespaces/default/rps", "a=(")).toThrow();
});

test("discovery has each metric of each resource", () => {
  expect(metricsResources(externalGroup).map(({ name }) => name)).toEqual(["concurrency", "rps", "queue_length"]);
  expect(metricsResources(customGroup)).toContainEqual({
    name: "services.serving.knative.dev/rps",
    kind: "MetricValueList",
    namespaced: true,
  });
});

test("an HPA in this process reads the same numbers, in thousandths", async () => {
  const source = hpaSource(metrics);
  expect(await source.external({ namespace: "default", name: "rps", selector: "" })).toEqual([40_500, 0, 0]);
  const pods = { namespace: "default", resource: "pods", object: "*", selector: "", metric: "concurrency" };
  expect(await source.custom(pods)).toEqual(
    new Map([
      ["a", 1500],
      ["b", 1500],
    ]),
  );
  await expect(source.custom({ ...pods, metric: "unheard" })).rejects.toThrow(/could not find the metric unheard/);
});
