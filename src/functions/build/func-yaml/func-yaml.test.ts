import { expect, test } from "vitest";
import { SourceError } from "../source.ts";
import { parseFuncYaml } from "./func-yaml.ts";

test("a func.yaml as Knative's func writes it becomes settings of the Service", async () => {
  const text = `
specVersion: 0.36.0
name: orders
runtime: typescript
registry: ghcr.io/me
created: 2026-01-02T03:04:05Z
invoke: cloudevent
build:
  builder: pack
  buildEnvs:
    - { name: NODE_ENV, value: production }
run:
  envs:
    - { name: GREETING, value: hello }
    - { name: FROM_HERE, value: "{{ env:HERE }}" }
    - { name: PASSWORD, value: "{{ secret:db:password }}" }
    - { name: LEVEL, value: "{{configMap:app:level}}" }
    - { value: "{{ secret:all }}" }
    - { value: "{{ configMap:rest }}" }
  volumes:
    - { secret: certs, path: /certs }
    - { configMap: app, path: /config }
    - { persistentVolumeClaim: { claimName: data, readOnly: true }, path: /data }
    - { emptyDir: { sizeLimit: 1Gi }, path: /scratch }
deploy:
  namespace: shop
  annotations: { example.com/team: a }
  labels:
    - { key: tier, value: "{{ env:HERE }}" }
  healthEndpoints: { liveness: /live, readiness: /ready }
  serviceAccountName: robot
  imagePullSecret: pull
  subscriptions:
    - { source: default, filters: { type: order.placed } }
  options:
    scale: { min: 1, max: 5, metric: rps, target: 12.5, utilization: 60 }
    resources:
      requests: { cpu: 100m, memory: 64Mi }
      limits: { cpu: 1, memory: 128Mi, concurrency: 10 }
`;
  expect(await parseFuncYaml(text, { HERE: "front" })).toEqual({
    name: "orders",
    language: "node",
    signature: "cloudevent",
    buildEnv: { NODE_ENV: "production" },
    settings: {
      namespace: "shop",
      env: [
        { name: "GREETING", value: "hello" },
        { name: "FROM_HERE", value: "front" },
        { name: "PASSWORD", valueFrom: { secretKeyRef: { name: "db", key: "password" } } },
        { name: "LEVEL", valueFrom: { configMapKeyRef: { name: "app", key: "level" } } },
      ],
      envFrom: [{ secretRef: { name: "all" } }, { configMapRef: { name: "rest" } }],
      volumes: [
        { path: "/certs", source: { secret: { secretName: "certs" } } },
        { path: "/config", source: { configMap: { name: "app" } } },
        { path: "/data", source: { persistentVolumeClaim: { claimName: "data", readOnly: true } } },
        { path: "/scratch", source: { emptyDir: { sizeLimit: "1Gi" } } },
      ],
      labels: { tier: "front" },
      annotations: { "example.com/team": "a" },
      minScale: 1,
      maxScale: 5,
      metric: "rps",
      target: 12.5,
      utilization: 60,
      concurrency: 10,
      requests: { cpu: "100m", memory: "64Mi" },
      limits: { cpu: "1", memory: "128Mi" },
      serviceAccountName: "robot",
      imagePullSecret: "pull",
      liveness: "/live",
      readiness: "/ready",
      subscriptions: [{ source: "default", filters: { type: "order.placed" } }],
    },
  });
});

test("fields of older versions are read where they stood", async () => {
  const text =
    "runtime: go\nenvs: [{name: A, value: b}]\noptions: {scale: {max: 2, kpa: {target: 3}}}\nbuildEnvs: [{name: C, value: d}]\n";
  expect(await parseFuncYaml(text, {})).toEqual({
    language: "go",
    buildEnv: { C: "d" },
    settings: { env: [{ name: "A", value: "b" }], maxScale: 2, target: 3 },
  });
});

test("other frameworks' environment settles model and target", async () => {
  const env = (name: string, value: string) => `run: { envs: [{ name: ${name}, value: ${value} }] }`;
  expect(await parseFuncYaml(env("FUNCTION_TARGET", "hello"), {})).toMatchObject({
    model: "functions-framework",
    target: "hello",
  });
  expect(await parseFuncYaml(env("_HANDLER", "app.main"), {})).toMatchObject({ model: "lambda", target: "app.main" });
});

test("fields nobody knows are named with their line", async () => {
  const { warnings } = await parseFuncYaml("name: a\nbiuld:\n  x: 1\ndeploy:\n  options:\n    scale: {mim: 1}\n", {});
  expect(warnings).toEqual([
    "func.yaml:3: biuld is not a field ebb knows: ignored",
    "func.yaml:6: deploy.options.scale.mim is not a field ebb knows: ignored",
  ]);
});

test.each([
  ["name: [", /^func\.yaml:1:\d+: /],
  ["name: Not_Good", /^func\.yaml:1: name is "Not_Good": .*"not-good"/],
  ["runtime: cobol", /^func\.yaml:1: runtime is "cobol", which is none of binary, go, /],
  ["invoke: grpc", /invoke is "grpc", which is none of http, cloudevent/],
  [
    "deploy:\n  options:\n    scale: {min: -1}",
    /^func\.yaml:3: deploy\.options\.scale\.min should be a number of at least 0/,
  ],
  ["run: {envs: {A: b}}", /run\.envs should be a list/],
  ["run:\n  envs:\n  - {name: '1 A', value: b}", /^func\.yaml:3: run\.envs\[0\]\.name is "1 A"/],
  ["run: {envs: [{name: A, value: '{{ env:NOPE }}'}]}", /run\.envs\[0\]\.value wants the environment variable NOPE/],
  ["run: {envs: [{name: A, value: '{{ secret:x }}'}]}", /names no key of "x"/],
  ["run: {envs: [{name: A, value: '{{ vault:x }}'}]}", /write \{\{ env:NAME \}\}/],
  ["run: {volumes: [{secret: a}]}", /run\.volumes\[0\] needs an absolute path/],
  ["run: {volumes: [{path: /a}]}", /needs one of secret, configMap/],
])("%j is an error with its place", async (text, message) => {
  await expect(parseFuncYaml(text, {})).rejects.toThrow(SourceError);
  await expect(parseFuncYaml(text, {})).rejects.toThrow(message);
});
