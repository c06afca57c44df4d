import type { LifecycleHandler } from "../../api/core/types.gen.ts";
import { sleep, type Clock } from "../../client/clock.ts";
import { probeOnce, type ProbeTarget } from "../probes/probe-once.ts";

/** Runs a postStart or preStop hook; rejects with what went wrong, in words for an event. */
export async function runHook(
  clock: Clock,
  hook: LifecycleHandler,
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<void> {
  if (hook.sleep) return await sleep(clock, (hook.sleep.seconds ?? 0) * 1000, signal);
  const { exec, httpGet, tcpSocket } = hook;
  const result = await probeOnce(
    { ...(exec ? { exec } : {}), ...(httpGet ? { httpGet } : {}), ...(tcpSocket ? { tcpSocket } : {}) },
    target,
    signal,
  );
  if (!result.ok) throw new Error(result.message);
}
