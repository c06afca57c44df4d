/** The cluster-wide autoscaler settings: ConfigMap `config-autoscaler` (Knative Serving pkg/autoscaler/config). */
import { parseDuration } from "../api/meta/duration.ts";
import { readBoolean, readDuration, readNumber, type Problem, type Range } from "./setting.ts";

export const kpaClass = "kpa.autoscaling.knative.dev";
export const hpaClass = "hpa.autoscaling.knative.dev";

/** Names say the unit; ratios and percentages are normalised once, here. */
export interface KpaConfig {
  readonly defaultClass: string;
  /** Requests in flight one instance is given when neither the revision nor an annotation says. */
  readonly concurrencyTotal: number;
  readonly rpsTotal: number;
  /** Share of the concurrency total to aim for, 0…1. Requests per second always aim for 0.7. */
  readonly concurrencyUtilization: number;
  readonly stableWindowMs: number;
  readonly panicWindowPercentage: number;
  readonly panicThresholdPercentage: number;
  readonly maxScaleUpRate: number;
  readonly maxScaleDownRate: number;
  readonly scaleToZero: boolean;
  readonly scaleToZeroGraceMs: number;
  readonly podRetentionMs: number;
  readonly initialScale: number;
  readonly allowZeroInitialScale: boolean;
  readonly minScale: number;
  /** 0: none. */
  readonly maxScale: number;
  readonly scaleDownDelayMs: number;
  /** -1: unlimited. */
  readonly targetBurstCapacity: number;
}

export const defaultKpaConfig: KpaConfig = {
  defaultClass: kpaClass,
  concurrencyTotal: 100,
  rpsTotal: 200,
  concurrencyUtilization: 0.7,
  stableWindowMs: 60_000,
  panicWindowPercentage: 10,
  panicThresholdPercentage: 200,
  maxScaleUpRate: 1000,
  maxScaleDownRate: 2,
  scaleToZero: true,
  scaleToZeroGraceMs: 30_000,
  podRetentionMs: 0,
  initialScale: 1,
  allowZeroInitialScale: false,
  minScale: 0,
  maxScale: 0,
  scaleDownDelayMs: 0,
  targetBurstCapacity: 211,
};

const hourMs = 3_600_000;
const whole = (from: number): Range => ({ from, to: 2 ** 31 - 1, whole: true });
const window: Range = { from: 6000, to: hourMs, whole: true };
const delay: Range = { from: 0, to: hourMs, whole: true };

/**
 * Settings from a ConfigMap's data, defaults for keys that are absent. A value that cannot be used is reported with
 * key and value and its default stands; whoever keeps a last good configuration should stay with it then.
 */
export function parseKpaConfig(data: Readonly<Record<string, string>>): {
  readonly config: KpaConfig;
  readonly problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const base = defaultKpaConfig;
  const number = (key: string, fallback: number, range: Range): number =>
    readNumber({ name: key, text: data[key], fallback, range, problems });
  const duration = (key: string, fallback: number, range: Range): number =>
    readDuration({ name: key, text: data[key], fallback, range, problems });
  const percentage = number("container-concurrency-target-percentage", 70, { above: 0, to: 100 });
  const config: KpaConfig = {
    defaultClass: data["pod-autoscaler-class"] ?? base.defaultClass,
    concurrencyTotal: number("container-concurrency-target-default", 100, { from: 0.01 }),
    rpsTotal: number("requests-per-second-target-default", 200, { from: 0.01 }),
    // Both spellings are in use: 70 and 0.7.
    concurrencyUtilization: percentage > 1 ? percentage / 100 : percentage,
    stableWindowMs: duration("stable-window", base.stableWindowMs, window),
    panicWindowPercentage: number("panic-window-percentage", base.panicWindowPercentage, { from: 1, to: 100 }),
    panicThresholdPercentage: number("panic-threshold-percentage", 200, { from: 110, to: 1000 }),
    maxScaleUpRate: number("max-scale-up-rate", base.maxScaleUpRate, { above: 1 }),
    maxScaleDownRate: number("max-scale-down-rate", base.maxScaleDownRate, { above: 1 }),
    scaleToZero: readBoolean({
      name: "enable-scale-to-zero",
      text: data["enable-scale-to-zero"],
      fallback: true,
      problems,
    }),
    scaleToZeroGraceMs: duration("scale-to-zero-grace-period", base.scaleToZeroGraceMs, { from: 0 }),
    podRetentionMs: duration("scale-to-zero-pod-retention-period", 0, { from: 0, to: hourMs }),
    initialScale: number("initial-scale", base.initialScale, whole(0)),
    allowZeroInitialScale: readBoolean({
      name: "allow-zero-initial-scale",
      text: data["allow-zero-initial-scale"],
      fallback: false,
      problems,
    }),
    minScale: number("min-scale", 0, whole(0)),
    maxScale: number("max-scale", 0, whole(0)),
    scaleDownDelayMs: duration("scale-down-delay", 0, delay),
    targetBurstCapacity: number("target-burst-capacity", base.targetBurstCapacity, { from: 0, or: -1 }),
  };
  if (config.initialScale === 0 && !config.allowZeroInitialScale) {
    problems.push({
      name: "initial-scale",
      value: "0",
      message: "must be 1 or more unless allow-zero-initial-scale is true",
    });
    return { config: { ...config, initialScale: base.initialScale }, problems };
  }
  return { config, problems };
}

/** How long a revision may take to start, from `config-deployment`; default 10 minutes. */
export function parseProgressDeadlineMs(data: Readonly<Record<string, string>>): number {
  const ms = parseDuration(data["progress-deadline"] ?? "600s");
  return ms === undefined || ms <= 0 ? 600_000 : ms;
}
