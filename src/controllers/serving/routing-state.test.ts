import { expect, test } from "vitest";
import type { Route } from "../../api/serving/types.gen.ts";
import { configurationPatch, routingPatch } from "./routing-state.ts";

const route = (name: string, ready = "True"): Route => ({
  metadata: { name, generation: 1 },
  spec: {},
  status: { observedGeneration: 1, conditions: [{ type: "Ready", status: ready }] },
});
const metadata = (state: string, ...routes: readonly string[]) => ({
  name: "r",
  labels: { "serving.knative.dev/routingState": state, "serving.knative.dev/service": "hello" },
  ...(routes.length > 0 ? { annotations: { "serving.knative.dev/routes": routes.join(",") } } : {}),
});
const now = Date.UTC(2026, 0, 1);
const facts = (of: ReturnType<typeof metadata>, referring: readonly Route[], known: readonly Route[] = referring) => ({
  metadata: of,
  referring,
  route: (name: string) => known.find((one) => one.metadata.name === name),
});

test("a Revision becomes active with its first Route", () => {
  expect(routingPatch(facts(metadata("pending"), [route("b"), route("a")]), now)).toEqual({
    labels: { "serving.knative.dev/routingState": "active" },
    annotations: {
      "serving.knative.dev/routes": "a,b",
      "serving.knative.dev/routingStateModified": "2026-01-01T00:00:00Z",
    },
  });
});

test("one that no Route ever named waits", () => {
  expect(routingPatch(facts(metadata("pending"), []), now)).toBeUndefined();
});

test("it goes to reserve when the Route that left it has settled, not before", () => {
  const of = metadata("active", "a");
  expect(routingPatch(facts(of, [], [route("a", "Unknown")]), now)).toBeUndefined();
  for (const known of [[route("a")], [route("a", "False")], []])
    expect(routingPatch(facts(of, [], known), now)).toMatchObject({
      labels: { "serving.knative.dev/routingState": "reserve" },
      annotations: { "serving.knative.dev/routes": null },
    });
});

test("nothing is written when nothing changed", () => {
  expect(routingPatch(facts(metadata("active", "a"), [route("a")]), now)).toBeUndefined();
  expect(routingPatch(facts(metadata("reserve"), []), now)).toBeUndefined();
});

test("a Service's Configuration keeps its Service's Route, which may not be there yet", () => {
  expect(configurationPatch(facts(metadata("", "hello"), []))).toBeUndefined();
  expect(configurationPatch(facts(metadata("", "hello", "old"), [route("extra")]))).toEqual({
    annotations: { "serving.knative.dev/routes": "extra,hello" },
  });
});
