import { expect, test } from "vitest";
import { oversizeWarnings } from "./oversize.ts";

test("files that weigh too much are told with the heaviest of them, small ones are not", () => {
  const big = { path: "app/model.bin", content: new Uint8Array(120 * 1024 ** 2) };
  const small = { path: "app/index.mjs", content: "x" };
  expect(oversizeWarnings([{ kind: "files", files: [small] }])).toEqual([]);
  expect(oversizeWarnings([{ kind: "files", files: [small, big] }])).toEqual([
    "the function's own files weigh 120.0 MB, most of it app/model.bin 120.0 MB, app/index.mjs 0.0 MB: list what it does not need in .funcignore",
  ]);
});
