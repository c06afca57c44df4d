import { expect, test } from "vitest";
import { isApiError } from "../../api/meta/errors.ts";
import { schemaOf } from "../../api/schemas.ts";
import { strategicMergePatch } from "./strategic-merge.ts";

const pod = schemaOf("core.v1.Pod");
const deployment = schemaOf("apps.v1.Deployment");

const containers = (...names: string[]): { name: string; image: string }[] =>
  names.map((name) => ({ name, image: `${name}:1` }));
const podWith = (...names: string[]): Record<string, unknown> => ({ spec: { containers: containers(...names) } });
const namesOf = (object: Record<string, unknown>): string[] =>
  ((object["spec"] as Record<string, unknown>)["containers"] as { name: string }[]).map(({ name }) => name);

function codeOf(run: () => unknown): number | undefined {
  try {
    run();
  } catch (error) {
    if (isApiError(error)) return error.code;
    throw error;
  }
  return undefined;
}

test("objects merge, null removes and scalars replace", () => {
  const live = { metadata: { labels: { a: "1", b: "2" } }, spec: { nodeName: "n" } };
  const patch = { metadata: { labels: { a: null, c: "3" } }, spec: { nodeName: "m" } };
  expect(strategicMergePatch(live, patch, pod)).toEqual({
    metadata: { labels: { b: "2", c: "3" } },
    spec: { nodeName: "m" },
  });
});

test("a list with a merge key is patched item by item", () => {
  const patch = { spec: { containers: [{ name: "b", image: "b:2" }] } };
  expect(strategicMergePatch(podWith("a", "b"), patch, pod)).toEqual({
    spec: {
      containers: [
        { name: "a", image: "a:1" },
        { name: "b", image: "b:2" },
      ],
    },
  });
});

test("lists inside an item merge by their own keys", () => {
  const live = { spec: { containers: [{ name: "a", env: [{ name: "X", value: "1" }], command: ["old", "one"] }] } };
  const patch = { spec: { containers: [{ name: "a", env: [{ name: "Y", value: "2" }], command: ["new"] }] } };
  expect(strategicMergePatch(live, patch, pod)).toEqual({
    spec: {
      containers: [
        {
          name: "a",
          env: [
            { name: "Y", value: "2" },
            { name: "X", value: "1" },
          ],
          command: ["new"],
        },
      ],
    },
  });
});

test("of two live items with one key the first is patched", () => {
  const service = schemaOf("core.v1.Service");
  const live = {
    spec: {
      ports: [
        { port: 53, protocol: "TCP" },
        { port: 53, protocol: "UDP" },
      ],
    },
  };
  const patch = { spec: { ports: [{ port: 53, name: "dns" }] } };
  expect(strategicMergePatch(live, patch, service)).toEqual({
    spec: {
      ports: [
        { port: 53, protocol: "TCP", name: "dns" },
        { port: 53, protocol: "UDP" },
      ],
    },
  });
});

test.each([
  ["a new item goes ahead of the live ones", ["a", "b"], ["c"], undefined, "c a b"],
  ["live items not named stay before the item they stood before", ["a", "b", "c"], [], ["c", "b"], "a c b"],
  ["the named order wins over the live one", ["a", "b", "c"], [], ["c", "a", "b"], "c a b"],
  ["a live item after every named one goes last", ["a", "b", "z"], [], ["b", "a"], "b a z"],
  ["a new item takes its named place", ["a", "c"], ["b"], ["a", "b", "c"], "a b c"],
])("%s", (_name, live, patched, order, expected) => {
  const patch = {
    spec: {
      ...(order ? { "$setElementOrder/containers": order.map((name) => ({ name })) } : {}),
      ...(patched.length > 0 ? { containers: containers(...patched) } : {}),
    },
  };
  expect(namesOf(strategicMergePatch(podWith(...live), patch, pod)).join(" ")).toBe(expected);
});

test("$patch: delete removes an item, also beside its order", () => {
  const patch = {
    spec: {
      "$setElementOrder/containers": [{ name: "b" }],
      containers: [{ name: "a", $patch: "delete" }],
    },
  };
  expect(namesOf(strategicMergePatch(podWith("a", "b"), patch, pod))).toEqual(["b"]);
});

test("$patch: replace in a list makes the other elements the whole list", () => {
  const patch = { spec: { containers: [{ $patch: "replace" }, { name: "c", image: "c:1" }] } };
  expect(namesOf(strategicMergePatch(podWith("a", "b"), patch, pod))).toEqual(["c"]);
});

test("$patch in a map replaces or empties it", () => {
  const live = { metadata: { labels: { a: "1" } } };
  const replaced = strategicMergePatch(live, { metadata: { labels: { $patch: "replace", b: "2" } } }, pod);
  expect(replaced).toEqual({ metadata: { labels: { b: "2" } } });
  const emptied = strategicMergePatch(live, { metadata: { labels: { $patch: "delete" } } }, pod);
  expect(emptied).toEqual({ metadata: { labels: {} } });
});

test("finalizers are a set: added, kept and deleted by value", () => {
  const live = { metadata: { finalizers: ["a", "b"] } };
  const added = strategicMergePatch(live, { metadata: { finalizers: ["c", "a"] } }, pod);
  expect((added["metadata"] as { finalizers: string[] }).finalizers.toSorted()).toEqual(["a", "b", "c"]);
  const patch = { metadata: { "$deleteFromPrimitiveList/finalizers": ["a"], "$setElementOrder/finalizers": ["b"] } };
  expect(strategicMergePatch(live, patch, pod)).toEqual({ metadata: { finalizers: ["b"] } });
});

test("$retainKeys drops the other members: a strategy changed from RollingUpdate to Recreate", () => {
  const live = { spec: { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } } } };
  const patch = { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } };
  expect(strategicMergePatch(live, patch, deployment)).toEqual({ spec: { strategy: { type: "Recreate" } } });
});

test("directives in a value the live object lacks leave no trace", () => {
  const patch = {
    spec: {
      "$setElementOrder/containers": [{ name: "a" }],
      containers: [{ name: "a", "$setElementOrder/env": [{ name: "X" }], env: [{ name: "X", value: null }] }],
      strategy: { $retainKeys: ["type"], type: "Recreate" },
    },
  };
  expect(strategicMergePatch({}, patch, pod)).toEqual({
    spec: { containers: [{ name: "a", env: [{ name: "X" }] }], strategy: { type: "Recreate" } },
  });
});

test.each([
  ["an unknown directive", { spec: { $patch: "merge" } }],
  ["an unknown directive in an item", { spec: { containers: [{ name: "a", $patch: "merge" }] } }],
  ["an item without the merge key", { spec: { containers: [{ image: "x" }] } }],
  [
    "an order that lacks a patched item",
    { spec: { "$setElementOrder/containers": [{ name: "b" }], containers: [{ name: "a" }] } },
  ],
  ["retainKeys that lack a patched field", { spec: { $retainKeys: ["a"], b: 1 } }],
  ["retainKeys that are no list", { spec: { $retainKeys: "a" } }],
])("%s answers 400", (_name, patch) => {
  expect(codeOf(() => strategicMergePatch(podWith("a", "b"), patch, pod))).toBe(400);
});

test("neither the live object nor the patch is changed or shared", () => {
  const live = podWith("a");
  const patch = { spec: { containers: containers("b") } };
  const before = JSON.stringify([live, patch]);
  const merged = strategicMergePatch(live, patch, pod);
  for (const item of (merged["spec"] as { containers: { image: string }[] }).containers) item.image = "changed";
  expect(JSON.stringify([live, patch])).toBe(before);
});
