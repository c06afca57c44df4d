/** A process that reads a source is killed again and again, while messages come: nothing may be lost. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect } from "vitest";
import type { SourceSpec } from "../../../src/api/eventing/source-engine.ts";
import { bodies, until, type SourceBench } from "./source-bench.ts";

const rounds = 3;
const perRound = 60;
/** Of one process at most, with what the sources of these tests are told. */
const mostUnderWay = 40;

/** All that is sent: what comes again where delivered messages are acknowledged together, a moment later. */
export const everything = rounds * perRound;

/**
 * `send` resolves when the server has the message. The source must begin with the first one. `mostAgain` bounds what one
 * death repeats.
 */
export async function outlivesKills(
  bench: SourceBench,
  spec: SourceSpec,
  send: (text: string) => Promise<unknown>,
  mostAgain: number = mostUnderWay,
): Promise<void> {
  let sent = 0;
  let child = read(spec);
  try {
    for (let round = 0; round < rounds; round += 1) {
      await once(child.stdout ?? child, "data");
      for (const end = sent + perRound; sent < end; sent += 1) await send(String(sent));
      // At another place of the round each time.
      await until(
        () => bench.received.length,
        (count) => count >= sent - perRound + 10 + round * 7,
        "some events",
        30_000,
      );
      child.kill("SIGKILL");
      await once(child, "exit");
      child = read(spec);
    }
    const wanted = new Set(Array.from({ length: sent }, (_, n) => String(n)));
    const missed = (): string[] => [...wanted.difference(new Set(bodies(bench.received)))];
    await until(missed, (left) => left.length === 0, "delivery of all", 60_000);
    // What was not acknowledged at each death comes again, and no more than that.
    expect(bench.received.length).toBeLessThan(sent + rounds * mostAgain);
  } finally {
    child.kill("SIGKILL");
  }
}

function read(spec: SourceSpec): ChildProcess {
  const script = join(import.meta.dirname, "reading-process.ts");
  return spawn(process.execPath, [script, JSON.stringify(spec)], { stdio: ["ignore", "pipe", "inherit"] });
}
