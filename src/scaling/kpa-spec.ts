/**
 * What a revision asks of the autoscaler: its annotations over the cluster's settings, compiled once into the numbers
 * the decider works with. Source: Knative Serving sheet §4.1, §4.2; pkg/apis/autoscaling, reconciler/autoscaling/kpa/resources.
 */
import { minTarget, type AutoscalerConfig } from "../api/autoscaling-internal/config-autoscaler.ts";
import { annotationOf, autoscalingKeys as keys } from "../api/autoscaling-internal/keys.ts";
import { servingKeys } from "../api/serving/keys.ts";
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
  readonly config: AutoscalerConfig;
  readonly progressDeadlineMs: number;
}

type Spellings = readonly [string, ...string[]];

const deadlineKeys: Spellings = [servingKeys.progressDeadline, servingKeys.progressDeadlineOld];
const activationBufferMs = 30_000;
const hourMs = 3_600_000;
const whole = (from: number): Range => ({ from, to: 2 ** 31 - 1, whole: true });

/**
 * Compiles the spec. Admission has refused bad annotations before they get here; one that still cannot be used (written
 * under an older rule, or past admission) is reported and the cluster's setting stands in.
 */
export function compileKpaSpec(source: KpaSource): { readonly spec: KpaSpec; readonly problems: readonly Problem[] } {
  const { annotations, config } = source;
  const problems: Problem[] = [];
  const setting = <T>(spellings: Spellings, fallback: T) => {
    const found = annotationOf(annotations, spellings);
    return { name: found?.key ?? spellings[0], text: found?.value, fallback, problems };
  };
  const number: ReadNumber = (spellings, fallback, range) => readNumber({ ...setting(spellings, fallback), range });
  const duration: ReadNumber = (spellings, fallback, range) => readDuration({ ...setting(spellings, fallback), range });
  const choice = <T extends string>(spellings: Spellings, allowed: readonly [T, ...T[]]): T =>
    readOneOf(setting(spellings, allowed[0]), allowed);

  const stableWindowMs = duration(keys.window, config.stableWindowMs, { from: 6000, to: hourMs, whole: true });
  const panicPct = number(keys.panicWindow, config.panicWindowPercentage, { from: 1, to: 100 });
  const load = loadTargets(source, choice(keys.metric, ["concurrency", "rps"]), number);
  const initialFrom = config.allowZeroInitialScale ? 0 : 1;
  const deadlineMs = duration(deadlineKeys, source.progressDeadlineMs, { from: 0 });
  const spec: KpaSpec = {
    ...load,
    aggregation: choice<Aggregation>(keys.aggregation, ["linear", "weighted-exponential"]),
    stableWindowMs,
    panicWindowMs: Math.max(1000, Math.round((stableWindowMs * panicPct) / 100_000) * 1000),
    panicThreshold: number(keys.panicThreshold, config.panicThresholdPercentage, { from: 110, to: 1000 }) / 100,
    maxScaleUpRate: config.maxScaleUpRate,
    maxScaleDownRate: config.maxScaleDownRate,
    minScale: number(keys.minScale, config.minScale, whole(0)),
    maxScale: number(keys.maxScale, config.maxScale, whole(0)),
    initialScale: number(keys.initialScale, config.initialScale, whole(initialFrom)),
    activationScale: number(keys.activationScale, 0, whole(2)),
    scaleDownDelayMs: duration(keys.scaleDownDelay, config.scaleDownDelayMs, { from: 0, to: hourMs }),
    targetBurstCapacity: number(keys.targetBurstCapacity, config.targetBurstCapacity, { from: 0, or: -1 }),
    scaleToZero: config.enableScaleToZero,
    graceMs: config.scaleToZeroGracePeriodMs,
    podRetentionMs: duration(keys.podRetention, config.scaleToZeroPodRetentionMs, { from: 0, to: hourMs }),
    activationTimeoutMs: deadlineMs + activationBufferMs,
  };
  return { spec, problems };
}

type ReadNumber = (spellings: Spellings, fallback: number, range: Range) => number;

function loadTargets(
  { containerConcurrency = 0, config }: KpaSource,
  metric: KpaMetric,
  number: ReadNumber,
): Pick<KpaSpec, "metric" | "total" | "target" | "slots"> {
  const limit = containerConcurrency > 0 ? containerConcurrency : undefined;
  const byDefault =
    metric === "rps" ? config.requestsPerSecondTargetDefault : (limit ?? config.containerConcurrencyTargetDefault);
  const asked = number(keys.target, byDefault, { from: minTarget });
  const total = metric === "concurrency" && limit !== undefined ? Math.min(asked, limit) : asked;
  // Upstream reads the configured percentage for concurrency only; requests per second have a constant.
  const utilization = metric === "rps" ? 0.7 : config.targetUtilization;
  const percentage = number(keys.targetUtilization, utilization * 100, { from: 1, to: 100 });
  const target = Math.max(minTarget, (total * percentage) / 100);
  return { metric, total, target, slots: metric === "concurrency" ? total : (limit ?? total) };
}
