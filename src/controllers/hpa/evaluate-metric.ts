import type {
  HorizontalPodAutoscaler,
  MetricSpec,
  MetricStatus,
  MetricTarget,
} from "../../api/autoscaling/types.gen.ts";
import type { Container, Pod } from "../../api/core/types.gen.ts";
import { formatLabelSelector } from "../../api/meta/label-selector.ts";
import { keyOf } from "../../api/meta/object.ts";
import { formatQuantity, quantityNumber, readQuantity } from "../../api/meta/quantity.ts";
import { parseTime } from "../../api/meta/time.ts";
import {
  averageOfPods,
  averageOfTotal,
  defaultTolerance,
  ratioOfValue,
  utilizationOf,
  type MetricOutcome,
  type MetricReading,
  type PodFacts,
  type PodMetricInputs,
  type Tolerances,
} from "../../scaling/hpa-metrics.ts";
import { isPodReady, podCondition } from "../pod-facts.ts";
import type { MetricsSource, PodUsageSample } from "./metrics-source.ts";
import type { ScaleTarget } from "./scale-target.ts";

export interface MetricContext {
  readonly hpa: HorizontalPodAutoscaler;
  readonly target: ScaleTarget;
  readonly pods: readonly Pod[];
  readonly metrics: MetricsSource | undefined;
  /** `services.serving.knative.dev` of a kind as an HPA names it; undefined for one that is not served. */
  readonly resourceOf: (apiVersion: string, kind: string) => string | undefined;
  readonly now: number;
}

/** One metric's answer, in the words and shapes of the HPA's status. */
export type Evaluated =
  | { readonly kind: "replicas"; readonly replicas: number; readonly name: string; readonly status: MetricStatus }
  | {
      readonly kind: "error";
      readonly reason: string;
      readonly message: string;
      /** Which metric it was, for the event; before the message. */
      readonly what: string;
    };

export async function evaluateMetric(spec: MetricSpec, context: MetricContext): Promise<Evaluated> {
  if (spec.resource) return resourceMetric(spec.resource, undefined, context);
  if (spec.containerResource) return resourceMetric(spec.containerResource, spec.containerResource.container, context);
  if (spec.external) return externalMetric(spec.external, context);
  if (spec.pods) return podsMetric(spec.pods, context);
  if (spec.object) return objectMetric(spec.object, context);
  const message = `unknown metric source type ${JSON.stringify(spec.type)}`;
  return { kind: "error", reason: "InvalidMetricSourceType", message, what: "" };
}

/** Thousandths; NaN for what is no quantity. */
function millis(text: string | undefined): number {
  const read = text === undefined ? undefined : readQuantity(text);
  return read?.ok ? quantityNumber(read.quantity) * 1000 : Number.NaN;
}

function tolerancesOf({ spec }: HorizontalPodAutoscaler): Tolerances {
  const tolerance = (text: string | undefined): number => {
    const read = text === undefined ? undefined : readQuantity(text);
    return read?.ok ? quantityNumber(read.quantity) : defaultTolerance;
  };
  return { up: tolerance(spec.behavior?.scaleUp?.tolerance), down: tolerance(spec.behavior?.scaleDown?.tolerance) };
}

interface ResourceSource {
  readonly name: string;
  readonly target: MetricTarget;
}

function resourceMetric(source: ResourceSource, container: string | undefined, context: MetricContext): Evaluated {
  const { name, target } = source;
  const inputs = podInputs(name, container, context);
  const byUtilization = target.averageUtilization !== undefined;
  const outcome: MetricOutcome =
    inputs.samples.size === 0
      ? {
          kind: "error",
          message: `unable to get metrics for resource ${name}: no metrics returned from resource metrics API`,
        }
      : target.averageUtilization !== undefined
        ? utilizationOf(inputs, target.averageUtilization)
        : averageOfPods(inputs, millis(target.averageValue));
  if (outcome.kind === "error") {
    const reason = container === undefined ? "FailedGetResourceMetric" : "FailedGetContainerResourceMetric";
    const what = byUtilization ? "utilization" : "usage";
    const detail = `failed to get ${name}${container === undefined ? "" : " container"} ${what}: ${outcome.message}`;
    const kindOf = container === undefined ? "resource" : "container resource";
    return { kind: "error", reason, message: detail, what: `failed to get ${name} ${kindOf} metric value: ` };
  }
  const current = valueStatus(outcome.current);
  const status: MetricStatus =
    container === undefined
      ? { type: "Resource", resource: { name, current } }
      : { type: "ContainerResource", containerResource: { name, container, current } };
  const label = `${name}${container === undefined ? "" : " container"} resource`;
  return {
    kind: "replicas",
    replicas: outcome.replicas,
    name: byUtilization ? `${label} utilization (percentage of request)` : label,
    status,
  };
}

