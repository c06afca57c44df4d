import { expect, test } from "vitest";
import type { Pod, PodStatus } from "../../api/core/types.gen.ts";
import { startTrouble } from "./start-trouble.ts";

const pod = (status: object): Pod =>
  ({
    metadata: { name: "warm-1" },
    spec: { containers: [{ name: "user-container", image: "registry.example/ebb" }] },
    status: status as PodStatus,
  }) as Pod;

const container = (state: object, more: object = {}): Pod =>
  pod({ phase: "Pending", containerStatuses: [{ name: "user-container", state, ...more }] });

test.each<[string, Pod, RegExp]>([
  [
    "an image that is not there",
    container({ waiting: { reason: "ErrImagePull", message: "not found" } }),
    /registry\.example\/ebb: ErrImagePull: not found/,
  ],
  [
    "an image that may not be pulled",
    container({ waiting: { reason: "ImagePullBackOff", message: "Back-off: 401 Unauthorized" } }),
    /ImagePullBackOff: Back-off: 401/,
  ],
  [
    "no node with room",
    pod({
      conditions: [
        {
          type: "PodScheduled",
          status: "False",
          reason: "Unschedulable",
          message: "0/1 nodes are available: 1 cordoned",
        },
      ],
    }),
    /^0\/1 nodes are available/,
  ],
  [
    "a host that ends at once",
    container(
      { running: {} },
      { restartCount: 1, lastState: { terminated: { exitCode: 1, message: "no such file" } } },
    ),
    /ended with 1: no such file$/,
  ],
])("%s is told in Kubernetes' words", (_what, stuck, message) => {
  expect(startTrouble(stuck)).toMatch(message);
});

test.each<[string, Pod]>([
  ["has not been looked at", pod({ phase: "Pending" })],
  ["is being created", container({ waiting: { reason: "ContainerCreating" } })],
  ["runs", container({ running: {} })],
  ["waits for its gate", pod({ conditions: [{ type: "PodScheduled", status: "False", reason: "SchedulingGated" }] })],
])("a pod that %s needs time only", (_what, one) => {
  expect(startTrouble(one)).toBeUndefined();
});
