/** Laws that hold whatever the objects: checked on random pods. */
import { assert, constantFrom, dictionary, property, record, uniqueArray, type Arbitrary } from "fast-check";
import { expect, test } from "vitest";
import { schemaOf } from "../../api/schemas.ts";
import { serverSideApply } from "../apply/server-side-apply.ts";
import { jsonEqual, type JsonObject } from "../schema/json-value.ts";
import { pruneUnknownFields } from "../schema/unknown-fields.ts";
import { mergePatch } from "./merge-patch.ts";
import { strategicMergePatch } from "./strategic-merge.ts";

const pod = schemaOf("core.v1.Pod");
const name = constantFrom("a", "b", "c", "d");
const value = constantFrom("1", "2", "3");

const env = uniqueArray(record({ name, value }), { selector: (item) => item.name, maxLength: 3 });
const container = record({ name, image: value, env, args: uniqueArray(value) }, { requiredKeys: ["name"] });
const containers = uniqueArray(container, { selector: (item) => item.name, minLength: 1, maxLength: 4 });
const arbitraryPod: Arbitrary<JsonObject> = record({
  metadata: record({ labels: dictionary(name, value, { noNullPrototype: true }), finalizers: uniqueArray(name) }),
  spec: record({ containers, nodeName: value }, { requiredKeys: ["containers"] }),
}) as Arbitrary<JsonObject>;

type Named = { readonly name: string };
const containersOf = (object: JsonObject): Named[] => (object["spec"] as { containers: Named[] }).containers;
const namesOf = (object: JsonObject): string[] => containersOf(object).map((item) => item.name);
const noNulls = (text: string): boolean => !text.includes("null");

test("patching with nothing changes nothing", () => {
  assert(
    property(arbitraryPod, (object) => {
      expect(strategicMergePatch(object, {}, pod)).toEqual(object);
      expect(mergePatch(object, {})).toEqual(object);
    }),
  );
});

test("patching an object with itself changes nothing", () => {
  assert(
    property(arbitraryPod, (object) => {
      expect(strategicMergePatch(object, object, pod)).toEqual(object);
      expect(mergePatch(object, object)).toEqual(object);
    }),
  );
});

test("a patch applied twice is a patch applied once", () => {
  assert(
    property(arbitraryPod, arbitraryPod, (object, patch) => {
      const once = strategicMergePatch(object, patch, pod);
      expect(strategicMergePatch(once, patch, pod)).toEqual(once);
      const merged = mergePatch(object, patch);
      expect(mergePatch(merged, patch)).toEqual(merged);
    }),
  );
});

test("after a strategic merge every item of both is there once, and none has a directive or a null", () => {
  assert(
    property(arbitraryPod, arbitraryPod, (object, patch) => {
      const merged = strategicMergePatch(object, patch, pod);
      const names = namesOf(merged);
      expect(new Set(names)).toEqual(new Set([...namesOf(object), ...namesOf(patch)]));
      expect(new Set(names).size).toBe(names.length);
      expect(JSON.stringify(merged)).not.toContain("$");
      expect(noNulls(JSON.stringify(merged))).toBe(true);
    }),
  );
});

test("the order asked for is the order that comes out", () => {
  assert(
    property(arbitraryPod, arbitraryPod, (object, patch) => {
      const order = [...new Set([...namesOf(patch), ...namesOf(object)])];
      const ordered = {
        spec: {
          "$setElementOrder/containers": order.map((item) => ({ name: item })),
          containers: containersOf(patch),
        },
      };
      expect(namesOf(strategicMergePatch(object, ordered, pod))).toEqual(order);
    }),
  );
});

test("pruning a pruned object removes nothing", () => {
  assert(
    property(arbitraryPod, name, (object, key) => {
      const dirty = { ...structuredClone(object), [`x-${key}`]: { deep: 1 } };
      expect(pruneUnknownFields(dirty, pod)).toEqual([`x-${key}`]);
      expect(pruneUnknownFields(dirty, pod)).toEqual([]);
      expect(dirty).toEqual(object);
    }),
  );
});

const apply = (
  live: JsonObject | undefined,
  managed: ReturnType<typeof serverSideApply>["managed"],
  { config, manager }: { config: JsonObject; manager: string },
): ReturnType<typeof serverSideApply> =>
  serverSideApply({ live, managed, config, manager, force: true, apiVersion: "v1", schema: pod, now: 0 });

test("applying the same twice changes nothing the second time", () => {
  assert(
    property(arbitraryPod, arbitraryPod, (first, second) => {
      const one = apply(undefined, [], { config: first, manager: "one" });
      const two = apply(one.object, one.managed, { config: second, manager: "two" });
      const again = apply(two.object, two.managed, { config: second, manager: "two" });
      expect(again.changed).toBe(false);
      expect(again.object).toEqual(two.object);
    }),
  );
});

test("an applier that is alone gets exactly what it applies, whatever it applied before", () => {
  assert(
    property(arbitraryPod, arbitraryPod, (first, second) => {
      const one = apply(undefined, [], { config: first, manager: "one" });
      const two = apply(one.object, one.managed, { config: second, manager: "one" });
      expect(withoutEmpty(two.object)).toEqual(withoutEmpty(second));
    }),
  );
});

test("whatever an applier states is in the object after it has applied", () => {
  assert(
    property(arbitraryPod, arbitraryPod, (first, second) => {
      const one = apply(undefined, [], { config: first, manager: "one" });
      const two = apply(one.object, one.managed, { config: second, manager: "two" });
      const restated = apply(two.object, two.managed, { config: second, manager: "three" });
      expect(jsonEqual(restated.object, two.object)).toBe(true);
    }),
  );
});

/** Containers that end up empty may stay or go: nobody can tell the difference. */
function withoutEmpty(input: unknown): unknown {
  if (Array.isArray(input)) return input.map(withoutEmpty);
  if (typeof input !== "object" || input === null) return input;
  return Object.fromEntries(
    Object.entries(input)
      .map(([key, inner]) => [key, withoutEmpty(inner)] as const)
      .filter(([, inner]) => typeof inner !== "object" || inner === null || Object.keys(inner).length > 0),
  );
}