function podInputs(resource: string, container: string | undefined, context: MetricContext): PodMetricInputs {
  const { pods, metrics, target, hpa, now } = context;
  const samples = new Map<string, { value: number; timestampMs: number; windowMs: number }>();
  for (const { metadata } of pods) {
    const usage = metrics?.podUsage(keyOf(metadata));
    const value = usage && usedMillis(usage, resource, container);
    if (usage && value !== undefined) {
      samples.set(metadata.name, { value, timestampMs: usage.timestampMs, windowMs: usage.windowMs });
    }
  }
  return {
    pods: pods.map((pod) => podFacts(pod, resource, container)),
    samples,
    isCpu: resource === "cpu",
    currentReplicas: target.replicas,
    tolerances: tolerancesOf(hpa),
    now,
  };
}

function usedMillis(
  { containers }: PodUsageSample,
  resource: string,
  container: string | undefined,
): number | undefined {
  const counted = container === undefined ? containers : containers.filter(({ name }) => name === container);
  if (counted.length === 0) return undefined;
  return counted.reduce((sum, used) => sum + (resource === "cpu" ? used.cpuMillis : used.memoryBytes * 1000), 0);
}

function podFacts(pod: Pod, resource: string, container: string | undefined): PodFacts {
  const { metadata, spec, status } = pod;
  const startMs = parseTime(status?.startTime ?? "");
  const ready = podCondition(pod, "Ready");
  return {
    name: metadata.name,
    phase: status?.phase ?? "Pending",
    deleting: metadata.deletionTimestamp !== undefined,
    ...(startMs === undefined ? {} : { startMs }),
    ...(ready
      ? { ready: { status: ready.status === "True", sinceMs: parseTime(ready.lastTransitionTime ?? "") ?? 0 } }
      : {}),
    ...requested(spec.containers.concat(sidecarsOf(pod)), resource, container),
  };
}

