/** The kubelet's crash-loop back-off: 10 s doubling to 300 s, forgotten after 10 minutes of running. */

export interface BackoffState {
  readonly delayMs: number;
}

const firstMs = 10_000;
const maxMs = 300_000;
const forgetAfterMs = 600_000;

export const noBackoff: BackoffState = { delayMs: 0 };

/** The wait before the next start of a container that ran for `ranMs` and ended: 0 (at once), 10 s, 20 s … 300 s. */
export function nextBackoff(state: BackoffState | undefined, ranMs: number): BackoffState {
  if (state === undefined || ranMs >= forgetAfterMs) return noBackoff;
  return { delayMs: state.delayMs === 0 ? firstMs : Math.min(maxMs, state.delayMs * 2) };
}

/** Go's way of writing a duration of whole seconds, as the kubelet puts it into messages: 10s, 1m20s, 5m0s. */
export function backoffText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

/** Whether a container that ended is started again; `always` wins for a sidecar. */
export function restarts(policy: string | undefined, exitCode: number): boolean {
  if (policy === "Never") return false;
  if (policy === "OnFailure") return exitCode !== 0;
  return true;
}
