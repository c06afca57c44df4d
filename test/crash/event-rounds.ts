/** Kills a process that takes and delivers events at random points, and counts what is missing afterwards. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { NatsServer } from "../events/nats-server.ts";
import { startLoad } from "./event-load.ts";
import { startEventSink, type EventSink } from "./event-sink.ts";
import { seededRandom } from "./seeded-random.ts";

export interface CrashRounds {
  /** File of the SQLite store, or a NATS server, which is killed as well in two of three rounds. */
  readonly place: string | NatsServer;
  readonly rounds: number;
  readonly seed: number;
  /** Events that are taken before a kill, at most. Default 400. */
  readonly mostTaken?: number;
  /** A round has ended, so many events are acknowledged. */
  readonly onRound?: (round: number, acknowledged: number) => void;
}

export interface CrashOutcome {
  readonly acknowledged: number;
  /** Acknowledged and not in the log. */
  readonly lost: readonly string[];
  /** Acknowledged and not delivered to one of the triggers. */
  readonly skipped: readonly string[];
  /** Delivered to the ordered trigger after a later one of their key. */
  readonly overtaken: readonly string[];
  /** Deliveries beyond the first. */
  readonly repeated: number;
}

/** A process under load is killed so many milliseconds after its last event, at most. */
const longestMs = 25;
/** It is killed after this in any case. */
const patienceMs = 20_000;
/** One in eight is killed while it starts, this long after its spawn at most. */
const startingMs = 500;
/** Without any progress for so long something hangs. */
const hangMs = 60_000;

export async function runCrashRounds(options: CrashRounds): Promise<CrashOutcome> {
  const { place, rounds, seed, mostTaken = 400, onRound } = options;
  const random = seededRandom(seed);
  const sink = await startEventSink(["a", "b", "ordered"], seededRandom(seed + 1));
  const nats = typeof place === "string" ? undefined : place;
  const args = [typeof place === "string" ? place : place.url, sink.url];
  const acknowledged: string[] = [];
  try {
    for (let round = 0; round < rounds; round += 1) {
      acknowledged.push(...(await runRound({ args, prefix: String(round), random, nats, mostTaken })));
      onRound?.(round, acknowledged.length);
    }
    const kept = new Set(await drain(args, sink));
    return {
      acknowledged: acknowledged.length,
      lost: acknowledged.filter((id) => !kept.has(id)),
      skipped: acknowledged.filter((id) => [...sink.triggers.values()].some((ids) => !ids.has(id))),
      overtaken: sink.overtaken,
      repeated: sink.repeated,
    };
  } finally {
    sink.close();
  }
}

interface Round {
  readonly args: readonly string[];
  readonly prefix: string;
  readonly random: () => number;
  readonly nats: NatsServer | undefined;
  readonly mostTaken: number;
}

/** What was acknowledged. */
async function runRound({ args, prefix, random, nats, mostTaken }: Round): Promise<readonly string[]> {
  const [starting, first, second, victim] = [random() < 1 / 8, random(), random(), Math.floor(random() * 3)];
  const writer = startProcess([...args, "serve"]);
  if (starting) {
    await wait(first * startingMs);
    if (nats && victim > 0) await Promise.all([nats.stop("SIGKILL"), writer.kill()]);
    else await writer.kill();
    await nats?.start();
    return [];
  }
  const load = startLoad(Number(await writer.line()), prefix);
  const under = async (events: number, ms: number): Promise<void> => {
    const reached = load.reached(load.taken.length + Math.floor(events * mostTaken));
    await Promise.race([reached, writer.ended, wait(patienceMs, undefined, { ref: false })]);
    await wait(ms * longestMs);
  };
  await under(first ** 2, second);
  // The server alone: the process goes on when it is back, and dies later.
  if (nats && victim === 1) {
    await nats.stop("SIGKILL");
    await nats.start();
    await under(second ** 2, first);
  }
  if (nats && victim === 2) await Promise.all([nats.stop("SIGKILL"), writer.kill()]);
  else await writer.kill();
  await load.stop();
  if (victim === 2) await nats?.start();
  return load.taken;
}

/** Delivers what is left, and resolves to the ids in the log. */
async function drain(args: readonly string[], sink: EventSink): Promise<readonly string[]> {
  const writer = startProcess([...args, "drain"]);
  let [before, since] = [-1, Date.now()];
  const watch = setInterval(() => {
    const now = [...sink.triggers.values()].reduce((sum, { size }) => sum + size, 0) + sink.repeated;
    if (now !== before) [before, since] = [now, Date.now()];
    else if (Date.now() - since > hangMs) void writer.kill("SIGTERM");
  }, 1000);
  const { told, signal } = await writer.ended;
  clearInterval(watch);
  if (signal === "SIGTERM") throw new Error("what is left was not delivered: nothing came for a minute");
  return told.split("\n").slice(0, -1);
}

interface Writer {
  /** Its first line. Rejects when it ends before, with what it complained of. */
  line(): Promise<string>;
  readonly ended: Promise<{ readonly told: string; readonly signal: NodeJS.Signals | null }>;
  kill(signal?: NodeJS.Signals): Promise<void>;
}

function startProcess(args: readonly string[]): Writer {
  const child: ChildProcess = spawn(process.execPath, [join(import.meta.dirname, "event-process.ts"), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [told, complaints] = ["", ""];
  const first = Promise.withResolvers<string>();
  first.promise.catch(() => undefined);
  child.stderr?.on("data", (chunk) => (complaints += String(chunk)));
  child.stdout?.on("data", (chunk) => {
    told += String(chunk);
    const end = told.indexOf("\n");
    if (end >= 0) first.resolve(told.slice(0, end));
  });
  const ended = once(child, "close").then(() => {
    const serious = complaints.replace(/.*ExperimentalWarning.*|.*--trace-warnings.*/g, "").trim();
    const problem = new Error(`the process failed: ${serious || `it ended with ${child.exitCode}`}`);
    first.reject(problem);
    if (serious !== "" || (child.exitCode !== null && child.exitCode !== 0)) throw problem;
    return { told, signal: child.signalCode };
  });
  ended.catch(() => undefined);
  return {
    line: () => first.promise,
    ended,
    async kill(signal = "SIGKILL") {
      child.kill(signal);
      await ended;
    },
  };
}
