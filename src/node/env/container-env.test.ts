import { expect, test } from "vitest";
import type { Container, Pod, Service } from "../../api/core/types.gen.ts";
import { resolveEnv, type EnvSources } from "./container-env.ts";
import { quantity } from "./quantity.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const service = (name: string, clusterIP: string, port: number, portName?: string): Service => ({
  metadata: { name, namespace: "default" },
  spec: { clusterIP, ports: [{ port, ...(portName ? { name: portName } : {}) }] },
});

const sources: EnvSources = {
  configMap: (_, name) =>
    name === "settings" ? { metadata: { name }, data: { colour: "blue", "log.level": "debug" } } : undefined,
  secret: (_, name) => (name === "keys" ? { metadata: { name }, data: { token: base64("t0p") } } : undefined),
  services: (namespace) =>
    namespace === "default"
      ? [service("kubernetes", "10.0.0.1", 443, "https"), service("my-db", "10.0.0.9", 5432)]
      : [],
  allocatable: { cpuCores: 4, memoryBytes: 8 * 2 ** 30 },
};

function resolve(
  container: Partial<Container>,
  spec: Partial<Pod["spec"]> = { enableServiceLinks: false },
  using = sources,
) {
  const full: Container = { name: "main", ...container };
  const pod: Pod = {
    metadata: {
      name: "p",
      namespace: "default",
      uid: "u",
      labels: { app: "x", b: 'quo"te' },
      annotations: { "a/b": "c" },
    },
    spec: { containers: [full], nodeName: "n", serviceAccountName: "sa", ...spec },
  };
  return resolveEnv(pod, full, using, { podIP: "127.64.0.1", hostIP: "127.0.0.1" });
}

function envOf(...args: Parameters<typeof resolve>): Readonly<Record<string, string>> {
  const result = resolve(...args);
  if (result.kind === "missing") throw new Error(result.message);
  return result.env;
}

test("later wins: services, then envFrom in order, then env; $(NAME) sees what came before", () => {
  const env = envOf(
    {
      envFrom: [{ configMapRef: { name: "settings" } }, { prefix: "S_", secretRef: { name: "keys" } }],
      env: [
        { name: "colour", value: "red" },
        { name: "TEXT", value: "$(colour) $(S_token) $(MY_DB_SERVICE_HOST) $(later) $$(colour)" },
        { name: "later", value: "x" },
      ],
    },
    {},
  );
  expect(env).toMatchObject({
    colour: "red",
    "log.level": "debug",
    S_token: "t0p",
    TEXT: "red t0p 10.0.0.9 $(later) $(colour)",
  });
});

test("services of the namespace are told in Docker's form", () => {
  expect(envOf({}, {})).toMatchObject({
    KUBERNETES_SERVICE_HOST: "10.0.0.1",
    KUBERNETES_SERVICE_PORT: "443",
    KUBERNETES_SERVICE_PORT_HTTPS: "443",
    MY_DB_PORT: "tcp://10.0.0.9:5432",
    MY_DB_PORT_5432_TCP_ADDR: "10.0.0.9",
    MY_DB_PORT_5432_TCP_PROTO: "tcp",
  });
  expect(Object.keys(envOf({})).filter((name) => name.startsWith("MY_DB"))).toEqual([]);
});

test.each([
  ["metadata.name", "p"],
  ["metadata.namespace", "default"],
  ["metadata.uid", "u"],
  ["metadata.labels['app']", "x"],
  ["metadata.annotations['a/b']", "c"],
  ["metadata.labels['none']", ""],
  ["metadata.labels", 'app="x"\nb="quo\\"te"'],
  ["spec.nodeName", "n"],
  ["spec.serviceAccountName", "sa"],
  ["status.podIP", "127.64.0.1"],
  ["status.hostIPs", "127.0.0.1"],
])("fieldRef %s is %j", (fieldPath, expected) => {
  expect(envOf({ env: [{ name: "X", valueFrom: { fieldRef: { fieldPath } } }] })["X"]).toBe(expected);
});

test.each([
  ["limits.cpu", undefined, "2"],
  ["limits.cpu", "1m", "1100"],
  ["requests.cpu", "1m", "1100"],
  ["limits.memory", "1Mi", "128"],
  ["requests.memory", "1Mi", "64"],
  ["limits.ephemeral-storage", undefined, undefined],
])("resourceFieldRef %s by %s is %s", (resource, divisor, expected) => {
  const result = resolve({
    resources: { limits: { cpu: "1100m", memory: "128Mi" }, requests: { memory: "64Mi" } },
    env: [{ name: "X", valueFrom: { resourceFieldRef: { resource, ...(divisor ? { divisor } : {}) } } }],
  });
  expect(result.kind === "resolved" ? result.env["X"] : undefined).toBe(expected);
});

test("limits that are not set are what the node has", () => {
  const env = [{ name: "X", valueFrom: { resourceFieldRef: { resource: "limits.memory", divisor: "1Gi" } } }];
  expect(envOf({ env })["X"]).toBe("8");
});

test.each<readonly [string, Partial<Container>, string]>([
  [
    "configmap",
    { env: [{ name: "X", valueFrom: { configMapKeyRef: { name: "no", key: "k" } } }] },
    'configmap "no" not found',
  ],
  [
    "key",
    { env: [{ name: "X", valueFrom: { configMapKeyRef: { name: "settings", key: "k" } } }] },
    "couldn't find key k in ConfigMap default/settings",
  ],
  [
    "secret key",
    { env: [{ name: "X", valueFrom: { secretKeyRef: { name: "keys", key: "k" } } }] },
    "couldn't find key k in Secret default/keys",
  ],
  ["envFrom", { envFrom: [{ secretRef: { name: "no" } }] }, 'secret "no" not found'],
])("a missing %s is said, unless it is optional", (_, container, message) => {
  expect(resolve(container)).toEqual({ kind: "missing", message });
  const optional = JSON.parse(
    JSON.stringify(container).replace(/("name":"(?:no|settings|keys)")/, '$1,"optional":true'),
  ) as Partial<Container>;
  expect(resolve(optional)).toMatchObject({ kind: "resolved", env: {} });
});

test("names that no program could read are skipped and told", () => {
  const using = { ...sources, configMap: () => ({ metadata: { name: "c" }, data: { "a=b": "1", ok: "2" } }) };
  const result = resolve({ envFrom: [{ configMapRef: { name: "c" } }] }, { enableServiceLinks: false }, using);
  expect(result).toMatchObject({ kind: "resolved", skipped: ["a=b"] });
});

test.each([
  ["500m", 0.5],
  ["128Mi", 134_217_728],
  ["1e3", 1_000],
  ["2", 2],
  [".5", 0.5],
  ["1k", 1_000],
  ["x", undefined],
  ["", undefined],
])("quantity %j is %s", (text, value) => expect(quantity(text)).toBe(value));
