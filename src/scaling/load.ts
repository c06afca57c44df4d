/** What the data plane tells the autoscaler: the seam between the router and the KPA controller. Types only. */

/**
 * One revision's load over the period since the last report (about a second). A request that one router passes on to
 * another is in the report of one of them only.
 */
export interface LoadSample {
  /** `namespace/name` of the Revision. */
  readonly revision: string;
  /** Time-weighted mean of requests in flight and queued. */
  readonly averageConcurrency: number;
  /** Requests that arrived in the period. */
  readonly requestCount: number;
  /** Length of the period, seconds. */
  readonly periodS: number;
  /** Waiting in the router's queue at the end of the period. */
  readonly queued: number;
  /** Instances able to take requests at the end of the period. */
  readonly readyInstances: number;
}

/** Implemented by the autoscaler, called by the router. Neither call may block or throw. */
export interface LoadListener {
  /**
   * Edge: a request for this revision had to wait and too few instances are up or on their way. Called in the same
   * turn as the request, repeatedly while the queue grows. `ready`: instances that could take requests had they room.
   */
  demand(revision: string, waiting: number, nowMs: number, ready: number): void;
  /**
   * Level: every revision with load since the last report, once a second. A revision that went idle is reported with
   * zeros until the listener says it need not be (returns from {@link wantsSamples}).
   */
  samples(samples: readonly LoadSample[], nowMs: number): void;
  /** False when the revision's window is all zero and it has no instances: silence then costs nothing. */
  wantsSamples(revision: string): boolean;
}
