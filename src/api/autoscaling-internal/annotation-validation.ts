/** Which values the autoscaling annotations of a Revision may have (pkg/apis/autoscaling/annotation_validation.go). */
import { parseDuration } from "../meta/duration.ts";
import { parseInteger, parseNumber } from "../serving/config-values.ts";
import { invalidValue, outOfBounds, problem, type Problem, type Problems } from "../serving/problems.ts";
import { minTarget, windowRangeMs, type AutoscalerConfig } from "./config-autoscaler.ts";
import { annotationOf, autoscalerClasses, autoscalingKeys as keys } from "./keys.ts";

type Annotations = Readonly<Record<string, string>> | undefined;

const maxInt32 = 2 ** 31 - 1;
const secondPrecision = "must be specified with at most second precision";

export function checkAutoscalingAnnotations(annotations: Annotations, config: AutoscalerConfig): Problems {
  if (!annotations) return [];
  return [
    ...checkClass(annotations),
    ...checkScales(annotations, config),
    ...checkNumbers(annotations),
    ...checkDurations(annotations),
    ...checkMetric(annotations, config),
    ...checkAggregation(annotations),
    ...checkInitialScale(annotations, config),
  ];
}

function checkClass(annotations: Annotations): Problems {
  const found = annotationOf(annotations, keys.class);
  const known: readonly string[] = Object.values(autoscalerClasses);
  if (!found?.value.endsWith(".knative.dev") || known.includes(found.value)) return [];
  return [invalidValue(found.value, found.key)];
}

function checkScales(annotations: Annotations, config: AutoscalerConfig): Problems {
  const problems: Problem[] = [];
  const min = readScale(annotations, keys.minScale, problems);
  const max = readScale(annotations, keys.maxScale, problems);
  if (max !== 0 && max < min)
    problems.push(problem(`max-scale=${max} is less than min-scale=${min}`, [keys.maxScale[0], keys.minScale[0]]));
  const maxAnnotation = annotationOf(annotations, keys.maxScale);
  const limit = config.maxScaleLimit;
  if (maxAnnotation && limit !== 0) {
    if (max > limit) problems.push(outOfBounds(max, 1, limit, maxAnnotation.key));
    if (max === 0) problems.push(problem(`max-scale=0 (unlimited), must be less than ${limit}`, [maxAnnotation.key]));
  }
  return [...problems, ...checkActivationScale(annotations, min, max)];
}

function checkActivationScale(annotations: Annotations, min: number, max: number): Problems {
  const found = annotationOf(annotations, keys.activationScale);
  if (!found) return [];
  const scale = parseInteger(found.value);
  if (scale === undefined || Math.abs(scale) > maxInt32) return [invalidValue(found.value, found.key)];
  if (min > scale) return [problem(`min-scale=${min} is greater than activation-scale=${scale}`, [found.key])];
  if (max < scale && max !== 0)
    return [problem(`max-scale=${max} is less than activation-scale=${scale}`, [found.key])];
  return scale < 2 ? [problem(`activation-scale=${scale} must be greater than 1`, [found.key])] : [];
}

function readScale(
  annotations: Annotations,
  spellings: Parameters<typeof annotationOf>[1],
  problems: Problem[],
): number {
  const found = annotationOf(annotations, spellings);
  if (!found) return 0;
  if (!/^[+-]?\d+$/.test(found.value)) {
    problems.push(invalidValue(found.value, found.key));
    return 0;
  }
  const value = Number(found.value);
  if (value >= 0 && value <= maxInt32) return value;
  problems.push(outOfBounds(found.value, 0, maxInt32, found.key));
  return 0;
}

interface NumberRule {
  readonly spellings: Parameters<typeof annotationOf>[1];
  readonly check: (value: number, text: string, key: string) => Problem | undefined;
}

const between =
  (low: number, high: number): NumberRule["check"] =>
  (value, text, key) =>
    value < low || value > high ? outOfBounds(text, low, high, key) : undefined;

const numberRules: readonly NumberRule[] = [
  { spellings: keys.panicWindow, check: between(1, 100) },
  { spellings: keys.panicThreshold, check: between(110, 1000) },
  {
    spellings: keys.target,
    check: (value, text, key) =>
      value < minTarget ? problem(`target ${text} should be at least ${minTarget}`, [key]) : undefined,
  },
  { spellings: keys.targetUtilization, check: between(1, 100) },
  {
    spellings: keys.targetBurstCapacity,
    check: (value, text, key) => (value < 0 && value !== -1 ? invalidValue(text, key) : undefined),
  },
];

function checkNumbers(annotations: Annotations): Problems {
  return numberRules.flatMap(({ spellings, check }) => {
    const found = annotationOf(annotations, spellings);
    if (!found) return [];
    const value = parseNumber(found.value);
    const wrong = value === undefined ? invalidValue(found.value, found.key) : check(value, found.value, found.key);
    return wrong ? [wrong] : [];
  });
}

interface DurationRule {
  readonly spellings: Parameters<typeof annotationOf>[1];
  readonly minMs: number;
  readonly minText: string;
  readonly wholeSeconds: boolean;
}

const durationRules: readonly DurationRule[] = [
  { spellings: keys.window, minMs: windowRangeMs.min, minText: "6s", wholeSeconds: true },
  { spellings: keys.scaleDownDelay, minMs: 0, minText: "0s", wholeSeconds: true },
  { spellings: keys.podRetention, minMs: 0, minText: "0s", wholeSeconds: false },
];

function checkDurations(annotations: Annotations): Problems {
  return durationRules.flatMap(({ spellings, minMs, minText, wholeSeconds }) => {
    const found = annotationOf(annotations, spellings);
    if (!found) return [];
    const ms = parseDuration(found.value);
    if (ms === undefined) return [invalidValue(found.value, found.key)];
    if (ms < minMs || ms > windowRangeMs.max) return [outOfBounds(found.value, minText, "1h0m0s", found.key)];
    return wholeSeconds && ms % 1000 !== 0 ? [problem(secondPrecision, [found.key])] : [];
  });
}

function checkMetric(annotations: Annotations, config: AutoscalerConfig): Problems {
  const found = annotationOf(annotations, keys.metric);
  if (!found) return [];
  const autoscalerClass = annotationOf(annotations, keys.class)?.value ?? config.podAutoscalerClass;
  const good =
    autoscalerClass === autoscalerClasses.kpa
      ? found.value === "concurrency" || found.value === "rps"
      : autoscalerClass !== autoscalerClasses.hpa || found.value !== "";
  return good ? [] : [invalidValue(found.value, found.key)];
}

const aggregations: readonly string[] = ["", "linear", "weighted-exponential", "weightedExponential"];

function checkAggregation(annotations: Annotations): Problems {
  const found = annotationOf(annotations, keys.aggregation);
  const kpa = annotationOf(annotations, keys.class)?.value === autoscalerClasses.kpa;
  return found && kpa && !aggregations.includes(found.value) ? [invalidValue(found.value, found.key)] : [];
}

function checkInitialScale(annotations: Annotations, config: AutoscalerConfig): Problems {
  const found = annotationOf(annotations, keys.initialScale);
  if (!found) return [];
  const scale = parseInteger(found.value);
  if (scale === undefined) return [invalidValue(found.value, found.key)];
  if (scale < 0) return [invalidValue(found.value, `${found.key} must be greater than 0`)];
  if (scale === 0 && !config.allowZeroInitialScale)
    return [invalidValue(found.value, `${found.key}=0 not allowed by cluster`)];
  return [];
}
