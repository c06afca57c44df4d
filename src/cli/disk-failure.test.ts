import { expect, test } from "vitest";
import { explainDiskFailure } from "./disk-failure.ts";

const failed = (code: string, path?: string): Error =>
  Object.assign(new Error(`${code}: something`), { code, ...(path === undefined ? {} : { path }) });

test.each([
  [failed("ENOSPC", "/d/images/x"), "the disk that holds /d/images/x is full; free space and try again"],
  [failed("ENOSPC"), "the disk that holds the data directory is full; free space and try again"],
  [failed("EROFS", "/d"), "/d is on a file system mounted read-only; use another data directory (--data)"],
  [
    new Error("cannot write the image", { cause: failed("EACCES", "/d/images") }),
    "you may not use /d/images; run as its owner, or use another data directory (--data)",
  ],
  [failed("ECONNREFUSED"), undefined],
  ["no error at all", undefined],
])("%s", (error, text) => {
  expect(explainDiskFailure(error)).toBe(text);
});
