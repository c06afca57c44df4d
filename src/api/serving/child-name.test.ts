import { expect, test } from "vitest";
import { childName } from "./child-name.ts";

test.each([
  ["b".repeat(57), "-00001", `${"b".repeat(57)}-00001`],
  ["a".repeat(60), "-00001", "aaaaaaaaaaaaaaaaaaaaaaaaacc7ed669cf88f201c3297c6a91e1d18d-00001"],
  ["x".repeat(53), "-deployment", "xxxxxxxxxxxxxxxxxxxx1fd70283895cca4c1b255051799ea859-deployment"],
  ["hello", "-00001", "hello-00001"],
])("names the child of %s and %s", (parent, suffix, name) => {
  expect(childName(parent, suffix)).toBe(name);
});

test("cuts a long suffix and what it would end in", () => {
  const name = childName("p".repeat(40), `-${"s".repeat(40)}`);
  expect(name).toMatch(/^p{31}[0-9a-f]{32}$/);
  expect(name.length).toBeLessThanOrEqual(63);
});
