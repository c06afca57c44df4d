import { expect, test } from "vitest";
import { ManualClock } from "../../../client/manual-clock.ts";
import { createProcessTable } from "./process-table.ts";

const stat = (pid: number, session: number, cpuTicks: number, residentPages: number) => ({
  pid,
  session,
  cpuTicks,
  residentPages,
  startTime: 0,
});

test("a session's use is that of all its processes", () => {
  const table = createProcessTable(new ManualClock(0), () => [
    stat(1, 10, 3, 100),
    stat(2, 10, 4, 50),
    stat(3, 20, 1, 1),
  ]);
  expect(table.usage(10)).toEqual({ cpuNanoseconds: 70_000_000, memoryBytes: 150 * 4096 });
  expect(table.usage(99)).toBeUndefined();
});

test("asking about many sessions reads once, asking later reads again", async () => {
  const clock = new ManualClock(0);
  let reads = 0;
  const table = createProcessTable(clock, () => {
    reads += 1;
    return [stat(1, 10, reads, 1)];
  });
  for (let session = 0; session < 1_000; session++) table.usage(session);
  expect(reads).toBe(1);
  await clock.advance(100);
  expect(table.usage(10)?.cpuNanoseconds).toBe(20_000_000);
});
