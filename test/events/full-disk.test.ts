/** The log on a disk that fills up: nothing is acknowledged that is not there, and what could not be written is made up for. */
import { spawnSync } from "node:child_process";
import { closeSync, copyFileSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/client/clock.ts";
import { ManualClock } from "../../src/client/manual-clock.ts";
import type { SavedCursor } from "../../src/events/log/event-store.ts";
import { openSqliteStore } from "../../src/events/log/sqlite-store.ts";
import { anEvent } from "../conformance/event-store.ts";
import { broker, brokerSpec, startPlane } from "./event-plane.ts";

const mounted: string[] = [];
afterEach(() => {
  for (const dir of mounted.splice(0)) {
    spawnSync("umount", ["-l", dir], { stdio: "ignore" });
    rmSync(dir, { recursive: true, force: true });
  }
});

/** A disk of 8 MiB at a new directory; undefined where mounting is not permitted. */
function mountDisk(): string | undefined {
  const dir = mkdtempSync(join(tmpdir(), "ebb-disk-"));
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=8m", "ebb-test", dir], { stdio: "ignore" }).status !== 0) {
    rmSync(dir, { recursive: true });
    return undefined;
  }
  mounted.push(dir);
  return dir;
}

const probe = mountDisk();
if (probe === undefined)
  process.stderr.write("full-disk.test.ts: mounting is not permitted, full disks are NOT tested\n");

function openDisk(): string {
  const disk = mountDisk();
  if (disk === undefined) throw new Error("mounting worked a moment ago");
  return disk;
}

/** Writes until nothing more fits. */
function fill(disk: string): string {
  const file = join(disk, "ballast");
  const fd = openSync(file, "w");
  try {
    for (;;) writeSync(fd, Buffer.alloc(4096));
  } catch {
    closeSync(fd);
  }
  return file;
}

describe.skipIf(probe === undefined)("on a disk of its own", () => {
  test("a full disk is 507 for senders, and all that was acknowledged is kept, nothing else", async () => {
    const dir = join(openDisk(), "data");
    mkdirSync(dir);
    const plane = await startPlane({ dir });
    await plane.engine.setStream(brokerSpec);
    const taken: string[] = [];
    const body = "x".repeat(100_000);
    let refused: Response | undefined;
    for (let n = 0; refused === undefined; n += 1) {
      expect(n).toBeLessThan(200);
      const response = await plane.send("/default/orders", `e${n}`, {}, body);
      if (response.status === 202) taken.push(`e${n}`);
      else refused = response;
    }
    expect(refused.status).toBe(507);
    expect(await refused.text()).toContain("the disk is full");
    expect(refused.headers.get("retry-after")).toBe("5");
    const kept = await plane.engine.read(broker, { after: 0, limit: 1000 });
    expect(kept.map(({ event }) => event.attributes["id"])).toEqual(taken);
    await plane.close();
  });

  test("positions that found no room are written once there is some, though nothing moves any more", async () => {
    const disk = openDisk();
    const clock = new ManualClock(systemClock.now());
    const store = openSqliteStore({ path: join(disk, "events.db") }, clock);
    const stream = await store.openStream("s", {});
    const ballast = fill(disk);
    const before = { stream: "s", position: 1, pending: [] };
    // Down to the last page that SQLite has allocated already.
    for (let size = 100_000; size >= 1; size = Math.floor(size / 10))
      for (let full = false; !full;)
        full = await stream
          .append([{ event: { ...anEvent(`${size}-${stream.bounds().last}`), data: new Uint8Array(size) } }])
          .then(
            () => false,
            () => true,
          );
    store.saveCursor("c", before);
    clock.advance(100);
    await expect(store.flush()).rejects.toThrow("the disk is full");
    expect(await onDisk(disk)).toBeUndefined();
    rmSync(ballast);
    await expect.poll(async () => (clock.advance(1000), await onDisk(disk)), { timeout: 5000 }).toEqual(before);
    await store.close();
  });
});

/** The position as another process would find it after a crash now. */
async function onDisk(disk: string): Promise<SavedCursor | undefined> {
  const copy = mkdtempSync(join(tmpdir(), "ebb-copy-"));
  for (const file of ["events.db", "events.db-wal"]) copyFileSync(join(disk, file), join(copy, file));
  const store = openSqliteStore({ path: join(copy, "events.db") }, systemClock);
  const found = await store.readCursor("c");
  await store.close();
  rmSync(copy, { recursive: true });
  return found;
}
