/** The state on a disk that runs full while its write-ahead log is being emptied. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Store } from "../../src/apiserver/storage/store.ts";

let disk = "";
let mounted = false;
beforeEach(() => {
  disk = mkdtempSync(join(tmpdir(), "ebb-disk-"));
  const args = ["-t", "tmpfs", "-o", "size=72m", "ebb-test", disk];
  mounted = spawnSync("mount", args, { stdio: "ignore" }).status === 0;
});
afterEach(() => {
  if (mounted) spawnSync("umount", ["-l", disk]);
  rmSync(disk, { recursive: true, force: true });
});

const openStore = (): Store =>
  Store.open({
    path: join(disk, "state.db"),
    fsync: false,
    now: () => 0,
    onListenerError: (error) => expect.unreachable(String(error)),
  });

const put = (store: Store, name: string, value: string): void =>
  void store.commit([
    {
      kind: "put",
      resource: "/things",
      key: name,
      object: { apiVersion: "v1", kind: "Thing", metadata: { name }, value } as never,
      managed: "",
    },
  ]);

test("writes go on while there is room for them, though none is left to empty the log", ({ skip }) => {
  if (!mounted) {
    process.stderr.write("full-disk.test.ts: mounting is not permitted, a full disk is NOT tested\n");
    skip();
  }
  let store = openStore();
  // About 12 KiB each in the log, which is emptied when 32 MiB of rows have come: the file has no room for them then.
  const acknowledged: string[] = [];
  let refusal: unknown;
  for (let i = 0; refusal === undefined && i < 50_000; i++)
    try {
      put(store, `thing-${i}`, "x".repeat(3000));
      acknowledged.push(`thing-${i}`);
    } catch (error) {
      refusal = error;
    }
  expect(refusal).toMatchObject({ code: 507 });
  // It was tried: the file has grown, and the log was not emptied. The write before that counts all the same.
  expect(statSync(join(disk, "state.db")).size).toBeGreaterThan(1 << 20);
  expect(statSync(join(disk, "state.db-wal")).size).toBeGreaterThan(32 << 20);
  expect(store.revision).toBe(acknowledged.length);
  expect(store.isWritable()).toBe(false);
  store.close();
  store = openStore();
  expect(store.dropped?.damaged ?? 0).toBe(0);
  expect(store.count("/things")).toBe(acknowledged.length);
  expect(acknowledged.filter((name) => store.get("/things", name) === undefined)).toEqual([]);
  store.close();
});

test("room made on a full disk is used without a restart", ({ skip }) => {
  if (!mounted) skip();
  const store = openStore();
  put(store, "first", "1");
  const ballast = join(disk, "ballast");
  expect(() => writeFileSync(ballast, Buffer.alloc(80 << 20))).toThrow("ENOSPC");
  expect(() => put(store, "second", "x".repeat(3000))).toThrow("the disk is full");
  expect(store.isWritable()).toBe(false);
  rmSync(ballast);
  expect(store.isWritable()).toBe(true);
  put(store, "second", "2");
  expect(store.revision).toBe(2);
  store.close();
});
