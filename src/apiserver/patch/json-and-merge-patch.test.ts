import { expect, test } from "vitest";
import { isApiError } from "../../api/meta/errors.ts";
import { jsonPatch } from "./json-patch.ts";
import { mergePatch } from "./merge-patch.ts";

function failureOf(run: () => unknown): { code: number; message: string } {
  try {
    run();
  } catch (error) {
    if (isApiError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("nothing was thrown");
}

// RFC 7386, appendix A, the cases whose result is an object.
test.each([
  [{ a: "b" }, { a: "c" }, { a: "c" }],
  [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
  [{ a: "b" }, { a: null }, {}],
  [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
  [{ a: ["b"] }, { a: "c" }, { a: "c" }],
  [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
  [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
  [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])("merge patch %#: %j with %j", (target, patch, expected) => {
  expect(mergePatch(target, patch)).toEqual(expected);
});

test("a merge patch sets a member named __proto__ and nothing else", () => {
  const patch = JSON.parse('{"data":{"__proto__":"x"}}') as Record<string, unknown>;
  const merged = mergePatch({ data: { a: "1" } }, patch);
  expect(JSON.stringify(merged)).toBe('{"data":{"a":"1","__proto__":"x"}}');
  expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
});

test("JSON patch operations apply in order to a copy", () => {
  const target = { a: { b: [1, 2] }, c: "x" };
  const patched = jsonPatch(target, [
    { op: "test", path: "/c", value: "x" },
    { op: "add", path: "/a/b/-", value: 3 },
    { op: "remove", path: "/a/b/0" },
    { op: "move", from: "/c", path: "/d" },
    { op: "copy", from: "/d", path: "/e" },
  ]);
  expect(patched).toEqual({ a: { b: [2, 3] }, d: "x", e: "x" });
  expect(target).toEqual({ a: { b: [1, 2] }, c: "x" });
});

test("replace adds a member that is not there, but not below one that is not", () => {
  expect(jsonPatch({ a: {} }, [{ op: "replace", path: "/a/b", value: 1 }])).toEqual({ a: { b: 1 } });
  expect(failureOf(() => jsonPatch({}, [{ op: "replace", path: "/a/b", value: 1 }])).code).toBe(422);
});

test("replace of the whole document is an operation like any other", () => {
  expect(jsonPatch({ a: 1 }, [{ op: "replace", path: "", value: { b: 2 } }])).toEqual({ b: 2 });
  expect(failureOf(() => jsonPatch({ a: 1 }, [{ op: "replace", path: "", value: 7 }])).code).toBe(422);
});

test.each([
  ["no list", { op: "add" }, 400],
  ["a scalar operation", ["x"], 400],
  ["an unknown operation", [{ op: "frob", path: "/a" }], 422],
  ["a missing path", [{ op: "remove" }], 422],
  ["removing what is not there", [{ op: "remove", path: "/nope" }], 422],
  ["a pointer without its slash", [{ op: "add", path: "a", value: 1 }], 422],
  ["a failing test", [{ op: "test", path: "/a", value: 2 }], 422],
  ["moving from nowhere", [{ op: "move", from: "/nope", path: "/b" }], 422],
  ["more than 10,000 operations", Array.from({ length: 10_001 }, () => ({ op: "test", path: "/a", value: 1 })), 413],
])("a JSON patch that is %s is refused", (_name, patch, code) => {
  expect(failureOf(() => jsonPatch({ a: 1 }, patch)).code).toBe(code);
});

test("a failing test operation names the path", () => {
  const { message } = failureOf(() => jsonPatch({ a: 1 }, [{ op: "test", path: "/a", value: 2 }]));
  expect(message).toContain("testing value /a failed");
});

test("members named like properties of every JavaScript object are members like any other", () => {
  const target = { data: { a: "1" } };
  const added = jsonPatch(target, [
    { op: "add", path: "/data/__proto__", value: "x" },
    { op: "add", path: "/data/constructor", value: "y" },
  ]);
  expect(JSON.stringify(added)).toBe('{"data":{"a":"1","__proto__":"x","constructor":"y"}}');
  const removed = jsonPatch(added, [{ op: "remove", path: "/data/__proto__" }]);
  expect(JSON.stringify(removed)).toBe('{"data":{"a":"1","constructor":"y"}}');
  expect(failureOf(() => jsonPatch(target, [{ op: "add", path: "/__proto__/polluted", value: 1 }])).code).toBe(422);
  expect(failureOf(() => jsonPatch(target, [{ op: "remove", path: "/data/toString" }])).code).toBe(422);
});

test("list positions count from the end when negative and must exist", () => {
  expect(jsonPatch({ a: [1, 2] }, [{ op: "remove", path: "/a/-1" }])).toEqual({ a: [1] });
  expect(jsonPatch({ a: [1, 2] }, [{ op: "add", path: "/a/2", value: 3 }])).toEqual({ a: [1, 2, 3] });
  expect(failureOf(() => jsonPatch({ a: [1] }, [{ op: "add", path: "/a/3", value: 1 }])).code).toBe(422);
  expect(failureOf(() => jsonPatch({ a: [1] }, [{ op: "remove", path: "/a/01" }])).code).toBe(422);
});

test("a member that is not there tests equal to null", () => {
  expect(jsonPatch({ a: 1 }, [{ op: "test", path: "/b", value: null }])).toEqual({ a: 1 });
});

test("copies that double the document are stopped", () => {
  const wide = Array.from({ length: 40 }, () => ({ op: "copy", from: "/a", path: "/a/-" }));
  expect(failureOf(() => jsonPatch({ a: ["x"] }, wide)).code).toBe(413);
  const deep = Array.from({ length: 400 }, () => ({ op: "copy", from: "", path: "/a/a/a" }));
  expect(failureOf(() => jsonPatch({ a: { a: {} } }, deep)).code).toBe(400);
});
