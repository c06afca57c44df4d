import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Logger } from "../../telemetry/logger.ts";
import { createSettling } from "./settling.ts";

const told: string[] = [];
const log = { warn: (message: string) => told.push(message) } as unknown as Logger;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setImmediate", "clearImmediate", "setTimeout", "clearTimeout"] });
  told.length = 0;
});
afterEach(() => void vi.useRealTimers());

test("runs once for all requests of a turn", async () => {
  let runs = 0;
  const settling = createSettling(() => (runs += 1), { name: "counting", log });
  settling.soon();
  settling.soon();
  expect(runs).toBe(0);
  await vi.advanceTimersByTimeAsync(5000);
  expect(runs).toBe(1);
});

test("a run that fails is told, and tried again each second until it does not", async () => {
  let runs = 0;
  const settling = createSettling(
    () => {
      runs += 1;
      if (runs < 3) throw new Error("the disk is full");
    },
    { name: "writing", log },
  );
  settling.soon();
  await vi.advanceTimersByTimeAsync(900);
  expect([runs, told.length]).toEqual([1, 1]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect([runs, told.length]).toEqual([3, 2]);
});

test("runs no more once it is stopped, also when a run was due or to be tried again", async () => {
  let runs = 0;
  const settling = createSettling(
    () => {
      runs += 1;
      throw new Error("the disk is full");
    },
    { name: "writing", log },
  );
  settling.soon();
  await vi.advanceTimersByTimeAsync(100);
  settling.soon();
  settling.stop();
  settling.soon();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(runs).toBe(1);
});
