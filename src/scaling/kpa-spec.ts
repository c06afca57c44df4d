/**
 * What a revision asks of the autoscaler: its annotations over the cluster's settings, compiled once into the numbers
 * the decider works with. Source: Knative Serving sheet §4.1, §4.2; pkg/apis/autoscaling, reconciler/autoscaling/kpa/resources.
 */
import type { KpaConfig } from "./kpa-config.ts";
import type { Aggregation } from "./metric-window.ts";
import { readDuration, readNumber, readOneOf, type Problem, type Range } from "./setting.ts";

export type KpaMetric = "concurrency" | "rps";

export interface KpaSpec {
  readonly metric: KpaMetric;
  readonly aggregation: Aggregation;
  /** Load one instance can take: requests in flight, or requests per second. */
  readonly total: number;
  /** Load one instance should get: `total` times the target utilization, at least 0.01. */
  readonly target: number;
  /** Requests one instance can hold at the same moment, whatever the metric. */
  readonly slots: number;
  readonly stableWindowMs: number;
  readonly panicWindowMs: number;
  /** Panic starts when the panic window asks for this many times the ready instances. */
  readonly panicThreshold: number;
  readonly maxScaleUpRate: number;
  readonly maxScaleDownRate: number;
  readonly minScale: number;
  /** 0: none. */
  readonly maxScale: number;
  readonly initialScale: number;
  /** 0 or 1: unset. */
  readonly activationScale: number;
  readonly scaleDownDelayMs: number;
  readonly targetBurstCapacity: number;
  readonly scaleToZero: boolean;
  readonly graceMs: number;
  readonly podRetentionMs: number;
  /** Activating without success for longer than this gives up: the progress deadline and half a minute. */
  readonly activationTimeoutMs: number;
}

export interface KpaSource {
  readonly annotations: Readonly<Record<string, string>>;
  /** 0 or absent: no limit. */
  readonly containerConcurrency?: number;
  readonly config: KpaConfig;
  readonly progressDeadlineMs: number;
}

/** Old spellings, still accepted; the kebab-case one wins. */
const legacyNames: Readonly<Record<string, string>> = {
  "min-scale": "minScale",
  "max-scale": "maxScale",
  "initial-scale": "initialScale",
  "scale-down-delay": "scaleDownDelay",
  "scale-to-zero-pod-retention-period": "scaleToZeroPodRetentionPeriod",
  "target-utilization-percentage": "targetUtilizationPercentage",
  "target-burst-capacity": "targetBurstCapacity",
  "panic-window-percentage": "panicWindowPercentage",
  "panic-threshold-percentage": "panicThresholdPercentage",
  "activation-scale": "activationScale",
};

const prefix = "autoscaling.knative.dev/";
const minTarget = 0.01;
const activationBufferMs = 30_000;
const hourMs = 3_600_000;
const whole = (from: number): Range => ({ from, to: 2 ** 31 - 1, whole: true });

/** The value of an `autoscaling.knative.dev/` annotation under its name or its old camelCase one. */
export function annotationOf(annotations: Readonly<Record<string, string>>, name: string): string | undefined {
  const old = legacyNames[name];
  return annotations[prefix + name] ?? (old === undefined ? undefined : annotations[prefix + old]);
}

/**
 * Compiles the spec. Admission has refused bad annotations before they get here; one that still cannot be used (written
 * under an older rule, or past admission) is reported and the cluster's setting stands in.
 */
export function compileKpaSpec(source: KpaSource): { readonly spec: KpaSpec; readonly problems: readonly Problem[] } {
  const { annotations, config } = source;
  const problems: Problem[] = [];
  const setting = (name: string, fallback: number, range: Range) => ({
    name: prefix + name,
    text: annotationOf(annotations, name),
    fallback,
    range,
    problems,
  });
  const number = (name: string, fallback: number, range: Range): number => readNumber(setting(name, fallback, range));
  const duration = (name: string, fallback: number, range: Range): number =>
    readDuration(setting(name, fallback, range));
  const choice = <T extends string>(name: string, allowed: readonly [T, ...T[]]): T =>
    readOneOf({ name: prefix + name, text: annotationOf(annotations, name), fallback: allowed[0], problems }, allowed);

  const stableWindowMs = duration("window", config.stableWindowMs, { from: 6000, to: hourMs, whole: true });
  const panicPct = number("panic-window-percentage", config.panicWindowPercentage, { from: 1, to: 100 });
  const load = loadTargets(source, choice("metric", ["concurrency", "rps"]), number);
  const initialFrom = config.allowZeroInitialScale ? 0 : 1;
  const deadlineMs = readDuration({
    name: "serving.knative.dev/progress-deadline",
    text: annotations["serving.knative.dev/progress-deadline"] ?? annotations["serving.knative.dev/progressDeadline"],
    fallback: source.progressDeadlineMs,
    range: { from: 0 },
    problems,
  });
  const spec: KpaSpec = {
    ...load,
    aggregation: choice<Aggregation>("metric-aggregation-algorithm", ["linear", "weighted-exponential"]),
    stableWindowMs,
    panicWindowMs: Math.max(1000, Math.round((stableWindowMs * panicPct) / 100_000) * 1000),
    panicThreshold:
      number("panic-threshold-percentage", config.panicThresholdPercentage, { from: 110, to: 1000 }) / 100,
    maxScaleUpRate: config.maxScaleUpRate,
    maxScaleDownRate: config.maxScaleDownRate,
    minScale: number("min-scale", config.minScale, whole(0)),
    maxScale: number("max-scale", config.maxScale, whole(0)),
    initialScale: number("initial-scale", config.initialScale, whole(initialFrom)),
    activationScale: number("activation-scale", 0, whole(2)),
    scaleDownDelayMs: duration("scale-down-delay", config.scaleDownDelayMs, { from: 0, to: hourMs }),
    targetBurstCapacity: number("target-burst-capacity", config.targetBurstCapacity, { from: 0, or: -1 }),
    scaleToZero: config.scaleToZero,
    graceMs: config.scaleToZeroGraceMs,
    podRetentionMs: duration("scale-to-zero-pod-retention-period", config.podRetentionMs, { from: 0, to: hourMs }),
    activationTimeoutMs: deadlineMs + activationBufferMs,
  };
  return { spec, problems };
}

type ReadNumber = (name: string, fallback: number, range: Range) => number;

function loadTargets(
  { containerConcurrency = 0, config }: KpaSource,
  metric: KpaMetric,
  number: ReadNumber,
): Pick<KpaSpec, "metric" | "total" | "target" | "slots"> {
  const limit = containerConcurrency > 0 ? containerConcurrency : undefined;
  const byDefault = metric === "rps" ? config.rpsTotal : (limit ?? config.concurrencyTotal);
  const asked = number("target", byDefault, { from: minTarget });
  const total = metric === "concurrency" && limit !== undefined ? Math.min(asked, limit) : asked;
  // Upstream reads the configured percentage for concurrency only; requests per second have a constant.
  const utilization = metric === "rps" ? 0.7 : config.concurrencyUtilization;
  const percentage = number("target-utilization-percentage", utilization * 100, { from: 1, to: 100 });
  const target = Math.max(minTarget, (total * percentage) / 100);
  return { metric, total, target, slots: metric === "concurrency" ? total : (limit ?? total) };
}
