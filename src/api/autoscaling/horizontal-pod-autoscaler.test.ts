import { describe, expect, test } from "vitest";
import type { WriteContext } from "../meta/definition.ts";
import type { Mutable } from "../meta/object.ts";
import { fromV1, toV1 } from "./horizontal-pod-autoscaler-v1.ts";
import { horizontalPodAutoscalerDefinition } from "./horizontal-pod-autoscaler.ts";
import { metricsCell } from "./hpa-metrics-cell.ts";
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec, MetricSpec, MetricStatus } from "./types.gen.ts";

const context: WriteContext = { operation: "create", user: { name: "t", groups: [] }, now: 0, configMap: () => ({}) };
const base: HorizontalPodAutoscalerSpec = { scaleTargetRef: { kind: "Deployment", name: "web" }, maxReplicas: 3 };

function defaulted(spec: HorizontalPodAutoscalerSpec): HorizontalPodAutoscalerSpec {
  const hpa = structuredClone({ metadata: { name: "h" }, spec }) as Mutable<HorizontalPodAutoscaler>;
  horizontalPodAutoscalerDefinition.applyDefaults?.(hpa, context);
  return hpa.spec as HorizontalPodAutoscalerSpec;
}

const cpu = (averageUtilization: number): MetricSpec => ({
  type: "Resource",
  resource: { name: "cpu", target: { type: "Utilization", averageUtilization } },
});
const memory: MetricSpec = {
  type: "Resource",
  resource: { name: "memory", target: { type: "AverageValue", averageValue: "100Mi" } },
};
const external = (target: { value?: string; averageValue?: string }): MetricSpec => ({
  type: "External",
  external: { metric: { name: "q" }, target: { type: target.value ? "Value" : "AverageValue", ...target } },
});
const pods: MetricSpec = {
  type: "Pods",
  pods: { metric: { name: "m" }, target: { type: "AverageValue", averageValue: "10" } },
};

describe("defaults", () => {
  test("80 % of the cpu and one replica, without a behavior of its own", () => {
    expect(defaulted(base)).toEqual({ ...base, minReplicas: 1, metrics: [cpu(80)] });
  });

  test("a behavior is completed, and its window down stays open", () => {
    expect(defaulted({ ...base, behavior: { scaleUp: { stabilizationWindowSeconds: 60 } } }).behavior).toEqual({
      scaleUp: {
        stabilizationWindowSeconds: 60,
        selectPolicy: "Max",
        policies: [
          { type: "Pods", value: 4, periodSeconds: 15 },
          { type: "Percent", value: 100, periodSeconds: 15 },
        ],
      },
      scaleDown: { selectPolicy: "Max", policies: [{ type: "Percent", value: 100, periodSeconds: 15 }] },
    });
  });
});

describe("targets", () => {
  test.each<[readonly MetricSpec[], readonly MetricStatus[], string]>([
    [[], [], "<none>"],
    [[cpu(80)], [], "cpu: <unknown>/80%"],
    [[cpu(80)], [{ type: "Resource", resource: { name: "cpu", current: { averageUtilization: 10 } } }], "cpu: 10%/80%"],
    [
      [memory],
      [{ type: "Resource", resource: { name: "memory", current: { averageValue: "52428800" } } }],
      "memory: 52428800/100Mi",
    ],
    [[external({ averageValue: "5" })], [], "<unknown>/5 (avg)"],
    [
      [external({ value: "5" })],
      [{ type: "External", external: { metric: { name: "q" }, current: { value: "7500m" } } }],
      "7500m/5",
    ],
    [[pods], [{ type: "Pods", pods: { metric: { name: "m" }, current: { averageValue: "3" } } }], "3/10"],
    [[cpu(80), external({ averageValue: "5" }), pods], [], "cpu: <unknown>/80%, <unknown>/5 (avg) + 1 more..."],
    [
      [
        {
          type: "ContainerResource",
          containerResource: { name: "cpu", container: "c", target: { type: "Utilization", averageUtilization: 50 } },
        },
      ],
      [],
      "cpu: <unknown>/50%",
    ],
  ])("%j of %j", (metrics, currentMetrics, expected) => {
    const status = { desiredReplicas: 1, currentMetrics };
    expect(metricsCell({ metadata: { name: "h" }, spec: { ...base, metrics }, status })).toBe(expected);
  });
});

describe("autoscaling/v1", () => {
  const v2: HorizontalPodAutoscaler = {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { name: "h", annotations: { own: "x" } },
    spec: {
      ...base,
      minReplicas: 1,
      metrics: [cpu(80), memory],
      behavior: { scaleDown: { selectPolicy: "Disabled" } },
    },
    status: {
      currentReplicas: 2,
      desiredReplicas: 3,
      currentMetrics: [{ type: "Resource", resource: { name: "cpu", current: { averageUtilization: 70 } } }],
      conditions: [{ type: "AbleToScale", status: "True" }],
    },
  };

  test("shows the cpu target as a field and carries the rest in annotations", () => {
    const v1 = toV1(v2);
    expect(v1.spec).toEqual({ ...base, minReplicas: 1, targetCPUUtilizationPercentage: 80 });
    expect(v1.status).toEqual({ currentReplicas: 2, desiredReplicas: 3, currentCPUUtilizationPercentage: 70 });
    expect(Object.keys(v1.metadata.annotations ?? {}).sort()).toEqual([
      "autoscaling.alpha.kubernetes.io/behavior",
      "autoscaling.alpha.kubernetes.io/conditions",
      "autoscaling.alpha.kubernetes.io/current-metrics",
      "autoscaling.alpha.kubernetes.io/metrics",
      "own",
    ]);
  });

  test("nothing is lost on the way there and back", () => {
    expect(fromV1(toV1(v2))).toEqual(v2);
    const plain = { ...v2, metadata: { name: "h" }, spec: { ...base, metrics: [cpu(50)] } };
    expect(fromV1(toV1(plain))).toEqual(plain);
  });

  test.each(["5", "null", "{}", "[1]"])("an annotation that holds %s brings no metrics", (text) => {
    const metadata = { name: "h", annotations: { "autoscaling.alpha.kubernetes.io/metrics": text } };
    expect(fromV1({ metadata, spec: base }).spec).toEqual(base);
  });

  test("an object without a spec turns into one that is found wanting", () => {
    const empty = fromV1({ metadata: { name: "h" } } as Parameters<
      typeof fromV1
    >[0]) as Mutable<HorizontalPodAutoscaler>;
    horizontalPodAutoscalerDefinition.applyDefaults?.(empty, context);
    const errors = horizontalPodAutoscalerDefinition.validate?.(empty as HorizontalPodAutoscaler, undefined, context);
    expect(errors?.map(({ field }) => field)).toContain("spec.scaleTargetRef.kind");
  });

  test("an annotation that is no JSON stays an annotation", () => {
    const metadata = { name: "h", annotations: { "autoscaling.alpha.kubernetes.io/metrics": "{" } };
    expect(fromV1({ metadata, spec: base }).metadata).toEqual(metadata);
  });
});
