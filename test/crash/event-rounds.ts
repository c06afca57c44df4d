/** Kills a process that appends and delivers events at random points, and counts what is missing afterwards. */
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { seededRandom } from "./seeded-random.ts";

export interface CrashRounds {
  /** File of the SQLite store, or the URL of a NATS server. */
  readonly place: string;
  readonly rounds: number;
  readonly seed: number;
  /** Called while the writer is dead. */
  readonly between?: (round: number) => Promise<void>;
}

export interface CrashOutcome {
  readonly acknowledged: number;
  /** Acknowledged and not in the log. */
  readonly lost: readonly string[];
  /** Acknowledged and not delivered to one of the triggers. */
  readonly skipped: readonly string[];
  /** Deliveries beyond the first. */
  readonly repeated: number;
}

export async function runCrashRounds({ place, rounds, seed, between }: CrashRounds): Promise<CrashOutcome> {
  const random = seededRandom(seed);
  const received = new Map<string, Set<string>>([
    ["/a", new Set()],
    ["/b", new Set()],
  ]);
  let deliveries = 0;
  const sink = createServer((request, response) => {
    request.resume().once("end", () => {
      received.get(request.url ?? "")?.add(String(request.headers["ce-id"]));
      deliveries += 1;
      response.end();
    });
  });
  await new Promise<void>((resolve) => sink.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(sink.address() as AddressInfo).port}/`;
  const acknowledged: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    acknowledged.push(...(await runWriter([place, url, `${round}`], Math.floor(random() * 150))));
    await between?.(round);
  }
  const kept = new Set(await runWriter([place, url, "-"], undefined));
  sink.closeAllConnections();
  sink.close();
  return {
    acknowledged: acknowledged.length,
    lost: acknowledged.filter((id) => !kept.has(id)),
    skipped: acknowledged.filter((id) => [...received.values()].some((ids) => !ids.has(id))),
    repeated: deliveries - [...received.values()].reduce((sum, ids) => sum + ids.size, 0),
  };
}

/** The lines it told. Killed `afterMs` after the first of them; undefined lets it end by itself. */
async function runWriter(args: readonly string[], afterMs: number | undefined): Promise<string[]> {
  const writer = spawn(process.execPath, [join(import.meta.dirname, "event-writer.ts"), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [told, complaints] = ["", ""];
  writer.stderr.on("data", (chunk) => (complaints += String(chunk)));
  writer.stdout.on("data", (chunk) => (told += String(chunk)));
  if (afterMs !== undefined) writer.stdout.once("data", () => setTimeout(() => writer.kill("SIGKILL"), afterMs));
  const deadline = setTimeout(() => writer.kill("SIGTERM"), 60_000);
  await new Promise((resolve) => void writer.once("close", resolve));
  clearTimeout(deadline);
  const serious = complaints.replace(/.*ExperimentalWarning.*|.*--trace-warnings.*/g, "").trim();
  if (serious !== "" || writer.signalCode === "SIGTERM")
    throw new Error(`the writer failed: ${serious || "it did not end"}`);
  return told.split("\n").slice(0, -1);
}
