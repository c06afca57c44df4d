import { failure } from "../../api/meta/errors.ts";
import type { MetricsSource } from "../hpa/metrics-source.ts";
import type { RevisionMetrics } from "./revision-metrics.ts";

const toMillis = (value: number): number => Math.round(value * 1000);

const notServed = (metric: string, of: string): Error =>
  failure(404, "NotFound", `the server could not find the metric ${metric} for ${of}`);

/** The metrics APIs without their HTTP, for an HPA controller in the same process. */
export function hpaSource(metrics: RevisionMetrics): Required<Pick<MetricsSource, "external" | "custom">> {
  return {
    async external({ namespace, name, selector }) {
      const series = metrics.external(namespace, name, selector);
      if (!series) throw notServed(name, "externalmetrics.external.metrics.k8s.io");
      return series.map(({ value }) => toMillis(value));
    },
    async custom({ namespace, resource, object, selector, metric }) {
      const found = metrics.ofObjects({ namespace, resource, name: object, selector, metric });
      if (!found) throw notServed(metric, resource);
      return new Map(found.map(({ object: { name }, value }) => [name, toMillis(value)]));
    },
  };
}
