/** ConfigMap config-autoscaler: the cluster-wide settings of the autoscaler (pkg/autoscaler/config/config.go). */
import { formatDuration } from "../meta/duration.ts";
import {
  cached,
  finish,
  readConfig,
  type ConfigData,
  type ConfigReader,
  type Parsed,
} from "../serving/config-values.ts";
import { autoscalerClasses } from "./keys.ts";

export interface AutoscalerConfig {
  readonly podAutoscalerClass: string;
  readonly enableScaleToZero: boolean;
  readonly allowZeroInitialScale: boolean;
  /** Per evaluation, as a factor of the ready pods; > 1. */
  readonly maxScaleUpRate: number;
  readonly maxScaleDownRate: number;
  /** Share of a pod's concurrency aimed for: 0 < x ≤ 1. */
  readonly targetUtilization: number;
  readonly containerConcurrencyTargetDefault: number;
  readonly requestsPerSecondTargetDefault: number;
  /** ≥ 0, or −1 for unlimited. */
  readonly targetBurstCapacity: number;
  readonly activatorCapacity: number;
  readonly panicWindowPercentage: number;
  readonly panicThresholdPercentage: number;
  readonly stableWindowMs: number;
  readonly scaleDownDelayMs: number;
  readonly scaleToZeroGracePeriodMs: number;
  readonly scaleToZeroPodRetentionMs: number;
  readonly initialScale: number;
  readonly minScale: number;
  /** 0: no limit. */
  readonly maxScale: number;
  /** What max-scale annotations may ask for at most; 0: anything. */
  readonly maxScaleLimit: number;
}

/** Lowest target a pod may have, in requests. */
export const minTarget = 0.01;
export const windowRangeMs = { min: 6_000, max: 3_600_000 } as const;

export function parseAutoscalerConfig(data: ConfigData): Parsed<AutoscalerConfig> {
  const config = readConfig(data);
  const percentage = config.number("container-concurrency-target-percentage", 70);
  const value: AutoscalerConfig = {
    podAutoscalerClass: config.text("pod-autoscaler-class", autoscalerClasses.kpa),
    enableScaleToZero: config.boolean("enable-scale-to-zero", true),
    allowZeroInitialScale: config.boolean("allow-zero-initial-scale", false),
    maxScaleUpRate: config.number("max-scale-up-rate", 1000),
    maxScaleDownRate: config.number("max-scale-down-rate", 2),
    // Values up to 1 are fractions already: an old spelling that is still in use.
    targetUtilization: percentage > 1 ? percentage / 100 : percentage,
    containerConcurrencyTargetDefault: config.number("container-concurrency-target-default", 100),
    requestsPerSecondTargetDefault: config.number("requests-per-second-target-default", 200),
    targetBurstCapacity: config.number("target-burst-capacity", 211),
    activatorCapacity: config.number("activator-capacity", 100),
    panicWindowPercentage: config.number("panic-window-percentage", 10),
    panicThresholdPercentage: config.number("panic-threshold-percentage", 200),
    stableWindowMs: config.duration("stable-window", 60_000),
    scaleDownDelayMs: config.duration("scale-down-delay", 0),
    scaleToZeroGracePeriodMs: config.duration("scale-to-zero-grace-period", 30_000),
    scaleToZeroPodRetentionMs: config.duration("scale-to-zero-pod-retention-period", 0),
    initialScale: config.integer("initial-scale", 1),
    minScale: config.integer("min-scale", 0),
    maxScale: config.integer("max-scale", 0),
    maxScaleLimit: config.integer("max-scale-limit", 0),
  };
  checkDurations(config, value);
  checkTargets(config, value);
  checkScales(config, value);
  return finish(config, value);
}

export const autoscalerConfig: (data: ConfigData) => AutoscalerConfig = cached(parseAutoscalerConfig);

function checkDurations(config: ConfigReader, value: AutoscalerConfig): void {
  const go = formatDuration;
  const { stableWindowMs: window, scaleDownDelayMs: delay } = value;
  config.require(
    value.scaleToZeroGracePeriodMs > 0,
    `scale-to-zero-grace-period must be positive, was: ${go(value.scaleToZeroGracePeriodMs)}`,
  );
  config.require(delay >= 0, `scale-down-delay cannot be negative, was: ${go(delay)}`);
  config.require(
    wholeSeconds(delay),
    `scale-down-delay = ${go(delay)}, must be specified with at most second precision`,
  );
  config.require(
    value.scaleToZeroPodRetentionMs >= 0,
    `scale-to-zero-pod-retention-period cannot be negative, was: ${go(value.scaleToZeroPodRetentionMs)}`,
  );
  config.require(
    window >= windowRangeMs.min && window <= windowRangeMs.max,
    `stable-window = ${go(window)}, must be in [6s; 1h0m0s] range`,
  );
  config.require(
    wholeSeconds(window),
    `stable-window = ${go(window)}, must be specified with at most second precision`,
  );
}

function checkTargets(config: ConfigReader, value: AutoscalerConfig): void {
  const { targetUtilization, targetBurstCapacity: burst, panicWindowPercentage: panicWindow } = value;
  const target = targetUtilization * value.containerConcurrencyTargetDefault;
  config.require(
    burst >= 0 || burst === -1,
    `target-burst-capacity must be either non-negative or -1 (for unlimited), was: ${burst}`,
  );
  config.require(
    targetUtilization > 0 && targetUtilization <= 1,
    `container-concurrency-target-percentage = ${targetUtilization} is outside of valid range of (0, 100]`,
  );
  config.require(
    target >= minTarget,
    `container-concurrency-target-percentage and container-concurrency-target-default yield target concurrency of ${target}, can't be less than ${minTarget}`,
  );
  config.require(
    value.requestsPerSecondTargetDefault >= minTarget,
    `requests-per-second-target-default must be at least ${minTarget}, was: ${value.requestsPerSecondTargetDefault}`,
  );
  config.require(value.activatorCapacity >= 1, `activator-capacity = ${value.activatorCapacity}, must be at least 1`);
  config.require(value.maxScaleUpRate > 1, `max-scale-up-rate = ${value.maxScaleUpRate}, must be greater than 1.0`);
  config.require(
    value.maxScaleDownRate > 1,
    `max-scale-down-rate = ${value.maxScaleDownRate}, must be greater than 1.0`,
  );
  config.require(
    panicWindow >= 1 && panicWindow <= 100,
    `panic-window-percentage = ${panicWindow}, must be in [1, 100] interval`,
  );
}

function checkScales(config: ConfigReader, value: AutoscalerConfig): void {
  const { initialScale, minScale, maxScale, maxScaleLimit } = value;
  const lowestMax = maxScaleLimit > 0 ? 1 : 0;
  config.require(
    initialScale > 0 || (initialScale === 0 && value.allowZeroInitialScale),
    `initial-scale = ${initialScale}, must be at least 0 (or at least 1 when allow-zero-initial-scale is false)`,
  );
  config.require(minScale >= 0, `min-scale = ${minScale}, must be at least 0`);
  config.require(maxScaleLimit >= 0, `max-scale-limit = ${maxScaleLimit}, must be at least 0`);
  config.require(
    maxScale >= lowestMax && (maxScaleLimit <= 0 || maxScale <= maxScaleLimit),
    `max-scale = ${maxScale}, must be in [${lowestMax}, max-scale-limit(${maxScaleLimit})] range`,
  );
  config.require(
    maxScale <= 0 || minScale <= maxScale,
    `min-scale (${minScale}) must be less than max-scale (${maxScale})`,
  );
}

const wholeSeconds = (ms: number): boolean => ms % 1000 === 0;
