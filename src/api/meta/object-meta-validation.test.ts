import { expect, test } from "vitest";
import { validateObjectMeta } from "./object-meta-validation.ts";
import type { ObjectMeta } from "./types.gen.ts";

const namespaced = { kind: { namespaced: true } };
const errorsOf = (metadata: Partial<ObjectMeta>, old?: Partial<ObjectMeta>): string[] => {
  const base = { name: "x", namespace: "default" };
  const errors = validateObjectMeta(namespaced, { ...base, ...metadata }, old ? { ...base, ...old } : undefined);
  return errors.map((error) => `${error.field}: ${error.message}`);
};
const owner = { apiVersion: "v1", kind: "Pod", name: "p", uid: "u", controller: true };

test("good metadata has nothing wrong", () => {
  const metadata = {
    generateName: "x-",
    labels: { "a.b/c": "d" },
    annotations: { "A.B/c": "anything\n" },
    ownerReferences: [owner],
    finalizers: ["a.b/c", "orphan"],
  };
  expect(errorsOf(metadata)).toEqual([]);
});

test.each<[Partial<ObjectMeta>, string]>([
  [{ name: "" }, "metadata.name: Required value: name or generateName is required"],
  [{ namespace: "" }, "metadata.namespace: Required value"],
  [{ labels: { "a/b/c": "" } }, 'metadata.labels: Invalid value: "a/b/c": a valid label key must consist of'],
  [{ annotations: { "": "" } }, 'metadata.annotations: Invalid value: "": name part must be non-empty'],
  [{ annotations: { a: "x".repeat(256 * 1024) } }, "metadata.annotations: Too long: may not be more than 262144 bytes"],
  [{ ownerReferences: [{ ...owner, uid: "" }] }, "metadata.ownerReferences[0].uid: Required value: must not be empty"],
  [{ ownerReferences: [{ ...owner, kind: "Event" }] }, "metadata.ownerReferences[0]: Invalid value:"],
  [{ ownerReferences: [owner, { ...owner, name: "q" }] }, "metadata.ownerReferences: Invalid value:"],
  [{ finalizers: ["a b"] }, 'metadata.finalizers: Invalid value: "a b"'],
  [{ finalizers: ["orphan", "foregroundDeletion"] }, "metadata.finalizers: Invalid value:"],
])("%j is refused", (metadata, start) => {
  const errors = errorsOf(metadata);
  expect(
    errors.some((error) => error.startsWith(start)),
    errors.join("\n"),
  ).toBe(true);
});

test("two controllers are named", () => {
  expect(errorsOf({ ownerReferences: [owner, { ...owner, name: "q" }] })[0]).toContain(
    'Only one reference can have Controller set to true. Found "true" in references for Pod/p and Pod/q',
  );
});

test("an object being deleted gets no new finalizers, and nobody changes its uid", () => {
  expect(
    errorsOf({ finalizers: ["a/b", "c/d"] }, { finalizers: ["a/b"], deletionTimestamp: "2026-01-01T00:00:00Z" }),
  ).toEqual([
    'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"c/d"}',
  ]);
  expect(errorsOf({ uid: "b" }, { uid: "a" })).toEqual(['metadata.uid: Invalid value: "b": field is immutable']);
});
