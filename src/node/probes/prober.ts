import type { Probe } from "../../api/core/types.gen.ts";
import type { Clock } from "../../client/clock.ts";
import type { ProbeResult } from "./probe-once.ts";

export type ProbeKind = "startup" | "readiness" | "liveness";

export interface ProberDeps {
  readonly clock: Clock;
  /** It is known to be healthy now: the first attempt comes a period later. */
  readonly healthy?: boolean;
  /** Runs the probe once; the signal ends it when it takes too long or probing stops. */
  readonly once: (signal: AbortSignal) => Promise<ProbeResult>;
  /** Called when the verdict changes: the first success, failureThreshold failures in a row, success again. */
  readonly onVerdict: (healthy: boolean, last: ProbeResult) => void;
  /** Called for every failure that counts. */
  readonly onFailure: (result: ProbeResult & { readonly ok: false }) => void;
}

/**
 * How soon the next extra attempt comes while a program is starting, by how long it has been probed: a program that
 * listens after 20 ms is found within 3 ms, one that takes a minute costs 20 attempts a second.
 */
function eagerMs(elapsedMs: number): number {
  if (elapsedMs < 250) return 3;
  if (elapsedMs < 2_000) return 10;
  return 50;
}

/**
 * Probes until stopped. Failures count towards failureThreshold at the probe's own pace only; startup and readiness
 * probes are tried more often, without counting, until they first succeed, so that an instance is found the moment it
 * serves (knative's aggressive probing, for all). Exec probes run at their own pace: each costs a process.
 *
 * periodSeconds 0 (knative) means the default of 10 s once ready.
 */
export function startProber(kind: ProbeKind, probe: Probe, deps: ProberDeps): () => void {
  const { clock } = deps;
  const periodMs = (probe.periodSeconds || 10) * 1000;
  const timeoutMs = (probe.timeoutSeconds || 1) * 1000;
  const successThreshold = probe.successThreshold || 1;
  const failureThreshold = probe.failureThreshold || 3;
  const eager = kind !== "liveness" && probe.exec === undefined;
  const stop = new AbortController();
  const startMs = clock.steadyMs() + (probe.initialDelaySeconds ?? 0) * 1000;
  let healthy: boolean | undefined = deps.healthy === true ? true : undefined;
  let successes = 0;
  let failures = 0;
  let countsFromMs = startMs + periodMs;

  const next = (ms: number): void => {
    const cancel = clock.after(ms, () => {
      stop.signal.removeEventListener("abort", cancel);
      void attempt();
    });
    stop.signal.addEventListener("abort", cancel, { once: true });
  };

  const attempt = async (): Promise<void> => {
    if (stop.signal.aborted) return;
    const timeout = new AbortController();
    const cancel = clock.after(timeoutMs, () => timeout.abort(new Error("probe timed out")));
    const result = await deps.once(AbortSignal.any([stop.signal, timeout.signal]));
    cancel();
    if (stop.signal.aborted) return;
    const nowMs = clock.steadyMs();
    if (result.ok) {
      failures = 0;
      successes += 1;
      if (healthy !== true && successes >= successThreshold) {
        healthy = true;
        deps.onVerdict(true, result);
      }
    } else {
      successes = 0;
      failed(result, nowMs);
    }
    if (stop.signal.aborted) return;
    const starting = eager && healthy === undefined;
    if (!starting) next(periodMs);
    else if (result.ok && successThreshold > 1) next(periodMs);
    else next(eagerMs(nowMs - startMs));
  };

  const failed = (result: ProbeResult & { readonly ok: false }, nowMs: number): void => {
    if (eager && healthy === undefined) {
      if (nowMs < countsFromMs) return;
      countsFromMs = nowMs + periodMs;
    }
    failures += 1;
    deps.onFailure(result);
    if (failures < failureThreshold) return;
    // Readiness before its first success has nothing to take back; startup and liveness then end the container.
    if (kind !== "readiness" || healthy === true) {
      healthy = kind === "readiness" ? undefined : false;
      deps.onVerdict(false, result);
      countsFromMs = nowMs + periodMs;
    }
  };

  next(healthy === true ? periodMs : Math.max(0, startMs - clock.steadyMs()));
  return () => stop.abort(new Error("probing stopped"));
}
