import { expect, test } from "vitest";
import type { Deployment } from "../../api/apps/types.gen.ts";
import { missingOf } from "./wait-for-deployment.ts";

const deployment = (status: object): Deployment =>
  ({ metadata: { name: "ebb-router", generation: 2 }, spec: { replicas: 2 }, status }) as unknown as Deployment;

test.each([
  [{ observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 2 }, "not seen by Kubernetes yet"],
  [{ observedGeneration: 2, replicas: 3, updatedReplicas: 1, availableReplicas: 2 }, "1 of 2 pods are new"],
  [{ observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 1 }, "1 of 2 pods are ready"],
  [{ observedGeneration: 2, replicas: 3, updatedReplicas: 2, availableReplicas: 2 }, "1 old pods are still there"],
  [{ observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2 }, undefined],
])("of %j is missing: %s", (status, missing) => {
  expect(missingOf(deployment(status))).toBe(missing);
});
