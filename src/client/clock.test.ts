import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemClock } from "./clock.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: 1_000_000_000_000 }));
afterEach(() => void vi.useRealTimers());

const minuteMs = 60_000;
const dayMs = 86_400_000;

function fires(ms: number): { readonly at: () => boolean; readonly cancel: () => void } {
  let fired = false;
  const cancel = systemClock.after(ms, () => (fired = true));
  return { at: () => fired, cancel };
}

test("a delay is kept, however long", () => {
  const { at } = fires(40 * dayMs);
  vi.advanceTimersByTime(40 * dayMs - 1);
  expect(at()).toBe(false);
  vi.advanceTimersByTime(1);
  expect(at()).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test("a cancelled delay never ends, in whatever step it is", () => {
  const { at, cancel } = fires(10 * minuteMs);
  vi.advanceTimersByTime(5 * minuteMs);
  cancel();
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(dayMs);
  expect(at()).toBe(false);
});

test("after a sleep of the machine what was due meanwhile comes within a minute", () => {
  const due = fires(3 * 3600_000);
  const later = fires(10 * 3600_000);
  vi.advanceTimersByTime(minuteMs / 2);
  vi.setSystemTime(Date.now() + 8 * 3600_000);
  expect(due.at()).toBe(false);
  vi.advanceTimersByTime(minuteMs / 2);
  expect([due.at(), later.at()]).toEqual([true, false]);
  vi.advanceTimersByTime(2 * 3600_000);
  expect(later.at()).toBe(true);
});

test("a clock set back makes no delay longer", () => {
  const { at } = fires(10 * minuteMs);
  vi.advanceTimersByTime(minuteMs / 2);
  vi.setSystemTime(Date.now() - dayMs);
  vi.advanceTimersByTime(10 * minuteMs);
  expect(at()).toBe(true);
});
