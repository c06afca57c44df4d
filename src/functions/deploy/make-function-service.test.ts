import { expect, test } from "vitest";
import { makeFunctionService, mergeSettings, secretsOf, settingsOfModel } from "./make-function-service.ts";

const base = { name: "hello", namespace: "default", image: "dev.local/default/hello@sha256:1" };

test("a plain function's Service holds its image and nothing else", () => {
  expect(makeFunctionService(base)).toEqual({
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name: "hello", namespace: "default" },
    spec: { template: { spec: { containers: [{ name: "user-container", image: base.image }] } } },
  });
});

test("scale, limits, secrets, volumes and probes go where Knative reads them", () => {
  const service = makeFunctionService({
    ...base,
    minScale: 0,
    maxScale: 3,
    metric: "rps",
    target: 50,
    concurrency: 2,
    timeoutSeconds: 10,
    limits: { memory: "64Mi" },
    env: [{ name: "T", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }],
    volumes: [{ path: "/v", source: { configMap: { name: "c" } } }],
    readiness: "/ok",
  });
  expect(service).toMatchObject({
    spec: {
      template: {
        metadata: {
          annotations: {
            "autoscaling.knative.dev/min-scale": "0",
            "autoscaling.knative.dev/max-scale": "3",
            "autoscaling.knative.dev/metric": "rps",
            "autoscaling.knative.dev/target": "50",
          },
        },
        spec: {
          containerConcurrency: 2,
          timeoutSeconds: 10,
          volumes: [{ name: "volume-0", configMap: { name: "c" } }],
          containers: [
            {
              env: [{ name: "T", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }],
              resources: { limits: { memory: "64Mi" } },
              volumeMounts: [{ name: "volume-0", mountPath: "/v" }],
              readinessProbe: { httpGet: { path: "/ok" } },
            },
          ],
        },
      },
    },
  });
});

test("annotations go to the template, to the Service or to both by whom they are for", () => {
  const service = makeFunctionService({
    ...base,
    annotations: { "autoscaling.knative.dev/window": "10s", "serving.knative.dev/rollout-duration": "5s", team: "a" },
  });
  expect(service).toMatchObject({
    metadata: { annotations: { "serving.knative.dev/rollout-duration": "5s", team: "a" } },
    spec: { template: { metadata: { annotations: { "autoscaling.knative.dev/window": "10s", team: "a" } } } },
  });
  expect(service["metadata"]).not.toHaveProperty(["annotations", "autoscaling.knative.dev/window"]);
});

test("Lambda functions are given one call at a time, or as many as they say; flags win over that", () => {
  const env = [{ name: "AWS_LAMBDA_MAX_CONCURRENCY", value: "5" }];
  expect(settingsOfModel("lambda", {})).toEqual({ concurrency: 1 });
  expect(settingsOfModel("lambda-runtime", { env })).toEqual({ concurrency: 5 });
  expect(settingsOfModel("fetch", { env })).toEqual({});
  expect(mergeSettings(settingsOfModel("lambda", {}), { concurrency: 9 })).toMatchObject({ concurrency: 9 });
});

test("flags win over files, variable by variable", () => {
  const merged = mergeSettings(
    {
      env: [
        { name: "A", value: "file" },
        { name: "B", value: "file" },
      ],
      minScale: 1,
      limits: { cpu: "1" },
    },
    { env: [{ name: "B", value: "flag" }], minScale: 0, limits: { memory: "1Gi" } },
  );
  expect(merged).toEqual({
    env: [
      { name: "A", value: "file" },
      { name: "B", value: "flag" },
    ],
    minScale: 0,
    limits: { cpu: "1", memory: "1Gi" },
  });
});

test("the secrets a function needs are known before it is deployed", () => {
  const env = [
    { name: "A", valueFrom: { secretKeyRef: { name: "s", key: "a" } } },
    { name: "B", valueFrom: { secretKeyRef: { name: "s", key: "b" } } },
  ];
  const secrets = secretsOf({ env, envFrom: [{ secretRef: { name: "whole" } }] });
  expect([...secrets]).toEqual([
    ["s", ["a", "b"]],
    ["whole", []],
  ]);
});
