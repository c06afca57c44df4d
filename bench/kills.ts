/**
 * Events under kill -9, `npm run bench kills -- [--rounds 200] [--seed N] [--store sqlite|jetstream]`: a process that
 * takes events and delivers them to three triggers is killed again and again, with JetStream the server too.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runCrashRounds, type CrashOutcome, type CrashRounds } from "../test/crash/event-rounds.ts";
import { knowsSync, makeNats, natsVersion, noNats } from "../test/events/nats-server.ts";
import { report, type BenchRow } from "./report.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "200" },
    seed: { type: "string", default: "20261121" },
    store: { type: "string" },
  },
});
const [rounds, seed] = [Number(values.rounds), Number(values.seed)];
if (!Number.isInteger(rounds) || rounds < 1 || !Number.isInteger(seed)) {
  console.error("--rounds must be a whole number from 1, --seed a whole number");
  process.exit(2);
}

/** A line every ten rounds. */
const progress =
  (store: string): NonNullable<CrashRounds["onRound"]> =>
  (round, acknowledged) => {
    if ((round + 1) % 10 === 0) console.log(`${store}: ${round + 1} of ${rounds} rounds, ${acknowledged} acknowledged`);
  };

async function sqlite(): Promise<BenchRow> {
  const dir = mkdtempSync(join(tmpdir(), "ebb-bench-kills-"));
  const place = join(dir, "events.db");
  const outcome = await runCrashRounds({ place, rounds, seed, onRound: progress("sqlite") });
  rmSync(dir, { recursive: true });
  return row("SQLite", outcome);
}

async function jetstream(): Promise<BenchRow> {
  const nats = await makeNats();
  await nats.start();
  const outcome = await runCrashRounds({ place: nats, rounds, seed, onRound: progress("jetstream") });
  await nats.remove();
  const sync = knowsSync ? "sync_interval always" : "which knows no sync_interval: always";
  return row(`JetStream of ${natsVersion}, ${sync}; the server killed too`, outcome);
}

function row(what: string, { acknowledged, lost, skipped, overtaken, repeated }: CrashOutcome): BenchRow {
  for (const [name, ids] of Object.entries({ lost, skipped, overtaken }))
    if (ids.length > 0) console.error(`${name}: ${ids.slice(0, 20).join(" ")}${ids.length > 20 ? " …" : ""}`);
  return {
    what: `kill -9 × ${rounds} under load, ${what}`,
    measured: `${lost.length} lost, ${skipped.length} skipped, ${overtaken.length} out of order of ${acknowledged} acknowledged × 3 triggers (${repeated} delivered again, seed ${seed})`,
    target: "0 lost, 0 skipped",
    met: lost.length === 0 && skipped.length === 0 && overtaken.length === 0,
  };
}

if (noNats !== undefined) console.log(`the log in JetStream is not tried: ${noNats}`);
const stores = { sqlite, ...(noNats === undefined ? { jetstream } : {}) };
const rows: BenchRow[] = [];
for (const [name, run] of Object.entries(stores))
  if (values.store === undefined || values.store === name) rows.push(await run());
// A part of it is no result to keep.
if (values.store === undefined && rounds >= 200) report("kills", rows);
else for (const { what, measured, met } of rows) console.log(`${met ? "✓" : "✗"} ${what}: ${measured}`);
process.exit(rows.every(({ met }) => met) ? 0 : 1);
