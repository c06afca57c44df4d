import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openImageStore } from "../../images/store.ts";
import { cachedLayer, digestOf } from "./cached-layer.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "ebb-layer-"));
});
afterEach(() => rm(dir, { recursive: true }));

test("a dependency layer is made once for one key, and again when the store has lost it", async () => {
  const context = { store: openImageStore(join(dir, "images")), cacheDir: join(dir, "cache") };
  let made = 0;
  const make = async () => [{ path: "app/x", content: `${++made}` }];
  const first = await cachedLayer(context, ["lock", "linux-x64"], make);
  expect(await cachedLayer(context, ["lock", "linux-x64"], make)).toEqual(first);
  expect(made).toBe(1);
  await cachedLayer(context, ["lock", "linux-arm64"], make);
  expect(made).toBe(2);
  await rm(join(dir, "images"), { recursive: true });
  const emptied = { store: openImageStore(join(dir, "images")), cacheDir: join(dir, "cache") };
  await cachedLayer(emptied, ["lock", "linux-x64"], make);
  expect(made).toBe(3);
});

test("files in the directory made for them are packed before it is removed", async () => {
  const context = { store: openImageStore(join(dir, "images")), cacheDir: join(dir, "cache") };
  let scratch = "";
  await cachedLayer(context, ["files"], async (at) => {
    scratch = at;
    await writeFile(join(at, "big"), "x".repeat(100_000));
    return [{ path: "app/big", content: "", file: join(at, "big") }];
  });
  expect(existsSync(scratch)).toBe(false);
});

test("moving a character from one part of a key to the next makes another key", () => {
  expect(digestOf(["ab", "c"])).not.toBe(digestOf(["a", "bc"]));
});
