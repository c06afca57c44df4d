import { expect, test } from "vitest";
import { controllerOf, controllerReference, isControlledBy, ownerReference } from "./owner.ts";

const kind = { group: "apps", version: "v1", kind: "Deployment" };
const owner = { metadata: { name: "web", uid: "u1" } };

test("a controller reference names its owner by version, kind, name and uid", () => {
  expect(controllerReference(kind, owner)).toEqual({
    apiVersion: "apps/v1",
    kind: "Deployment",
    name: "web",
    uid: "u1",
    controller: true,
    blockOwnerDeletion: true,
  });
});

test("only the controlling owner counts, and only with the same uid", () => {
  const ownerReferences = [
    ownerReference(kind, { metadata: { name: "x", uid: "u0" } }),
    controllerReference(kind, owner),
  ];
  const object = { metadata: { name: "web-1", ownerReferences } };
  expect(controllerOf(object)?.uid).toBe("u1");
  expect(isControlledBy(object, owner)).toBe(true);
  expect(isControlledBy(object, { metadata: { name: "web", uid: "u2" } })).toBe(false);
});

test("an object that was never stored cannot own", () => {
  expect(() => ownerReference(kind, { metadata: { name: "web" } })).toThrow('Deployment "web" has no uid yet');
});
