import { expect, test } from "vitest";
import { qosClassOf } from "./qos-class.ts";
import type { ResourceRequirements } from "./types.gen.ts";

const full = { cpu: "1", memory: "1Gi" };

test.each<[string, readonly ResourceRequirements[], string]>([
  ["nothing asked for", [{}, {}], "BestEffort"],
  ["only other resources", [{ requests: { "ephemeral-storage": "1Gi" } }], "BestEffort"],
  ["zero amounts", [{ requests: { cpu: "0" } }], "BestEffort"],
  ["limits alone", [{ limits: full }], "Guaranteed"],
  [
    "requests equal to limits, written otherwise",
    [{ limits: full, requests: { cpu: "1000m", memory: "1024Mi" } }],
    "Guaranteed",
  ],
  ["a lower request", [{ limits: full, requests: { cpu: "500m", memory: "1Gi" } }], "Burstable"],
  ["one container without limits", [{ limits: full }, {}], "Burstable"],
  ["one resource missing", [{ limits: { cpu: "1" } }], "Burstable"],
])("%s", (_, resources, expected) => {
  const containers = resources.map((resource, i) => ({ name: `c${i}`, resources: resource }));
  expect(qosClassOf({ containers })).toBe(expected);
});
