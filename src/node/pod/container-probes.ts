import type { Container, Probe } from "../../api/core/types.gen.ts";
import type { Clock } from "../../client/clock.ts";
import { probeOnce, type ProbeTarget } from "../probes/probe-once.ts";
import { startProber, type ProbeKind } from "../probes/prober.ts";
import type { RunningContainer } from "../runtime.ts";

export interface HealthListener {
  onStarted(): void;
  onReady(ready: boolean): void;
  /** The container must be ended: its startup or liveness probe gave up on it. */
  onUnhealthy(kind: "startup" | "liveness", probe: Probe, message: string): void;
  /** One counted failure, for an Unhealthy event. */
  onFailure(kind: ProbeKind, message: string): void;
}

/**
 * Watches one start of a container by its probes: startup first, then readiness and liveness side by side. Without a
 * startup probe it counts as started at once; without a readiness probe it is ready when started.
 *
 * A program that says itself when it serves is ready in that moment if its readiness probe asks only for an open
 * port; other probes are tried then and not before.
 */
export function watchHealth(
  { clock }: { readonly clock: Clock },
  container: Pick<Container, "startupProbe" | "readinessProbe" | "livenessProbe">,
  { running, locate }: ProbeTarget & { readonly running: RunningContainer },
  listener: HealthListener,
): () => void {
  const stops: (() => void)[] = [];
  let stopped = false;

  const watch = (
    kind: ProbeKind,
    probe: Probe,
    onVerdict: (healthy: boolean, message: string) => void,
    isHealthy = false,
  ): void => {
    const stop = startProber(kind, probe, {
      clock,
      healthy: isHealthy,
      once: (signal) => probeOnce(probe, { running, locate }, signal),
      onVerdict: (healthy, result) => onVerdict(healthy, result.ok ? "" : result.message),
      onFailure: (result) => listener.onFailure(kind, result.message),
    });
    stops.push(stop);
  };

  const afterStart = (): void => {
    listener.onStarted();
    const { readinessProbe, livenessProbe } = container;
    if (readinessProbe) {
      const saysSo = running.serves !== undefined && onlyAsksForPort(readinessProbe);
      if (saysSo) listener.onReady(true);
      watch("readiness", readinessProbe, (healthy) => listener.onReady(healthy), saysSo);
    } else listener.onReady(true);
    if (livenessProbe) {
      watch("liveness", livenessProbe, (healthy, message) => {
        if (!healthy) listener.onUnhealthy("liveness", livenessProbe, message);
      });
    }
  };

  const begin = (): void => {
    const { startupProbe } = container;
    if (!startupProbe) return afterStart();
    const stopStartup = startProber("startup", startupProbe, {
      clock,
      once: (signal) => probeOnce(startupProbe, { running, locate }, signal),
      onFailure: (result) => listener.onFailure("startup", result.message),
      onVerdict: (healthy, result) => {
        stopStartup();
        if (healthy) afterStart();
        else listener.onUnhealthy("startup", startupProbe, result.ok ? "" : result.message);
      },
    });
    stops.push(stopStartup);
  };

  if (running.serves) void running.serves.then(() => !stopped && begin());
  else begin();
  return () => {
    stopped = true;
    for (const stop of stops) stop();
  };
}

const onlyAsksForPort = (probe: Probe): boolean =>
  probe.tcpSocket !== undefined && (probe.initialDelaySeconds ?? 0) === 0 && (probe.successThreshold ?? 1) <= 1;
