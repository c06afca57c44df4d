import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/client/clock.ts";
import { ManualClock } from "../../src/client/manual-clock.ts";
import { openSqliteStore } from "../../src/events/log/sqlite-store.ts";
import { anEvent, runEventStoreConformance } from "../conformance/event-store.ts";

const makeDir = (): string => mkdtempSync(join(tmpdir(), "ebb-events-"));

describe("the store in SQLite", () => {
  runEventStoreConformance(() => {
    const dir = makeDir();
    return {
      open: async () => openSqliteStore({ path: join(dir, "events.db") }, systemClock),
      clean: async () => rmSync(dir, { recursive: true }),
      clock: { now: () => Date.now(), advance: (ms) => new Promise((done) => setTimeout(done, Math.min(ms, 60))) },
    };
  });
});

test("a clock that is set back leaves times in order", async () => {
  const dir = makeDir();
  const clock = new ManualClock(1_000_000);
  const store = openSqliteStore({ path: join(dir, "events.db") }, clock);
  const stream = await store.openStream("s", {});
  await stream.append([{ event: anEvent("1") }]);
  clock.jump(-500_000);
  await stream.append([{ event: anEvent("2") }]);
  expect((await stream.read(0, 9)).map(({ timeMs }) => timeMs)).toEqual([1_000_000, 1_000_000]);
  await store.close();
  rmSync(dir, { recursive: true });
});

test("a file of another program, and one that is no database, are named and left alone", () => {
  const dir = makeDir();
  const path = join(dir, "events.db");
  writeFileSync(
    path,
    "something else that is longer than a header of SQLite, so that it is looked at as one".repeat(20),
  );
  expect(() => openSqliteStore({ path }, systemClock)).toThrow(`cannot open the event log "${path}"`);
  expect(existsSync(path)).toBe(true);
  rmSync(dir, { recursive: true });
});

test("SQLite's log is emptied into the file again and again, and nothing gets lost on the way", async () => {
  const dir = makeDir();
  const path = join(dir, "events.db");
  const store = openSqliteStore({ path }, systemClock);
  const stream = await store.openStream("s", {});
  const data = Buffer.alloc(500_000, "x");
  for (let n = 1; n <= 120; n += 1) await stream.append([{ event: { ...anEvent(`${n}`), data } }]);
  expect(statSync(`${path}-wal`).size).toBeLessThan(24 * 1024 * 1024);
  // As a crash leaves it.
  const copy = makeDir();
  for (const file of ["events.db", "events.db-wal"]) copyFileSync(join(dir, file), join(copy, file));
  const again = openSqliteStore({ path: join(copy, "events.db") }, systemClock);
  const records = await (await again.openStream("s", {})).read(0, 200);
  expect(records.map(({ event }) => event.attributes["id"])).toEqual(Array.from({ length: 120 }, (_, n) => `${n + 1}`));
  expect(records.every(({ event }) => event.data?.length === data.length)).toBe(true);
  await again.close();
  await store.close();
  for (const one of [dir, copy]) rmSync(one, { recursive: true });
});
