import { expect, test } from "vitest";
import type { Revision, Service } from "../../api/serving/types.gen.ts";
import { targetOf } from "./rollback.ts";

const revision = (generation: number, status: "True" | "False"): Revision => ({
  metadata: {
    name: `f-0000${generation}`,
    labels: { "serving.knative.dev/configurationGeneration": String(generation) },
  },
  spec: { containers: [] },
  status: { conditions: [{ type: "Ready", status }] },
});

const serving = (...traffic: readonly (readonly [string, number])[]): Service => ({
  metadata: { name: "f" },
  spec: { template: { spec: { containers: [] } } },
  status: { traffic: traffic.map(([revisionName, percent]) => ({ revisionName, percent })) },
});

const all = [revision(1, "True"), revision(10, "True"), revision(2, "False"), revision(3, "True")];

test("goes to the newest ready revision before the one that serves", () => {
  expect(targetOf(serving(["f-000010", 100]), all, undefined)).toBe("f-00003");
  expect(targetOf(serving(["f-00003", 100]), all, undefined)).toBe("f-00001");
  expect(targetOf(serving(["f-00001", 10], ["f-000010", 90]), all, undefined)).toBe("f-00003");
});

test("says what could be gone to when nothing is older, or the named one cannot serve", () => {
  expect(() => targetOf(serving(["f-00001", 100]), all, undefined)).toThrow(/no ready revision is older than f-00001/);
  expect(() => targetOf(serving(), all, "f-00002")).toThrow(/"f-00002" is not ready; ready are f-000010, f-00003/);
  expect(() => targetOf(serving(), all, "x")).toThrow(/there is no revision "x"/);
  expect(targetOf(serving(), all, "latest")).toBe("latest");
});
