import { array, assert, constantFrom, property } from "fast-check";
import { expect, test } from "vitest";
import {
  difference,
  finishSet,
  forEachPath,
  insertPath,
  intersection,
  parseFieldSet,
  printPath,
  union,
  type FieldSet,
  type FieldSetBuilder,
} from "./field-set.ts";

const setOf = (...paths: (readonly string[])[]): FieldSet => {
  const builder: FieldSetBuilder = {};
  for (const path of paths) insertPath(builder, path);
  return finishSet(builder);
};
const pathsOf = (set: FieldSet): string[] => {
  const found: string[] = [];
  forEachPath(set, (path) => found.push(path.join("/")));
  return found.sort();
};

test("a node that is a member and has children carries a dot", () => {
  expect(setOf(["f:a"], ["f:a", "f:b"], ["f:c", "f:d"])).toEqual({
    "f:a": { ".": {}, "f:b": {} },
    "f:c": { "f:d": {} },
  });
});

test("paths print as conflict messages have them", () => {
  expect(printPath(["f:spec", "f:containers", 'k:{"name":"c"}', "f:image"])).toBe('.spec.containers[name="c"].image');
  expect(printPath(["f:ports", 'k:{"containerPort":80,"protocol":"TCP"}'])).toBe(
    '.ports[containerPort=80,protocol="TCP"]',
  );
  expect(printPath(["f:finalizers", 'v:"x"'])).toBe('.finalizers[="x"]');
});

test.each([[null], ["x"], [[]], [{ spec: {} }], [{ "f:a": 1 }], [{ "k:{": {} }], [{ "i:x": {} }], [{ "k:3": {} }]])(
  "%j is no field set",
  (value) => {
    expect(parseFieldSet(value)).toBeUndefined();
  },
);

const arbitraryPath = array(constantFrom("f:a", "f:b", 'k:{"n":1}'), { minLength: 1, maxLength: 4 });
const arbitraryPaths = array(arbitraryPath, { maxLength: 8 });

test("union, difference and intersection are those of the sets of paths", () => {
  assert(
    property(arbitraryPaths, arbitraryPaths, (left, right) => {
      const [a, b] = [setOf(...left), setOf(...right)];
      const [inA, inB] = [new Set(pathsOf(a)), new Set(pathsOf(b))];
      expect(pathsOf(a)).toEqual([...new Set(left.map((path) => path.join("/")))].sort());
      expect(pathsOf(union(a, b))).toEqual([...inA.union(inB)].sort());
      expect(pathsOf(difference(a, b))).toEqual([...inA.difference(inB)].sort());
      expect(pathsOf(intersection(a, b))).toEqual([...inA.intersection(inB)].sort());
    }),
  );
});

test("no operation changes its operands or leaves a node that leads nowhere", () => {
  const leadsSomewhere = (set: FieldSet): boolean => parseFieldSet(set) !== undefined && normal(set);
  assert(
    property(arbitraryPaths, arbitraryPaths, (left, right) => {
      const [a, b] = [setOf(...left), setOf(...right)];
      const before = JSON.stringify([a, b]);
      for (const result of [union(a, b), difference(a, b), intersection(a, b)]) {
        expect(leadsSomewhere(result)).toBe(true);
        expect(setOf(...pathsOf(result).map((path) => path.split("/")))).toEqual(result);
      }
      expect(JSON.stringify([a, b])).toBe(before);
    }),
  );
});

/** A dot only stands beside children. */
function normal(set: FieldSet): boolean {
  return Object.keys(set).every((key) => {
    const node = set[key] ?? {};
    return key === "." || (!(Object.keys(node).length === 1 && "." in node) && normal(node));
  });
}
