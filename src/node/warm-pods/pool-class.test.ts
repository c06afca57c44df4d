import { expect, test } from "vitest";
import type { Container, PodSpec, Probe } from "../../api/core/types.gen.ts";
import { makeWarmPod, versionOf } from "./make-warm-pod.ts";
import { classOf, type PoolClass } from "./pool-class.ts";

const container: Container = {
  name: "user-container",
  image: "registry.example/hello@sha256:1",
  ports: [{ name: "user-port", containerPort: 8080, protocol: "TCP" }],
  env: [{ name: "PORT", value: "8080" }],
  readinessProbe: { tcpSocket: { port: 8080 }, successThreshold: 1 },
} as Container;

const classify = (one: Partial<Container> = {}, spec: Partial<PodSpec> = {}, namespace = "default") =>
  classOf({
    namespace,
    host: "node",
    template: {
      metadata: { name: "" },
      spec: { ...spec, containers: [{ ...container, ...one }, ...(spec.containers ?? [])] },
    },
  });

function fit(found: ReturnType<typeof classOf>): PoolClass {
  if ("unfit" in found) throw new Error(found.unfit);
  return found;
}

test.each<[string, Partial<Container>, Partial<PodSpec>]>([
  ["another image", { image: "registry.example/other@sha256:2" }, {}],
  [
    "another environment, with secrets",
    { env: [{ name: "A", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }] },
    {},
  ],
  ["a login for its own image", {}, { imagePullSecrets: [{ name: "login" }] }],
  ["fields that say nothing", { resources: {}, securityContext: {} }, { nodeSelector: {}, securityContext: {} }],
])("functions that differ in %s share pods", (_what, one, spec) => {
  expect(fit(classify(one, spec)).key).toBe(fit(classify()).key);
});

test.each<[string, Partial<Container>, Partial<PodSpec>, string]>([
  ["namespace", {}, {}, "other"],
  ["service account", {}, { serviceAccountName: "builder" }, "default"],
  ["nodes", {}, { nodeSelector: { disk: "ssd" } }, "default"],
  ["resources", { resources: { limits: { memory: "1Gi" } } }, {}, "default"],
  ["port", { ports: [{ name: "user-port", containerPort: 3000, protocol: "TCP" }] }, {}, "default"],
  ["time to end", {}, { terminationGracePeriodSeconds: 5 }, "default"],
])("functions that differ in their %s do not", (_what, one, spec, namespace) => {
  expect(fit(classify(one, spec, namespace)).key).not.toBe(fit(classify()).key);
});

test.each<[string, Partial<Container>, Partial<PodSpec>]>([
  ["init containers", {}, { initContainers: [{ name: "i", image: "x" }] as unknown as Container[] }],
  ["several containers", {}, { containers: [{ name: "side", image: "x" }] as unknown as Container[] }],
  ["volumes", {}, { volumes: [{ name: "v", emptyDir: {} }] }],
  ["a command", { command: ["node", "x.js"] }, {}],
  ["its pod's name", { env: [{ name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }] }, {}],
  ["a probe of its own", { readinessProbe: { httpGet: { path: "/ready", port: 8080 } } as Probe }, {}],
  ["hooks", { lifecycle: { preStop: { exec: { command: ["true"] } } } }, {}],
])("a function with %s starts as an ordinary pod, and it can be said why", (_what, one, spec) => {
  expect(classify(one, spec)).toEqual({ unfit: expect.stringMatching(/^its? /) as unknown as string });
});

test("a pause before the end is given to the pods that wait, too", () => {
  const lifecycle = { preStop: { sleep: { seconds: 10 } } };
  const pool = fit(classify({ lifecycle }));
  expect(
    makeWarmPod(pool, settings, { name: "warm-1", namespaceUid: "ns-uid" }).spec?.containers[0]?.lifecycle,
  ).toEqual(lifecycle);
});

const settings = { image: "registry.example/host@sha256:3", command: ["node", "/ebb/host/wait.cjs"], ca: "PEM" };

test("a waiting pod is restricted, keeps what its class asks for, and names nothing of a function", () => {
  const pool = fit(
    classify(
      { resources: { limits: { memory: "1Gi" } }, securityContext: { readOnlyRootFilesystem: false } },
      { serviceAccountName: "builder", securityContext: { runAsUser: 1000 }, nodeSelector: { disk: "ssd" } },
    ),
  );
  const { metadata, spec } = makeWarmPod(pool, settings, { name: "warm-1", namespaceUid: "ns-uid" });
  expect(metadata).toMatchObject({ namespace: "default", labels: { "ebb.dev/warm-pool": pool.key } });
  expect(spec).toMatchObject({
    serviceAccountName: "builder",
    nodeSelector: { disk: "ssd" },
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } },
  });
  for (const one of spec?.containers ?? [])
    expect(one).toMatchObject({
      image: settings.image,
      resources: { limits: { memory: "1Gi" } },
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: false,
        capabilities: { drop: ["ALL"] },
      },
    });
  expect(JSON.stringify(spec)).not.toMatch(/hello|secret(Name|Ref|KeyRef)/);
  expect(spec?.initContainers).toBeUndefined();
  expect(spec?.volumes?.[0]?.projected?.sources).toEqual([
    { serviceAccountToken: { audience: "ebb-waiting-host", expirationSeconds: 3600, path: "token" } },
  ]);
});

test("a waiting pod is out of date when the image or the authority is another", () => {
  const versions = [
    settings,
    { ...settings, image: "registry.example/host@sha256:4" },
    { ...settings, ca: "PEM 2" },
  ].map(versionOf);
  expect(new Set(versions).size).toBe(3);
  expect(versionOf({ ...settings })).toBe(versions[0]);
});
