/**
 * Several routers' reports made one: what each of them last said about a revision, added up, so that the autoscaler
 * hears what one router would tell that carried all of it. Plain mutable data owned by whoever made it.
 */
import type { LoadSample } from "./load.ts";

/** A router that said nothing for this long counts no more. */
export const silentMs = 3000;

/** A report is due every second: when none was handed on for this long, another router sets the pace. */
const lateMs = 1500;

interface Share {
  readonly sample: LoadSample;
  readonly atMs: number;
}

interface Shares {
  readonly byRouter: Map<string, Share>;
  /** The router whose reports are the moments at which the sum is handed on. */
  pacer: string;
  handedOnMs: number;
}

export interface LoadSum {
  readonly revisions: Map<string, Shares>;
}

export const createLoadSum = (): LoadSum => ({ revisions: new Map() });

/**
 * Takes one router's report in. Gives the sum over all routers when it is to be handed on: with each report of the
 * router that was first, so once a second whatever the number of routers; and at once, unchanged, with only one.
 */
export function addReport(sum: LoadSum, router: string, sample: LoadSample, nowMs: number): LoadSample | undefined {
  const shares = sharesOf(sum, sample.revision, router);
  shares.byRouter.set(router, { sample, atMs: nowMs });
  const due = shares.pacer === router || nowMs - shares.handedOnMs >= lateMs;
  const total = due ? totalOf(shares, sample, nowMs) : undefined;
  if (isIdle(sample)) shares.byRouter.delete(router);
  if (shares.byRouter.size === 0) sum.revisions.delete(sample.revision);
  if (due) {
    shares.pacer = router;
    shares.handedOnMs = nowMs;
  }
  return total;
}

/** Takes in that requests wait at a router; gives how many wait at all of them. */
export function addDemand(
  sum: LoadSum,
  router: string,
  { revision, waiting, ready }: { readonly revision: string; readonly waiting: number; readonly ready: number },
  nowMs: number,
): number {
  const shares = sharesOf(sum, revision, router);
  const before = shares.byRouter.get(router)?.sample ?? { ...nothing, revision };
  shares.byRouter.set(router, { sample: { ...before, queued: waiting, readyInstances: ready }, atMs: nowMs });
  let total = 0;
  for (const { sample, atMs } of shares.byRouter.values()) if (nowMs - atMs <= silentMs) total += sample.queued;
  return total;
}

/** A router that has gone: what it reported counts no more. */
export function removeRouter(sum: LoadSum, router: string): void {
  for (const [revision, { byRouter }] of sum.revisions) {
    if (byRouter.delete(router) && byRouter.size === 0) sum.revisions.delete(revision);
  }
}

const nothing = { averageConcurrency: 0, requestCount: 0, periodS: 1, queued: 0, readyInstances: 0 };

function sharesOf(sum: LoadSum, revision: string, router: string): Shares {
  let shares = sum.revisions.get(revision);
  if (!shares) {
    shares = { byRouter: new Map(), pacer: router, handedOnMs: Number.NEGATIVE_INFINITY };
    sum.revisions.set(revision, shares);
  }
  return shares;
}

const isIdle = ({ averageConcurrency, requestCount, queued }: LoadSample): boolean =>
  averageConcurrency === 0 && requestCount === 0 && queued === 0;

/** Over the period of `own`, the report just taken in; what routers reported too long ago goes. */
function totalOf({ byRouter }: Shares, own: LoadSample, nowMs: number): LoadSample {
  if (byRouter.size === 1) return own;
  let { averageConcurrency, requestCount, queued, readyInstances } = own;
  for (const [router, { sample, atMs }] of byRouter) {
    if (sample === own) continue;
    if (nowMs - atMs > silentMs) {
      byRouter.delete(router);
      continue;
    }
    averageConcurrency += sample.averageConcurrency;
    requestCount += sample.periodS > 0 ? (sample.requestCount / sample.periodS) * own.periodS : sample.requestCount;
    queued += sample.queued;
    // Each router sees all instances; one that has just come sees fewer.
    readyInstances = Math.max(readyInstances, sample.readyInstances);
  }
  return { revision: own.revision, averageConcurrency, requestCount, periodS: own.periodS, queued, readyInstances };
}
