import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeNats, noNats } from "../events/nats-server.ts";
import { runCrashRounds } from "./event-rounds.ts";

const nothingMissing = { lost: [], skipped: [], overtaken: [] };

test("no acknowledged event is lost or skipped by kill -9, in SQLite", { timeout: 180_000 }, async () => {
  const dir = mkdtempSync(join(tmpdir(), "ebb-crash-events-"));
  const outcome = await runCrashRounds({ place: join(dir, "events.db"), rounds: 8, seed: 20_261_121, mostTaken: 150 });
  expect(outcome).toMatchObject(nothingMissing);
  expect(outcome.acknowledged).toBeGreaterThan(100);
  rmSync(dir, { recursive: true });
});

if (noNats !== undefined) test.skip(`kill -9 with NATS: ${noNats}`, () => undefined);

test.skipIf(noNats !== undefined)(
  "no acknowledged event is lost or skipped by kill -9 of ebb and of the server, in NATS",
  { timeout: 180_000 },
  async () => {
    const nats = await makeNats();
    await nats.start();
    const outcome = await runCrashRounds({ place: nats, rounds: 6, seed: 20_261_122, mostTaken: 100 });
    expect(outcome).toMatchObject(nothingMissing);
    expect(outcome.acknowledged).toBeGreaterThan(50);
    await nats.remove();
  },
);
