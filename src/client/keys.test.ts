import { expect, test } from "vitest";
import type { KubeObject } from "../api/meta/object.ts";
import { controllerKey, labelKey, refersTo, selfKey } from "./keys.ts";

const owned = (owner: string | undefined, labels: Record<string, string> = {}): KubeObject => ({
  metadata: {
    name: "pod",
    namespace: "default",
    labels,
    ...(owner === undefined
      ? {}
      : { ownerReferences: [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: owner, uid: "u", controller: true }] }),
  },
});
const replicaSet = { group: "apps", version: "v1", kind: "ReplicaSet", namespaced: true };

test("an object's own key holds its namespace", () => {
  expect(selfKey(owned(undefined))).toEqual(["default/pod"]);
});

test("a change of owner wakes the new and the old one, no change wakes it once", () => {
  const keysOf = controllerKey(replicaSet);
  expect(keysOf(owned("a"), owned("b"))).toEqual(["default/a", "default/b"]);
  expect(keysOf(owned("a"), owned("a"))).toEqual(["default/a"]);
  expect(keysOf(owned(undefined), owned("b"))).toEqual(["default/b"]);
  expect(keysOf(owned(undefined), undefined)).toEqual([]);
});

test("owners of another kind or group do not count, other versions of the group do", () => {
  expect(controllerKey({ ...replicaSet, kind: "Job" })(owned("a"), undefined)).toEqual([]);
  expect(refersTo({ apiVersion: "apps/v1beta1", kind: "ReplicaSet", name: "a", uid: "u" }, replicaSet)).toBe(true);
  expect(refersTo({ apiVersion: "other/v1", kind: "ReplicaSet", name: "a", uid: "u" }, replicaSet)).toBe(false);
  const pod = { group: "", version: "v1", kind: "Pod" };
  expect(refersTo({ apiVersion: "v1", kind: "Pod", name: "a", uid: "u" }, pod)).toBe(true);
});

test("a label names the key now and before", () => {
  const keysOf = labelKey("app");
  expect(keysOf(owned(undefined, { app: "x" }), owned(undefined, { app: "y" }))).toEqual(["default/x", "default/y"]);
  expect(keysOf(owned(undefined), undefined)).toEqual([]);
});
