import { expect, test } from "vitest";
import type { Deployment } from "../../api/apps/types.gen.ts";
import type { Revision } from "../../api/serving/types.gen.ts";
import { makePodAutoscaler, syncedAnnotations } from "./make-pod-autoscaler.ts";

const revision = (state: string, resources = "True"): Revision => ({
  metadata: { name: "r", namespace: "default", uid: "u", labels: { "serving.knative.dev/routingState": state } },
  spec: {
    containers: [{ name: "c", image: "i", ports: [{ containerPort: 1, name: "h2c" }] }],
    containerConcurrency: 7,
  },
  status: { conditions: [{ type: "ResourcesAvailable", status: resources }] },
});
const deployment = (replicas: number, readyReplicas: number) =>
  ({ metadata: { name: "d" }, spec: { replicas }, status: { readyReplicas } }) as Deployment;

test("passes on concurrency, protocol and what to scale", () => {
  expect(makePodAutoscaler(revision("active"), undefined).spec).toEqual({
    containerConcurrency: 7,
    protocolType: "h2c",
    reachability: "Reachable",
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "r-deployment" },
  });
});

test.each([
  ["active", "True", 1, 0, "Reachable"],
  ["reserve", "True", 1, 1, "Unreachable"],
  ["pending", "True", 1, 0, undefined],
  ["active", "False", 1, 0, "Unreachable"],
  ["active", "False", 1, 1, "Reachable"],
  ["active", "False", 0, 0, "Reachable"],
])("in routing state %s with resources %s, %i wanted and %i ready", (state, resources, wanted, ready, reachability) => {
  const { spec } = makePodAutoscaler(revision(state, resources), deployment(wanted, ready));
  expect(spec.reachability).toBe(reachability);
});

test("takes changed and removed scaling annotations over, and leaves the rest", () => {
  const have = {
    "autoscaling.knative.dev/class": "kpa.autoscaling.knative.dev",
    "autoscaling.knative.dev/metric": "concurrency",
    "autoscaling.knative.dev/min-scale": "1",
    "autoscaling.knative.dev/window": "60s",
    "ebb/last-decision": "{}",
  };
  expect(syncedAnnotations(have, { "autoscaling.knative.dev/min-scale": "2" })).toEqual({
    "autoscaling.knative.dev/class": "kpa.autoscaling.knative.dev",
    "autoscaling.knative.dev/metric": "concurrency",
    "autoscaling.knative.dev/min-scale": "2",
    "ebb/last-decision": "{}",
  });
});
