/** Where the time of a request went, in milliseconds. */
export interface Timing {
  /** Waiting for room on an instance that was up. */
  readonly queueMs: number;
  /** Waiting for an instance to start. */
  readonly wakeMs: number;
  /** The function, until its first byte. */
  readonly runMs: number;
  /** From the connection to the first byte, and to the last. */
  readonly firstByteMs: number;
  readonly allMs: number;
}

/** Splits a request by the router's Server-Timing; without that header it neither waited nor woke anything. */
export function splitTiming(header: string | undefined, firstByteMs: number, allMs: number): Timing {
  const parts = new Map<string, number>();
  for (const [, name = "", ms = "0"] of (header ?? "").matchAll(/(?:^|,\s*)([\w-]+)\s*;[^,]*?dur=([\d.]+)/g))
    parts.set(name, Number(ms));
  const queueMs = parts.get("queue") ?? 0;
  const wakeMs = parts.get("cold") ?? 0;
  const waited = parts.has("queue") || parts.has("cold");
  const runMs = waited ? (parts.get("app") ?? 0) : firstByteMs;
  return { queueMs, wakeMs, runMs: round(runMs), firstByteMs: round(firstByteMs), allMs: round(allMs) };
}

/** Microseconds are enough. */
const round = (ms: number): number => Math.round(ms * 1000) / 1000;

/** `queue 0.0 ms, wake 12.1 ms, run 3.4 ms; first byte after 16.0 ms, all after 16.1 ms`. */
export function timingWords({ queueMs, wakeMs, runMs, firstByteMs, allMs }: Timing): string {
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  return `queue ${ms(queueMs)}, wake ${ms(wakeMs)}, run ${ms(runMs)}; first byte after ${ms(firstByteMs)}, all after ${ms(allMs)}`;
}
