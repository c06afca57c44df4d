/**
 * The load of all revisions over the last seconds, for whoever else scales by it: what the metrics APIs tell. Plain mutable
 * data owned by whoever made it; a revision without load costs nothing.
 */
import type { LoadSample } from "./load.ts";
import { average, createWindow, record, type MetricWindow } from "./metric-window.ts";

/** Averages are over this long: an HPA looks every 15 s. */
export const bookWindowS = 15;

interface Page {
  readonly concurrency: MetricWindow;
  readonly requests: MetricWindow;
  queued: number;
  /** When there was last any load. */
  busyMs: number;
}

export interface LoadBook {
  readonly pages: Map<string, Page>;
}

export interface RevisionLoad {
  /** Requests in flight and waiting, on average. */
  readonly concurrency: number;
  /** Requests a second, on average. */
  readonly rps: number;
  /** Requests waiting for an instance, at the last report. */
  readonly queued: number;
}

export const createLoadBook = (): LoadBook => ({ pages: new Map() });

const none: RevisionLoad = Object.freeze({ concurrency: 0, rps: 0, queued: 0 });

export function noteLoad(book: LoadBook, sample: LoadSample, nowMs: number): void {
  const { revision, averageConcurrency, requestCount, queued } = sample;
  const isIdle = averageConcurrency === 0 && requestCount === 0 && queued === 0;
  let page = book.pages.get(revision);
  if (!page) {
    if (isIdle) return;
    const [concurrency, requests] = [createWindow("linear", bookWindowS), createWindow("linear", bookWindowS)];
    book.pages.set(revision, (page = { concurrency, requests, queued, busyMs: nowMs }));
  }
  const seconds = Math.max(1, Math.round(sample.periodS));
  for (let ago = seconds - 1; ago >= 0; ago--) {
    record(page.concurrency, nowMs - ago * 1000, averageConcurrency);
    record(page.requests, nowMs - ago * 1000, requestCount / seconds);
  }
  page.queued = queued;
  if (!isIdle) page.busyMs = nowMs;
}

/** Whether a revision that is idle must still be reported for its averages to come down to zero. */
export function wantsMore(book: LoadBook, revision: string, nowMs: number): boolean {
  const page = book.pages.get(revision);
  if (page && nowMs - page.busyMs <= bookWindowS * 1000) return true;
  book.pages.delete(revision);
  return false;
}

/** Zeros for a revision that nobody has reported lately. */
export function readLoad(book: LoadBook, revision: string, nowMs: number): RevisionLoad {
  const page = book.pages.get(revision);
  if (!page) return none;
  const concurrency = average(page.concurrency, nowMs);
  if (concurrency === undefined) {
    book.pages.delete(revision);
    return none;
  }
  return { concurrency, rps: average(page.requests, nowMs) ?? 0, queued: page.queued };
}
