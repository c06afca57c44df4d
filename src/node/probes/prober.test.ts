import { expect, test } from "vitest";
import type { Probe } from "../../api/core/types.gen.ts";
import { ManualClock } from "../../client/manual-clock.ts";
import type { ProbeResult } from "./probe-once.ts";
import { startProber, type ProbeKind } from "./prober.ts";

const http = { httpGet: { port: 8080 } };

/** Probes something whose health is a function of the time since the start. */
function watch(kind: ProbeKind, probe: Probe, isOk: (sinceMs: number) => boolean, healthy = false) {
  const clock = new ManualClock(0);
  const attempts: number[] = [];
  const seen: string[] = [];
  const stop = startProber(kind, probe, {
    clock,
    healthy,
    once: () => {
      attempts.push(clock.now());
      const result: ProbeResult = isOk(clock.now()) ? { ok: true } : { ok: false, message: "no" };
      return Promise.resolve(result);
    },
    onVerdict: (healthy) => seen.push(`${healthy ? "healthy" : "unhealthy"} ${clock.now()}`),
    onFailure: () => seen.push(`failure ${clock.now()}`),
  });
  return { clock, attempts, seen, stop };
}

test("a program that listens after 120 ms is found within 3 ms, without a failure counted", async () => {
  const { clock, seen, stop } = watch("readiness", http, (ms) => ms >= 120);
  await clock.advance(200);
  expect(seen).toEqual(["healthy 120"]);
  stop();
});

test("after the first success it goes on at its own pace", async () => {
  const { clock, attempts, stop } = watch("readiness", { ...http, periodSeconds: 5 }, () => true);
  await clock.advance(16_000);
  expect(attempts).toEqual([0, 5_000, 10_000, 15_000]);
  stop();
});

test("what says itself that it serves is first probed a period later, and lost as any other", async () => {
  const probe = { ...http, periodSeconds: 5, failureThreshold: 2 };
  const { clock, attempts, seen, stop } = watch("readiness", probe, (ms) => ms < 7_000, true);
  await clock.advance(16_000);
  expect(attempts.slice(0, 3)).toEqual([5_000, 10_000, 15_000]);
  expect(seen).toEqual(["failure 10000", "failure 15000", "unhealthy 15000"]);
  stop();
});

test("readiness is lost after failureThreshold failures and regained at once when it serves again", async () => {
  const probe = { ...http, periodSeconds: 1, failureThreshold: 2 };
  const { clock, seen, stop } = watch("readiness", probe, (ms) => ms < 2_500 || ms > 4_500);
  await clock.advance(6_000);
  expect(seen).toEqual([
    "healthy 0",
    "failure 3000",
    "failure 4000",
    "unhealthy 4000",
    expect.stringMatching(/^healthy 45\d\d$/),
  ]);
  stop();
});

test("successThreshold successes in a row are needed, a period apart", async () => {
  const { clock, seen, stop } = watch("readiness", { ...http, periodSeconds: 2, successThreshold: 3 }, () => true);
  await clock.advance(10_000);
  expect(seen).toEqual(["healthy 4000"]);
  stop();
});

test("a startup probe gives up after failureThreshold periods, however often it was tried", async () => {
  const probe = { ...http, periodSeconds: 1, failureThreshold: 3 };
  const { clock, seen, attempts, stop } = watch("startup", probe, () => false);
  await clock.advance(3_500);
  expect(seen.filter((line) => line.startsWith("failure"))).toHaveLength(3);
  expect(seen.filter((line) => line.startsWith("unhealthy"))).toHaveLength(1);
  expect(Number(seen.at(-1)?.split(" ")[1])).toBeLessThan(3_200);
  expect(attempts.length).toBeGreaterThan(50);
  stop();
});

test("liveness waits for its delay and keeps to its period", async () => {
  const probe = { ...http, initialDelaySeconds: 7, periodSeconds: 3, failureThreshold: 2 };
  const { clock, attempts, seen, stop } = watch("liveness", probe, () => false);
  await clock.advance(11_000);
  expect(attempts).toEqual([7_000, 10_000]);
  expect(seen).toEqual(["failure 7000", "failure 10000", "unhealthy 10000"]);
  stop();
});

test("exec probes are not hurried: each costs a process", async () => {
  const { clock, attempts, stop } = watch("readiness", { exec: { command: ["true"] }, periodSeconds: 10 }, () => false);
  await clock.advance(25_000);
  expect(attempts).toEqual([0, 10_000, 20_000]);
  stop();
});

test("a probe that hangs is ended after timeoutSeconds, and nothing is left behind when probing stops", async () => {
  const clock = new ManualClock(0);
  const failures: number[] = [];
  const stop = startProber(
    "liveness",
    { ...http, timeoutSeconds: 2, periodSeconds: 5 },
    {
      clock,
      once: (signal) =>
        new Promise((resolve) => signal.addEventListener("abort", () => resolve({ ok: false, message: "timed out" }))),
      onVerdict: () => undefined,
      onFailure: () => failures.push(clock.now()),
    },
  );
  await clock.advance(10_000);
  expect(failures).toEqual([2_000, 9_000]);
  stop();
  await clock.advance(0);
  expect(clock.pending).toBe(0);
});
