import { expect, test } from "vitest";
import { isApiError } from "../../api/meta/errors.ts";
import { decodeBody, decodeText } from "./body.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function failureOf(run: () => unknown): { code: number; message: string } {
  try {
    run();
  } catch (error) {
    if (isApiError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("nothing was thrown");
}

test.each(["application/json", "application/json; charset=utf-8", "Application/JSON", undefined])(
  "JSON is read with content type %s",
  (type) => {
    expect(decodeBody(bytes('{"a":[1,{"b":null}]}'), type).object).toEqual({ a: [1, { b: null }] });
  },
);

test("duplicate JSON keys are told with their path, only when asked", () => {
  const text = String.raw`{"a":1, "spec":{"list":[{"x":1},{"x":"}\"{","x":[2]}]}, "a":2, "a":3}`;
  expect(decodeBody(bytes(text), undefined, { strict: true }).duplicates).toEqual(["spec.list[1].x", "a"]);
  expect(decodeBody(bytes(text), undefined).duplicates).toEqual([]);
  expect(decodeBody(bytes(text), undefined).object["a"]).toBe(3);
});

test("YAML means what Kubernetes' parser takes it to mean", () => {
  const text = [
    "mode: 0644",
    "on: yes",
    "quoted: 'yes'",
    "version: 1.10",
    "when: 2020-01-01",
    "base: &b {x: 1}",
    "m:",
    "  <<: *b",
    "  z: 2",
  ];
  expect(decodeBody(bytes(text.join("\n")), "application/yaml").object).toEqual({
    mode: 420,
    true: true,
    quoted: "yes",
    version: 1.1,
    when: "2020-01-01",
    base: { x: 1 },
    m: { x: 1, z: 2 },
  });
});

test("duplicate YAML keys are told with their path", () => {
  const text = "spec:\n  list:\n  - x: 1\n  - x: 1\n    x: 2\na: 1\na: 2\n";
  const decoded = decodeBody(bytes(text), "application/yaml", { strict: true });
  expect(decoded.duplicates.toSorted()).toEqual(["a", "spec.list[1].x"]);
  expect(decoded.object["a"]).toBe(2);
});

test("a patch body may be JSON or YAML of any shape", () => {
  expect(decodeText(bytes('[{"op":"test"}]'), { strict: false }).value).toEqual([{ op: "test" }]);
  expect(decodeText(bytes("{a: 1}"), { strict: false }).value).toEqual({ a: 1 });
  expect(decodeText(bytes("a: 1"), { strict: false }).value).toEqual({ a: 1 });
});

test.each([
  ["JSON cut short", '{"a":', "application/json", 400],
  ["a JSON list", "[]", "application/json", 400],
  ["null", "null", "application/json", 400],
  ["YAML that does not parse", "a: [", "application/yaml", 400],
  ["a YAML scalar", "hello", "application/yaml", 400],
  ["an unknown type", "<a/>", "application/xml", 415],
  ["protobuf without its prefix", "{}", "application/vnd.kubernetes.protobuf", 400],
])("%s is refused", (_name, text, type, code) => {
  expect(failureOf(() => decodeBody(bytes(text), type)).code).toBe(code);
});

test("an unknown type is answered with the known ones", () => {
  expect(failureOf(() => decodeBody(bytes("x"), "text/plain")).message).toContain(
    "application/json, application/yaml, application/vnd.kubernetes.protobuf",
  );
});

test("text that is not UTF-8 is refused", () => {
  expect(failureOf(() => decodeBody(new Uint8Array([0x7b, 0xff, 0x7d]), undefined)).code).toBe(400);
});

test.each([
  ["JSON lists", "application/json", `{"a":${"[".repeat(5000)}${"]".repeat(5000)}}`],
  ["JSON objects", "application/json", `${'{"a":'.repeat(5000)}1${"}".repeat(5000)}`],
  ["YAML lists", "application/yaml", `a: ${"[".repeat(20_000)}${"]".repeat(20_000)}`],
])("%s nested without end are refused, not walked", (_name, type, text) => {
  expect(failureOf(() => decodeBody(bytes(text), type, { strict: true })).code).toBe(400);
});

test("brackets in strings do not count as nesting", () => {
  const text = JSON.stringify({ a: '[{"'.repeat(5000) });
  expect(decodeBody(bytes(text), "application/json", { strict: true }).duplicates).toEqual([]);
});

test("YAML aliases that multiply are refused", () => {
  const lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"];
  for (let i = 1; i < 8; i++) lines.push(`a${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(",")}]`);
  expect(failureOf(() => decodeBody(bytes(lines.join("\n")), "application/yaml")).code).toBe(400);
});
