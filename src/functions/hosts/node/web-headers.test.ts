import { expect, test } from "vitest";
import { WebHeaders } from "./web-headers.ts";

test.each([
  [
    "joins repeated fields, sorts names",
    [
      ["B", "2"],
      ["a", "1"],
      ["b", " 3 "],
    ],
  ],
  [
    "keeps each set-cookie",
    [
      ["set-cookie", "a=1"],
      ["Set-Cookie", "b=2"],
      ["x", "y"],
    ],
  ],
] as const)("%s as the native Headers do", (_, pairs) => {
  const init = pairs.map(([name, value]) => [name, value] as [string, string]);
  const native = new Headers(init);
  const light = new WebHeaders(init);
  expect([...light]).toEqual([...native]);
  expect([...light.keys()]).toEqual([...native.keys()]);
  expect(light.getSetCookie()).toEqual(native.getSetCookie());
  expect(light.get("B")).toBe(native.get("B"));
  expect(light.get("missing")).toBe(native.get("missing"));
});

test("can be given to the native classes", () => {
  const headers = new WebHeaders({ "x-a": "1" }) as unknown as Headers;
  expect(new Response("", { headers }).headers.get("x-a")).toBe("1");
  expect([...new Headers(headers)]).toEqual([["x-a", "1"]]);
});

test.each([
  ["a space in a name", () => new WebHeaders([["a b", "1"]])],
  ["an empty name", () => new WebHeaders().set("", "1")],
  ["a line break in a value", () => new WebHeaders().append("a", "x\r\ny: z")],
  ["an entry that is no pair", () => new WebHeaders([["a"]] as unknown as [string, string][])],
])("refuses %s", (_, attempt) => {
  expect(attempt).toThrow(TypeError);
});
