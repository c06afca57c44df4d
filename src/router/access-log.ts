import type { Exchange } from "./proxy/exchange.ts";

/** One finished request, as a line of JSON. */
export interface AccessEntry {
  readonly time: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly protocol: string;
  /** 0: the client left before there was one. */
  readonly status: number;
  /** `ok`, or what went wrong: also for a response that was cut after its status had been sent. */
  readonly outcome: string;
  readonly durationMs: number;
  /** Until an instance had it. */
  readonly waitMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly remote: string;
  readonly requestId: string;
  readonly revision: string;
  readonly instance: string;
  readonly cold: boolean;
}

export function makeAccessEntry(exchange: Exchange, nowMs: number): AccessEntry {
  const { front, arrivedMs, sentMs } = exchange;
  return {
    time: new Date(arrivedMs).toISOString(),
    method: front.method,
    host: front.host,
    path: front.target,
    protocol: front.protocol,
    status: exchange.status,
    outcome: exchange.outcome,
    durationMs: round(nowMs - arrivedMs),
    waitMs: sentMs === 0 ? round(nowMs - arrivedMs) : round(sentMs - arrivedMs),
    bytesIn: front.bytesIn,
    bytesOut: front.bytesOut,
    remote: front.remoteAddress,
    requestId: front.requestId,
    revision: exchange.runtime?.key ?? "",
    instance: exchange.instance?.id ?? "",
    cold: exchange.cold,
  };
}

/** Microseconds are enough. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
