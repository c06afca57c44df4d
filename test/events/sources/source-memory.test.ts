import { mkdtempSync, rmSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../../src/client/clock.ts";
import type { EventStore } from "../../../src/events/log/event-store.ts";
import { openJetStreamStore } from "../../../src/events/log/jetstream-store.ts";
import { openSqliteStore } from "../../../src/events/log/sqlite-store.ts";
import { sourceMemory } from "../../../src/events/sources/source-memory.ts";
import { makeNats, noNats } from "../nats-server.ts";
import { silentLogger as log } from "../../silent-logger.ts";

async function holdsAll(store: EventStore): Promise<void> {
  const written = new Set<string>();
  const documents: Pick<EventStore, "getDocument" | "putDocument" | "deleteDocument"> = {
    getDocument: (name) => store.getDocument(name),
    putDocument: (name, document) => (written.add(name), store.putDocument(name, document)),
    deleteDocument: (name) => (written.delete(name), store.deleteDocument(name)),
  };
  const open = () => sourceMemory(documents, "source/u", () => Date.now() + 60_000);
  expect(await open().read()).toBeUndefined();
  const marks = (count: number): string =>
    JSON.stringify(
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`/in/file-${n}.json`, `${n}:${n * 7}`])),
    );
  // As it is, packed, in pieces, in other pieces, and back again.
  for (const text of ["", marks(3), marks(30_000), noise(3), noise(2), marks(3), noise(1)]) {
    await open().write(text);
    expect((await open().read()) === text).toBe(true);
    expect(written.size).toBeLessThan(9);
  }
  await open().forget();
  expect([await open().read(), written.size]).toEqual([undefined, 0]);
}
const noise = (megabytes: number): string => randomBytes(megabytes * 1024 * 1024).toString("base64");

test("a source remembers as much as it likes, in SQLite", async () => {
  const dir = mkdtempSync(join(tmpdir(), "ebb-memory-"));
  const store = openSqliteStore({ path: join(dir, "events.db") }, systemClock);
  await holdsAll(store);
  await store.close();
  rmSync(dir, { recursive: true });
});

test.skipIf(noNats !== undefined)("a source remembers as much as it likes, in NATS", async () => {
  const nats = await makeNats();
  await nats.start();
  const store = await openJetStreamStore({ servers: nats.url }, { clock: systemClock, log });
  await holdsAll(store);
  await store.close();
  await nats.remove();
});
