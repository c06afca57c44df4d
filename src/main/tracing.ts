/** Traces of events to a collector, where the standard variables of OpenTelemetry name one. */
import type { Tracer } from "../api/meta/tracer.ts";
import type { Clock } from "../client/clock.ts";
import type { Logger } from "../telemetry/logger.ts";
import { createOtlpTracer, otlpSettings, type OtlpSettings } from "../telemetry/otlp-tracer.ts";

export interface TracingDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly closers: AsyncDisposableStack;
}

/** Undefined without a collector: then a span is not even begun. Variables that are wrong are told of, and cost traces only. */
export function openTracer({ env, clock, log, closers }: TracingDeps): Tracer | undefined {
  let settings: OtlpSettings | undefined;
  try {
    settings = otlpSettings(env);
  } catch (error) {
    log.warn("events are not traced", { why: error instanceof Error ? error.message : String(error) });
    return undefined;
  }
  if (!settings) return undefined;
  const tracer = createOtlpTracer(settings, {
    log,
    now: () => clock.now(),
    after: (ms, run) => clock.after(ms, run),
  });
  closers.defer(() => tracer.close());
  return tracer;
}

/** For rooms whose tracer may be absent. */
export const traced = (tracer: Tracer | undefined): { readonly tracer?: Tracer } => (tracer ? { tracer } : {});
