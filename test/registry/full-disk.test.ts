import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startOurs, temporaryStore } from "./registries.ts";
import { buildImage } from "../../src/images/build-image.ts";
import { digestOf } from "../../src/images/digest.ts";
import { pullImage } from "../../src/images/registry/pull-image.ts";
import { createRegistryClient } from "../../src/images/registry/registry-client.ts";
import { openImageStore, type ImageStore } from "../../src/images/store.ts";

const mount = (dir: string): boolean =>
  spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "ebb-test", dir], { stdio: "ignore" }).status === 0;
const unmount = (dir: string): boolean => spawnSync("umount", ["-l", dir], { stdio: "ignore" }).status === 0;

const probe = mkdtempSync(join(tmpdir(), "ebb-full-"));
const permitted = mount(probe);
if (permitted) unmount(probe);
else process.stderr.write("full-disk.test.ts: mounting is not permitted, images on full disks are NOT tested\n");
rmSync(probe, { recursive: true });

const tooMuch = Buffer.alloc(2 << 20, "x");

describe.skipIf(!permitted)("on a disk of 1 MiB", () => {
  let dir: string;
  let store: ImageStore;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "ebb-full-"));
    mount(dir);
    store = openImageStore(dir);
  });
  afterEach(() => {
    store.close();
    unmount(dir);
    rmSync(dir, { recursive: true });
  });

  async function expectAsBefore(): Promise<void> {
    expect(readdirSync(join(dir, "drafts"))).toEqual([]);
    expect(readdirSync(join(dir, "blobs/sha256"))).toEqual([]);
    const small = await store.blobs.put(Buffer.alloc(512 << 10, "y"));
    expect(store.hasBlob(small.digest)).toBe(true);
  }

  test("bytes that do not fit leave nothing behind, and smaller ones still fit", async () => {
    await expect(store.blobs.put(tooMuch)).rejects.toMatchObject({ code: "ENOSPC" });
    await expectAsBefore();
  });

  test("a stream that does not fit leaves nothing behind", async () => {
    const chunks = (async function* () {
      for (let at = 0; at < tooMuch.length; at += 65_536) yield tooMuch.subarray(at, at + 65_536);
    })();
    await expect(store.blobs.putStream(chunks, { from: "a test" })).rejects.toMatchObject({ code: "ENOSPC" });
    await expectAsBefore();
  });

  test("names that do not fit leave those before", async () => {
    const digest = await buildImage(store, "dev.local/first", { layers: [], config: {} });
    const found = store.find("dev.local/first");
    if (!found) throw new Error("it was tagged");
    await store.blobs.put(Buffer.alloc(900 << 10, "z"));
    const tagAll = async (): Promise<void> => {
      for (let i = 0; i < 1000; i += 1) await store.tag(`dev.local/${"n".repeat(200)}:${i}`, found);
    };
    await expect(tagAll()).rejects.toMatchObject({ code: "ENOSPC" });
    expect(readdirSync(join(dir, "drafts"))).toEqual([]);
    expect((await store.resolve("dev.local/first"))?.digest).toBe(digest);
  });

  test("a pull that does not fit says so at once and gives the room back", async () => {
    const elsewhere = temporaryStore();
    const registry = await startOurs(elsewhere.store);
    const client = createRegistryClient({ findCredentials: async () => undefined, env: {}, insecure: true });
    try {
      const layers = [{ kind: "files", files: [{ path: "big", content: tooMuch }] }] as const;
      await buildImage(elsewhere.store, "dev.local/team/big:1", { layers, config: {} });
      const pulling = pullImage({ client, store }, `${registry.host}/team/big:1`, {});
      await expect(pulling).rejects.toMatchObject({ code: "ENOSPC" });
      expect(readdirSync(join(dir, "drafts"))).toEqual([]);
    } finally {
      await client.close();
      await registry.close();
      elsewhere.remove();
    }
  });

  test("a push that does not fit is refused with the reason and gives the room back", async () => {
    const registry = await startOurs(store);
    try {
      const begin = await fetch(`http://${registry.host}/v2/a/blobs/uploads/`, { method: "POST" });
      const url = new URL(`${begin.headers.get("location")}?digest=${digestOf(tooMuch)}`, `http://${registry.host}`);
      const pushed = await fetch(url, { method: "PUT", body: tooMuch });
      expect(pushed.status).toBe(507);
      expect(await pushed.json()).toMatchObject({
        errors: [{ code: "DENIED", message: expect.stringMatching(/disk .* is full/) }],
      });
      await expectAsBefore();
    } finally {
      await registry.close();
    }
  });
});
