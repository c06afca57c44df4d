import { describe, expect, test } from "vitest";
import { autoscalerConfig } from "../autoscaling-internal/config-autoscaler.ts";
import { denialText } from "../meta/webhook-denial.ts";
import { servingDefaults } from "./config-defaults.ts";
import { deploymentConfig } from "./config-deployment.ts";
import { servingFeatures } from "./config-features.ts";
import { checkServingConfigMap } from "./config-maps.ts";
import { networkConfig } from "./config-network.ts";

const denial = (name: string, data: Record<string, string>): string =>
  denialText(checkServingConfigMap({ metadata: { name, namespace: "knative-serving" }, data }));

test.each([
  ["config-autoscaler", { "max-scale-up-rate": "1" }, "max-scale-up-rate = 1, must be greater than 1.0"],
  ["config-autoscaler", { "stable-window": "5s" }, "stable-window = 5s, must be in [6s; 1h0m0s] range"],
  [
    "config-autoscaler",
    { "stable-window": "6500ms" },
    "stable-window = 6.5s, must be specified with at most second precision",
  ],
  [
    "config-autoscaler",
    { "scale-to-zero-grace-period": "-1s" },
    "scale-to-zero-grace-period must be positive, was: -1s",
  ],
  [
    "config-autoscaler",
    { "initial-scale": "0" },
    "initial-scale = 0, must be at least 0 (or at least 1 when allow-zero-initial-scale is false)",
  ],
  ["config-autoscaler", { "max-scale-limit": "5" }, "max-scale = 0, must be in [1, max-scale-limit(5)] range"],
  ["config-autoscaler", { "min-scale": "3", "max-scale": "2" }, "min-scale (3) must be less than max-scale (2)"],
  [
    "config-autoscaler",
    { "panic-window-percentage": "lots" },
    'failed to parse "panic-window-percentage": "lots" is not a number',
  ],
  [
    "config-defaults",
    { "revision-timeout-seconds": "700" },
    "revision-timeout-seconds (700) cannot be greater than max-revision-timeout-seconds (600)",
  ],
  ["config-defaults", { "container-concurrency": "2000" }, "expected 0 <= 2000 <= 1000: container-concurrency"],
  [
    "config-defaults",
    { "revision-cpu-request": "much" },
    'failed to parse "revision-cpu-request": "much" is not a quantity',
  ],
  [
    "config-deployment",
    { "progress-deadline": "1500ms" },
    "progress-deadline must be rounded to a whole second, was: 1.5s",
  ],
  [
    "config-gc",
    { "min-non-active-revisions": "5", "max-non-active-revisions": "2" },
    "min-non-active-revisions(5) must be <= max-non-active-revisions(2)",
  ],
  [
    "config-network",
    { "domain-template": "{{.Name" },
    'failed to parse "domain-template": unclosed action in "{{.Name"',
  ],
  [
    "config-network",
    { "http-protocol": "maybe" },
    'http-protocol "maybe" is not supported: want "Enabled" or "Redirected"',
  ],
])("refuses %s with %j", (name, data, text) => {
  expect(denial(name, data).split("\n")).toContain(text);
});

test("leaves alone what is not Serving's", () => {
  const data = { "stable-window": "never" };
  expect(checkServingConfigMap({ metadata: { name: "config-autoscaler", namespace: "default" }, data })).toEqual([]);
  expect(checkServingConfigMap({ metadata: { name: "other", namespace: "knative-serving" }, data })).toEqual([]);
});

describe("what is read", () => {
  test("is the default where nothing is said, and everything where the map cannot be used", () => {
    expect(autoscalerConfig({})).toMatchObject({
      stableWindowMs: 60_000,
      targetUtilization: 0.7,
      targetBurstCapacity: 211,
    });
    expect(autoscalerConfig({ "stable-window": "never", "min-scale": "3" })).toEqual(autoscalerConfig({}));
  });

  test("takes a target share as percentage or fraction", () => {
    expect(autoscalerConfig({ "container-concurrency-target-percentage": "80" }).targetUtilization).toBe(0.8);
    expect(autoscalerConfig({ "container-concurrency-target-percentage": "0.5" }).targetUtilization).toBe(0.5);
  });

  test("follows the whole time-out where the response's start has none of its own", () => {
    expect(servingDefaults({ "revision-timeout-seconds": "20" }).responseStartTimeoutSeconds).toBe(20);
  });

  test("knows flags in any case and ignores words that are none", () => {
    const features = servingFeatures({ "kubernetes.podspec-nodeselector": "enabled", "multi-container": "nonsense" });
    expect(features("kubernetes.podspec-nodeselector")).toBe("Enabled");
    expect(features("multi-container")).toBe("Enabled");
    expect(features("kubernetes.podspec-tolerations")).toBe("Disabled");
  });

  test("accepts the older spellings", () => {
    expect(
      deploymentConfig({ progressDeadline: "30s", registriesSkippingTagResolving: "a.test, b.test" }),
    ).toMatchObject({
      progressDeadlineS: 30,
      skipTagResolving: new Set(["a.test", "b.test"]),
    });
  });

  test("fills templates with labels and annotations", () => {
    const { domainTemplate } = networkConfig({
      "domain-template": '{{.Name}}-{{index .Annotations "sub"}}.{{.Labels.team}}.{{.Domain}}',
    });
    const values = { Name: "hello", Domain: "example.com", Annotations: { sub: "x" }, Labels: { team: "a" } };
    expect(domainTemplate(values)).toBe("hello-x.a.example.com");
  });
});
