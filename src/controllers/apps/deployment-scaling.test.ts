import { expect, test } from "vitest";
import type { Deployment, ReplicaSet } from "../../api/apps/types.gen.ts";
import { desiredReplicasAnnotation, maxReplicasAnnotation, type DeploymentSets } from "./deployment-replica-sets.ts";
import { isScalingEvent, rollingUpdateStep, scalingStep, type SizeChange } from "./deployment-scaling.ts";

interface Sizes {
  readonly replicas: number;
  readonly maxSurge?: number | string;
  readonly maxUnavailable?: number | string;
  readonly type?: string;
}

const deployment = ({
  replicas,
  maxSurge = "25%",
  maxUnavailable = "25%",
  type = "RollingUpdate",
}: Sizes): Deployment => ({
  metadata: { name: "web", namespace: "default" },
  spec: {
    replicas,
    selector: { matchLabels: { app: "web" } },
    template: { spec: { containers: [] } },
    strategy: type === "Recreate" ? { type } : { type, rollingUpdate: { maxSurge, maxUnavailable } },
  },
});

let age = 0;
/** A set of `spec` replicas of which `available` are; made for a Deployment of `of` with `surge` when given. */
function set(name: string, spec: number, available = spec, made?: { of: number; surge: number }): ReplicaSet {
  const annotations = made
    ? { [desiredReplicasAnnotation]: String(made.of), [maxReplicasAnnotation]: String(made.of + made.surge) }
    : {};
  return {
    metadata: { name, creationTimestamp: `2026-01-01T00:00:${String(age++ % 60).padStart(2, "0")}Z`, annotations },
    spec: { replicas: spec, selector: {}, template: { spec: { containers: [] } } },
    status: { replicas: spec, availableReplicas: available },
  };
}

const sets = (newSet: ReplicaSet | undefined, ...oldSets: readonly ReplicaSet[]): DeploymentSets => ({
  newSet,
  oldSets,
});
const sizes = (changes: readonly SizeChange[]): Record<string, number> =>
  Object.fromEntries(changes.map(({ set, replicas }) => [set.metadata.name, replicas]));

test("a rollout starts by growing the new set into the surge", () => {
  expect(sizes(rollingUpdateStep(deployment({ replicas: 10 }), sets(set("new", 0), set("old", 10))))).toEqual({
    new: 3,
  });
});

test("old replicas go once the new set cannot grow, as far as the minimum allows", () => {
  // 10 wanted, surge 3, unavailable 2: 13 in all, 8 must stay; none of the 3 new ones is available yet.
  const step = rollingUpdateStep(deployment({ replicas: 10 }), sets(set("new", 3, 0), set("old", 10)));
  expect(sizes(step)).toEqual({ old: 8 });
});

test("each new replica that became available lets one more old one go", () => {
  const step = rollingUpdateStep(deployment({ replicas: 10 }), sets(set("new", 5, 3), set("old", 8)));
  expect(sizes(step)).toEqual({ old: 5 });
});

test("unhealthy old replicas go first, whatever set they are in", () => {
  const sick = set("sick", 4, 0);
  const step = rollingUpdateStep(deployment({ replicas: 10 }), sets(set("new", 1, 1), set("old", 8), sick));
  expect(sizes(step)).toEqual({ sick: 0, old: 7 });
});

test("without surge the step down comes first", () => {
  const given = deployment({ replicas: 4, maxSurge: 0, maxUnavailable: 1 });
  expect(sizes(rollingUpdateStep(given, sets(set("new", 0), set("old", 4))))).toEqual({ old: 3 });
  expect(sizes(rollingUpdateStep(given, sets(set("new", 0), set("old", 3))))).toEqual({ new: 1 });
});

test("surge and unavailable both zero still move: one may be unavailable", () => {
  const given = deployment({ replicas: 3, maxSurge: 0, maxUnavailable: "10%" });
  expect(sizes(rollingUpdateStep(given, sets(set("new", 0), set("old", 3))))).toEqual({ old: 2 });
});

test("a finished rollout asks for nothing", () => {
  expect(rollingUpdateStep(deployment({ replicas: 3 }), sets(set("new", 3), set("old", 0)))).toEqual([]);
});

test("scaling in the middle of a rollout is in proportion: 10 to 15 with surge 3 makes 8 + 5 into 11 + 7", () => {
  const made = { of: 10, surge: 3 };
  const given = sets(set("new", 5, 5, made), set("old", 8, 8, made));
  const wanted = deployment({ replicas: 15, maxSurge: 3, maxUnavailable: 2 });
  expect(isScalingEvent(wanted, given)).toBe(true);
  expect(sizes(scalingStep(wanted, given))).toEqual({ old: 11, new: 7 });
});

test("what rounding leaves over goes to the largest set", () => {
  const made = { of: 10, surge: 0 };
  const given = sets(set("new", 3, 3, made), set("b", 3, 3, made), set("a", 4, 4, made));
  const wanted = deployment({ replicas: 11, maxSurge: 0, maxUnavailable: 1 });
  const changed = sizes(scalingStep(wanted, given));
  expect(Object.values(changed).reduce((a, b) => a + b, 0)).toBe(11);
  expect(changed).toEqual({ a: 5, new: 3, b: 3 });
});

test("scaling to zero in the middle of a rollout empties every set", () => {
  const made = { of: 10, surge: 3 };
  const given = sets(set("new", 5, 5, made), set("old", 8, 8, made));
  expect(sizes(scalingStep(deployment({ replicas: 0 }), given))).toEqual({ old: 0, new: 0 });
});

test("a single active set takes the new size whole", () => {
  const given = sets(set("new", 3, 3, { of: 3, surge: 1 }), set("old", 0, 0, { of: 3, surge: 1 }));
  expect(sizes(scalingStep(deployment({ replicas: 7 }), given))).toEqual({ new: 7 });
});

test("a complete new set makes the old ones go", () => {
  const given = sets(set("new", 4, 4, { of: 4, surge: 1 }), set("old", 2, 2, { of: 5, surge: 1 }));
  expect(sizes(scalingStep(deployment({ replicas: 4 }), given))).toEqual({ old: 0 });
});

test("sets annotated with the current size are no scaling event", () => {
  const given = sets(set("new", 1, 1, { of: 4, surge: 1 }), set("old", 0, 0, { of: 9, surge: 1 }));
  expect(isScalingEvent(deployment({ replicas: 4 }), given)).toBe(false);
});
