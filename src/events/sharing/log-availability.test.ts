import { expect, test } from "vitest";
import type { Clock } from "../../client/clock.ts";
import { watchAvailability } from "./log-availability.ts";

function play() {
  const timers: { at: number; run: () => void }[] = [];
  let [now, isOut] = [0, true];
  let look = (): void => undefined;
  const clock = {
    now: () => now,
    steadyMs: () => now,
    after(ms: number, run: () => void) {
      const timer = { at: now + ms, run };
      timers.push(timer);
      return () => void (timer.run = () => undefined);
    },
  } as unknown as Clock;
  const shares = {
    get isOut() {
      return isOut;
    },
    onChange(listener: () => void) {
      look = listener;
      return () => undefined;
    },
  };
  const told: (string | undefined)[] = [];
  const seen = watchAvailability({ shares, clock });
  seen.onChange(() => told.push(seen.trouble()));
  return {
    told,
    turn(out: boolean) {
      isOut = out;
      look();
    },
    pass(ms: number) {
      now += ms;
      for (const timer of timers.splice(0).filter((one) => (one.at > now ? void timers.push(one) : true))) timer.run();
    },
  };
}

test("a process that has not joined yet has no trouble to tell of", () => {
  const { told, turn, pass } = play();
  turn(true);
  pass(60_000);
  expect(told).toEqual([]);
});

test("what lasts is told, and that it is over; what is short is not", () => {
  const { told, turn, pass } = play();
  turn(false);
  turn(true);
  pass(4000);
  turn(false);
  pass(4000);
  expect(told).toEqual([]);
  turn(true);
  turn(true);
  pass(5000);
  expect(told).toEqual([expect.stringContaining("since 1970-01-01T00:00:08.000Z")]);
  turn(false);
  expect(told.slice(1)).toEqual([undefined]);
});
