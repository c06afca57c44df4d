/**
 * external.metrics.k8s.io and custom.metrics.k8s.io over {@link RevisionMetrics}: paths in, objects out. Forms as the
 * libraries of upstream adapters give them (kubernetes-sigs/custom-metrics-apiserver pkg/apiserver, pkg/provider/errors.go).
 */
import { failure } from "../../api/meta/errors.ts";
import { formatQuantity } from "../../api/meta/quantity.ts";
import { formatTime } from "../../api/meta/time.ts";
import { bookWindowS } from "../../scaling/load-book.ts";
import { measuredResources, metricNames, type ObjectValue, type RevisionMetrics } from "./revision-metrics.ts";

export const externalGroup = "external.metrics.k8s.io";
export const customGroup = "custom.metrics.k8s.io";

/** Groups with their versions, the preferred one first. */
export const metricsVersions: Readonly<Record<string, readonly string[]>> = {
  [externalGroup]: ["v1beta1"],
  [customGroup]: ["v1beta2", "v1beta1"],
};

/** A path of one of the groups; behind the version it is in parts. */
export interface MetricsRequest {
  readonly group: string;
  readonly version: string;
  readonly parts: readonly string[];
  /** labelSelector of the query: of series, or of objects. */
  readonly selector: string;
}

/** What discovery says of a version's resources. */
export interface MetricsResource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

export function metricsResources(group: string): readonly MetricsResource[] {
  if (group === externalGroup)
    return metricNames.map((name) => ({ name, kind: "ExternalMetricValueList", namespaced: true }));
  return measuredResources.flatMap((resource) =>
    metricNames.map((name) => ({ name: `${resource}/${name}`, kind: "MetricValueList", namespaced: true })),
  );
}

/** The list a path asks for. Throws the ApiError of a metric, or an object, that is not there. */
export function serveMetrics(source: RevisionMetrics, request: MetricsRequest, nowMs: number): object {
  const { group, version, parts, selector } = request;
  const apiVersion = `${group}/${version}`;
  const [scope, namespace = "", ...rest] = parts;
  if (scope !== "namespaces") throw pathNotFound();
  if (group === externalGroup) {
    const [metric = "", ...more] = rest;
    if (more.length > 0) throw pathNotFound();
    const found = source.external(namespace, metric, selector);
    if (!found) throw notServed(metric, `externalmetrics.${externalGroup}`);
    const timestamp = formatTime(nowMs);
    const items = found.map(({ labels, value }) => ({
      metricName: metric,
      metricLabels: labels,
      timestamp,
      windowSeconds: bookWindowS,
      value: quantityOf(value),
    }));
    return { kind: "ExternalMetricValueList", apiVersion, metadata: {}, items };
  }
  const [resource = "", name = "", metric = "", ...more] = rest;
  if (metric === "" || more.length > 0) throw pathNotFound();
  const found = source.ofObjects({ namespace, resource, name, selector, metric });
  if (!found) throw notServed(metric, resource);
  if (found.length === 0 && name !== "*") throw notServed(metric, `${resource} ${name}`);
  const items = found.map((value) => itemOf(value, { metric, version, nowMs }));
  return { kind: "MetricValueList", apiVersion, metadata: {}, items };
}

interface ItemFacts {
  readonly metric: string;
  readonly version: string;
  readonly nowMs: number;
}

/** v1beta1 has the metric's name beside the value, v1beta2 within `metric`. */
function itemOf({ object, value }: ObjectValue, { metric, version, nowMs }: ItemFacts): object {
  return {
    describedObject: object,
    ...(version === "v1beta1" ? { metricName: metric } : { metric: { name: metric, selector: null } }),
    timestamp: formatTime(nowMs),
    windowSeconds: bookWindowS,
    value: quantityOf(value),
    ...(version === "v1beta1" ? { selector: null } : {}),
  };
}

/** To thousandths. */
const quantityOf = (value: number): string =>
  formatQuantity({ nano: BigInt(Math.round(value * 1000)) * 1_000_000n, format: "decimal" });

const notServed = (metric: string, of: string): Error =>
  failure(404, "NotFound", `the server could not find the metric ${metric} for ${of}`);

const pathNotFound = (): Error => failure(404, "NotFound", "the server could not find the requested resource");