const sidecarsOf = ({ spec }: Pod): readonly Container[] =>
  (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");

function requested(
  containers: readonly Container[],
  resource: string,
  container: string | undefined,
): Pick<PodFacts, "request" | "unrequested"> {
  let request = 0;
  for (const { name, resources } of containers) {
    if (container !== undefined && name !== container) continue;
    const amount = millis(resources?.requests?.[resource]);
    if (Number.isNaN(amount)) return { unrequested: name };
    request += amount;
  }
  return { request };
}

async function externalMetric(
  { metric, target }: NonNullable<MetricSpec["external"]>,
  context: MetricContext,
): Promise<Evaluated> {
  const { hpa, metrics } = context;
  const fail = (why: string): Evaluated => ({
    kind: "error",
    reason: "FailedGetExternalMetric",
    message: `unable to get external metric ${hpa.metadata.namespace}/${metric.name}: ${why}`,
    what: `failed to get ${metric.name} external metric value: `,
  });
  if (!metrics?.external)
    return fail(
      "unable to fetch metrics from external metrics API: no external metrics API (external.metrics.k8s.io) registered",
    );
  let values: readonly number[];
  try {
    const selector = metric.selector ? formatLabelSelector(metric.selector) : "";
    values = await metrics.external({ namespace: hpa.metadata.namespace ?? "", name: metric.name, selector });
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
  if (values.length === 0) return fail("no metrics returned from external metrics API");
  const outcome = externalOutcome(
    values.reduce((sum, value) => sum + value, 0),
    target,
    context,
  );
  if (outcome.kind === "error") return fail(outcome.message);
  const status = { type: "External", external: { metric, current: valueStatus(outcome.current) } };
  return { kind: "replicas", replicas: outcome.replicas, name: `external metric ${metric.name}`, status };
}

function externalOutcome(total: number, goal: MetricTarget, { hpa, target, pods }: MetricContext): MetricOutcome {
  const tolerances = tolerancesOf(hpa);
  if (goal.averageValue !== undefined) {
    const { statusReplicas } = target;
    return averageOfTotal({ total, target: millis(goal.averageValue), statusReplicas, tolerances });
  }
  const readyPods = pods.filter((pod) => pod.status?.phase === "Running" && isPodReady(pod)).length;
  const currentReplicas = target.replicas;
  return ratioOfValue({
    value: total,
    target: millis(goal.value),
    currentReplicas,
    tolerances,
    readyPods,
    pods: pods.length,
  });
}

const noCustomApi =
  "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered";

function failedCustom(type: "Pods" | "Object", metric: string, why: string): Evaluated {
  return {
    kind: "error",
    reason: `FailedGet${type}Metric`,
    message: `unable to get metric ${metric}: ${why}`,
    what: `failed to get ${type.toLowerCase()} metric value: `,
  };
}

async function podsMetric(
  { metric, target: goal }: NonNullable<MetricSpec["pods"]>,
  context: MetricContext,
): Promise<Evaluated> {
  const { hpa, pods, metrics, target, now } = context;
  if (!metrics?.custom) return failedCustom("Pods", metric.name, noCustomApi);
  const { namespace = "" } = hpa.metadata;
  let values: ReadonlyMap<string, number>;
  try {
    values = await metrics.custom({ namespace, resource: "pods", object: "*", selector: "", metric: metric.name });
  } catch (error) {
    return failedCustom("Pods", metric.name, `unable to fetch metrics from custom metrics API: ${textOf(error)}`);
  }
  const samples = new Map<string, { value: number; timestampMs: number; windowMs: number }>();
  for (const { metadata } of pods) {
    const value = values.get(metadata.name);
    if (value !== undefined) samples.set(metadata.name, { value, timestampMs: now, windowMs: 0 });
  }
  if (samples.size === 0) return failedCustom("Pods", metric.name, "no metrics returned from custom metrics API");
  const outcome = averageOfPods(
    {
      pods: pods.map((pod) => podFacts(pod, metric.name, undefined)),
      samples,
      isCpu: false,
      currentReplicas: target.replicas,
      tolerances: tolerancesOf(hpa),
      now,
    },
    millis(goal.averageValue),
  );
  if (outcome.kind === "error") return failedCustom("Pods", metric.name, outcome.message);
  const status = { type: "Pods", pods: { metric, current: valueStatus(outcome.current) } };
  return { kind: "replicas", replicas: outcome.replicas, name: `pods metric ${metric.name}`, status };
}

async function objectMetric(
  { metric, describedObject, target: goal }: NonNullable<MetricSpec["object"]>,
  context: MetricContext,
): Promise<Evaluated> {
  const { hpa, metrics, resourceOf } = context;
  const { namespace = "" } = hpa.metadata;
  const about = `${describedObject.kind} on ${namespace} ${describedObject.name}/`;
  if (!metrics?.custom) return failedCustom("Object", metric.name, `${about}${noCustomApi}`);
  const resource = resourceOf(describedObject.apiVersion ?? "", describedObject.kind);
  let value: number | undefined;
  try {
    if (resource === undefined)
      throw new Error(`no matches for kind "${describedObject.kind}" in version "${describedObject.apiVersion}"`);
    const query = { namespace, resource, object: describedObject.name, selector: "", metric: metric.name };
    value = (await metrics.custom(query)).get(describedObject.name);
    if (value === undefined)
      throw new Error(`the server could not find the metric ${metric.name} for ${resource} ${describedObject.name}`);
  } catch (error) {
    const why = `unable to fetch metrics from custom metrics API: ${textOf(error)}`;
    return failedCustom("Object", metric.name, `${about}${why}`);
  }
  const outcome = externalOutcome(value, goal, context);
  if (outcome.kind === "error") return failedCustom("Object", metric.name, outcome.message);
  const status = { type: "Object", object: { metric, describedObject, current: valueStatus(outcome.current) } };
  return {
    kind: "replicas",
    replicas: outcome.replicas,
    name: `${describedObject.kind} metric ${metric.name}`,
    status,
  };
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function valueStatus({ value, averageValue, averageUtilization }: MetricReading): Record<string, string | number> {
  return {
    ...(value === undefined ? {} : { value: formatMillis(value) }),
    ...(averageUtilization === undefined ? {} : { averageUtilization }),
    ...(averageValue === undefined ? {} : { averageValue: formatMillis(averageValue) }),
  };
}

const formatMillis = (amount: number): string =>
  formatQuantity({ nano: BigInt(Math.round(amount)) * 1_000_000n, format: "decimal" });
