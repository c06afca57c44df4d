import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";

/** One line of the table: what was measured, what came out, what it should be. */
export interface BenchRow {
  readonly what: string;
  readonly measured: string;
  readonly target: string;
  /** Undefined where there is no target. */
  readonly met?: boolean;
}

/** Prints a table and records it in bench/results/<name>.json with the machine and the commit it was taken on. */
export function report(name: string, rows: readonly BenchRow[]): void {
  const width = (pick: (row: BenchRow) => string): number => Math.max(...rows.map((row) => pick(row).length));
  const [a, b] = [width((r) => r.what), width((r) => r.measured)];
  console.log(`\n${name}`);
  for (const row of rows) {
    const mark = row.met === undefined ? " " : row.met ? "✓" : "✗";
    console.log(`${mark} ${row.what.padEnd(a)}  ${row.measured.padEnd(b)}  target ${row.target}`);
  }
  const dir = join(import.meta.dirname, "results");
  mkdirSync(dir, { recursive: true });
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
  const record = { name, date: new Date().toISOString().slice(0, 10), commit, machine, rows };
  writeFileSync(join(dir, `${name}.json`), `${JSON.stringify(record, undefined, 2)}\n`);
}

/** The p-th percentile (0–100) by nearest rank. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((x, y) => x - y);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil((p / 100) * sorted.length) - 1))] ?? Number.NaN;
}
