import { afterEach, beforeEach, expect, test } from "vitest";
import { KIngressKind } from "../../src/api/networking-internal/kinds.ts";
import { servingKeys } from "../../src/api/serving/keys.ts";
import { RouteKind } from "../../src/api/serving/kinds.ts";
import { ManualClock } from "../../src/client/manual-clock.ts";
import { condition, createServingPlane, namespace, type ServingPlane } from "./serving-plane.ts";

let plane: ServingPlane;
let clock: ManualClock;
beforeEach(async () => {
  clock = new ManualClock();
  plane = await createServingPlane({ clock });
});
afterEach(async () => {
  await plane.close();
});

const deploy = (version: number) =>
  plane.apply("hello", (service) => ({
    metadata: { ...service.metadata, annotations: { [servingKeys.rolloutDuration]: "10s" } },
    spec: { template: { spec: { containers: [{ image: `dev.local/hello:${version}` }] } } },
  }));

const shares = async () => {
  const { spec } = await plane.api.get(KIngressKind, { namespace, name: "hello" });
  return spec.rules?.[0]?.http?.paths[0]?.splits.map((split) => `${split.serviceName} ${split.percent}`);
};
const sharesAre = (...wanted: readonly string[]) =>
  plane.until(shares, (found) => JSON.stringify(found) === JSON.stringify(wanted), wanted.join(", "));

test("a new Revision takes the traffic over step by step, and its Service is ready at the end", async () => {
  await deploy(1);
  await plane.ready("hello");
  expect(await shares()).toEqual(["hello-00001 100"]);
  await deploy(2);
  await sharesAre("hello-00001 99", "hello-00002 1");
  const route = await plane.until(
    () => plane.api.get(RouteKind, { namespace, name: "hello" }),
    (found) => condition(found, "IngressReady") === "Unknown RolloutInProgress",
    "the rollout to be told",
  );
  expect(route.status?.traffic).toEqual([
    { revisionName: "hello-00001", latestRevision: true, percent: 99 },
    { revisionName: "hello-00002", latestRevision: true, percent: 1 },
  ]);
  // Confirmed within the first second: 11 % a second for the nine that are left.
  for (let share = 12; share < 100; share += 11) {
    await clock.advance(1_000);
    await sharesAre(`hello-00001 ${100 - share}`, `hello-00002 ${share}`);
  }
  await clock.advance(1_000);
  await sharesAre("hello-00002 100");
  const service = await plane.ready("hello");
  expect(service.status?.traffic).toEqual([{ revisionName: "hello-00002", latestRevision: true, percent: 100 }]);
});
