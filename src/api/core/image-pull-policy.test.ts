import { expect, test } from "vitest";
import { defaultImagePullPolicy } from "./image-pull-policy.ts";

test.each([
  ["nginx", "Always"],
  ["nginx:latest", "Always"],
  ["nginx:1.27", "IfNotPresent"],
  ["localhost:5000/nginx", "Always"],
  ["localhost:5000/nginx:1", "IfNotPresent"],
  ["nginx@sha256:abc", "IfNotPresent"],
  ["nginx:latest@sha256:abc", "Always"],
])("%s: %s", (image, expected) => {
  expect(defaultImagePullPolicy(image)).toBe(expected);
});
