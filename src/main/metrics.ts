/**
 * What `/metrics` shows: Knative's metrics under their names (dots as underscores, as OpenTelemetry's Prometheus exporter
 * writes them), ebb's own as `ebb_*`, and the process. Everything is read when somebody asks; nothing is kept for it.
 */
import { scaleGauges } from "../controllers/autoscaling/scale-gauges.ts";
import type { KpaAutoscaler } from "../controllers/autoscaling/kpa-autoscaler.ts";
import type { Revision } from "../api/serving/types.gen.ts";
import { servingKeys } from "../api/serving/keys.ts";
import { durationBoundsMs, type Histogram, type RevisionMetrics } from "../router/router-metrics.ts";
import type { Router } from "../router/router.ts";
import type { ConsumerStats } from "../events/event-engine.ts";
import type { SourceStats } from "../events/sources/source-runner.ts";
import { prometheusText, type HistogramSample, type MetricFamily, type Sample } from "../telemetry/prometheus-text.ts";

export interface MetricsSources {
  readonly router: Pick<Router, "metrics" | "pending">;
  readonly autoscaler: KpaAutoscaler;
  /** The Revision of this key (`namespace/name`). */
  readonly revision: (key: string) => Revision | undefined;
  /** Stored objects by `group/plural`. */
  readonly objectCounts: () => ReadonlyMap<string, number>;
  /** Consumers of events. */
  readonly consumers?: () => readonly ConsumerStats[];
  /** Sources of messages that are read here. */
  readonly sources?: () => readonly SourceStats[];
  readonly process: Pick<NodeJS.Process, "memoryUsage" | "cpuUsage" | "uptime">;
  readonly nowMs: () => number;
}

export function metricsText(sources: MetricsSources): string {
  return prometheusText([
    ...autoscalerFamilies(sources.autoscaler),
    ...routerFamilies(sources),
    ...eventFamilies(sources.consumers?.() ?? []),
    ...sourceFamilies(sources.sources?.() ?? []),
    ...storageFamilies(sources),
    ...processFamilies(sources),
  ]);
}

/** `/metrics` of a cluster's router. `connected`: whether it is linked to the leading controller. */
export function routerMetricsText(
  sources: Pick<MetricsSources, "router" | "revision" | "process" | "nowMs">,
  connected: () => boolean,
): string {
  const link = gaugeOf("ebb_load_link_connected", "1 while load is reported to the leading controller.", connected());
  return prometheusText([...routerFamilies(sources), link, ...processFamilies(sources)]);
}

/** `/metrics` of a replica of ebb-events: the consumers it delivers to. */
export function eventsMetricsText(
  sources: Pick<MetricsSources, "consumers" | "sources" | "process" | "nowMs">,
): string {
  return prometheusText([
    ...eventFamilies(sources.consumers?.() ?? []),
    ...sourceFamilies(sources.sources?.() ?? []),
    ...processFamilies(sources),
  ]);
}

/** What a leading controller knows beyond every replica. */
export interface LeaderSources {
  readonly autoscaler: KpaAutoscaler;
  /** Names of the routers that report. */
  readonly routers: () => readonly string[];
}

/** `/metrics` of a cluster's controller; `leader` while it leads. */
export function controllerMetricsText(
  sources: Pick<MetricsSources, "process" | "nowMs">,
  leader: LeaderSources | undefined,
): string {
  return prometheusText([
    ...(leader ? autoscalerFamilies(leader.autoscaler) : []),
    gaugeOf("ebb_leader", "1 while this controller leads.", leader !== undefined),
    ...(leader ? [gaugeOf("ebb_load_routers", "Routers that report load here.", leader.routers().length)] : []),
    ...processFamilies(sources),
  ]);
}

/** Of each Trigger and Subscription: how far behind it is, and what became of its events. */
function eventFamilies(consumers: readonly ConsumerStats[]): readonly MetricFamily[] {
  const family = (
    type: "counter" | "gauge",
    name: string,
    help: string,
    value: (stats: ConsumerStats) => number,
  ): MetricFamily => ({
    type,
    name: `ebb_events_${name}`,
    help,
    samples: consumers.map((stats) => ({ labels: { consumer: stats.key, stream: stats.stream }, value: value(stats) })),
  });
  return [
    family("gauge", "lag", "Events behind a consumer's position, and those that wait for another try.", (c) => c.lag),
    family("gauge", "oldest_seconds", "Age of the oldest of them, where it is known.", (c) => (c.oldestMs ?? 0) / 1000),
    family("gauge", "in_flight", "Deliveries under way.", (c) => c.inFlight),
    family("gauge", "at_risk", "1 when the stream's limits will soon take undelivered events.", (c) =>
      Number(c.atRisk),
    ),
    family("counter", "delivered_total", "Events delivered.", (c) => c.delivered),
    family("counter", "retried_total", "Deliveries that failed and are tried again.", (c) => c.retried),
    family("counter", "dead_lettered_total", "Events a dead letter sink took.", (c) => c.deadLettered),
    family("counter", "parked_total", "Events kept because nobody took them.", (c) => c.parked),
    family("counter", "lost_total", "Events the stream's limits took before they were delivered.", (c) => c.lost),
  ];
}

/** Of each source of messages that is read here: whether it reads, and what became of what it read. */
function sourceFamilies(sources: readonly SourceStats[]): readonly MetricFamily[] {
  const family = (
    type: "counter" | "gauge",
    name: string,
    help: string,
    value: (stats: SourceStats) => number,
  ): MetricFamily => ({
    type,
    name: `ebb_source_${name}`,
    help,
    samples: sources.map((stats) => ({ labels: { source: stats.key }, value: value(stats) })),
  });
  return [
    family("gauge", "connected", "1 while the source is being read.", (s) => Number(s.connected)),
    family("gauge", "in_flight", "Events under way to the sink.", (s) => s.inFlight),
    family("counter", "delivered_total", "Events the sink took.", (s) => s.delivered),
    family("counter", "retried_total", "Deliveries that failed and were tried again.", (s) => s.retried),
    family("counter", "dead_lettered_total", "Events a dead letter sink took.", (s) => s.deadLettered),
    family("counter", "refused_total", "Events nobody took, given back to where they came from.", (s) => s.refused),
  ];
}

const gaugeOf = (name: string, help: string, value: number | boolean): MetricFamily => ({
  type: "gauge",
  name,
  help,
  samples: [{ labels: {}, value: Number(value) }],
});

const promName = (name: string): string => name.replaceAll(".", "_");

const gaugeHelp: Readonly<Record<string, string>> = {
  "kn.revision.pods.desired": "Pods the autoscaler wants.",
  "kn.revision.pods.requested": "Pods asked of the Deployment.",
  "kn.revision.pods.count": "Ready pods.",
  "kn.revision.pods.not_ready.count": "Pods that are not ready.",
  "kn.revision.pods.pending.count": "Pods that are pending.",
  "kn.revision.pods.terminating.count": "Pods that are terminating.",
  "kn.revision.panic.mode": "1 while the autoscaler is in panic mode.",
  "kn.revision.capacity.excess": "Capacity beyond the load that the target burst leaves.",
};

function autoscalerFamilies(autoscaler: KpaAutoscaler): readonly MetricFamily[] {
  const byName = new Map<string, Sample[]>();
  for (const { attributes, values } of scaleGauges(autoscaler)) {
    const labels = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [promName(name), value]));
    for (const [name, value] of values) {
      const samples = byName.get(name) ?? [];
      samples.push({ labels, value });
      byName.set(name, samples);
    }
  }
  return [...byName].map(([name, samples]) => ({
    type: "gauge",
    name: promName(name),
    help: gaugeHelp[name] ?? "What the autoscaler measures and aims at.",
    samples,
  }));
}

interface Seen {
  readonly labels: Readonly<Record<string, string>>;
  readonly metrics: RevisionMetrics;
  readonly queued: number;
  readonly present: number;
}

function routerFamilies({ router, revision }: Pick<MetricsSources, "router" | "revision">): readonly MetricFamily[] {
  const seen = Array.from(router.metrics.revisions, ([key, metrics]): Seen => ({
    labels: labelsOf(key, revision(key)),
    metrics,
    ...router.pending(key),
  }));
  const each = (value: (one: Seen) => number): Sample[] =>
    seen.map((one) => ({ labels: one.labels, value: value(one) }));
  const gauge = (name: string, help: string, value: (one: Seen) => number): MetricFamily => {
    return { type: "gauge", name, help, samples: each(value) };
  };
  const counter = (name: string, help: string, samples: Iterable<Sample>): MetricFamily => {
    return { type: "counter", name, help, samples };
  };
  const { unrouted, connections, http2Sessions } = router.metrics;
  return [
    gauge("kn_revision_request_concurrency", "Requests at the router.", ({ present }) => present),
    gauge("kn_revision_request_queued", "Requests waiting for an instance.", ({ queued }) => queued),
    gauge("kn_revision_request_active", "Requests at an instance.", ({ present, queued }) => present - queued),
    gauge("kn_serving_queue_depth", "Requests waiting for an instance.", ({ queued }) => queued),
    durations("kn_serving_invocation_duration_seconds", "Arrival to last byte.", seen, ({ duration }) => duration),
    durations(
      "ebb_cold_start_duration_seconds",
      "Arrival to first byte, of requests that found no instance.",
      seen,
      ({ coldStart }) => coldStart,
    ),
    counter("ebb_requests_total", "Finished requests by class of their status.", statusSamples(seen)),
    counter("ebb_request_failures_total", "Requests that ended otherwise than well.", failureSamples(seen)),
    counter(
      "ebb_received_bytes_total",
      "Bytes of request bodies.",
      each(({ metrics }) => metrics.bytesIn),
    ),
    counter(
      "ebb_sent_bytes_total",
      "Bytes of response bodies.",
      each(({ metrics }) => metrics.bytesOut),
    ),
    counter("ebb_unrouted_requests_total", "Requests that reached no revision.", outcomeSamples({}, unrouted)),
    counter("ebb_client_connections_total", "Connections of clients.", [{ labels: {}, value: connections }]),
    counter("ebb_http2_sessions_total", "Of these, HTTP/2.", [{ labels: {}, value: http2Sessions }]),
  ];
}

function labelsOf(key: string, revision: Revision | undefined): Readonly<Record<string, string>> {
  const at = key.indexOf("/");
  const { labels = {} } = revision?.metadata ?? {};
  return {
    kn_service_name: labels[servingKeys.service] ?? "",
    kn_configuration_name: labels[servingKeys.configuration] ?? "",
    kn_revision_name: key.slice(at + 1),
    k8s_namespace_name: key.slice(0, at),
  };
}

const durationBoundsS = durationBoundsMs.map((ms) => ms / 1000);

function durations(
  name: string,
  help: string,
  seen: readonly Seen[],
  pick: (metrics: RevisionMetrics) => Histogram,
): MetricFamily {
  const samples: HistogramSample[] = [];
  for (const { labels, metrics } of seen) {
    const { counts, sum, count } = pick(metrics);
    if (count > 0) samples.push({ labels, counts, sum: sum / 1000, count });
  }
  return { type: "histogram", name, help, bounds: durationBoundsS, samples };
}

function statusSamples(seen: readonly Seen[]): readonly Sample[] {
  return seen.flatMap(({ labels, metrics }) =>
    metrics.byStatusClass.flatMap((value, first) =>
      value === 0 ? [] : [{ labels: { ...labels, class: first === 0 ? "none" : `${first}xx` }, value }],
    ),
  );
}

const failureSamples = (seen: readonly Seen[]): readonly Sample[] =>
  seen.flatMap(({ labels, metrics }) => outcomeSamples(labels, metrics.outcomes));

const outcomeSamples = (
  labels: Readonly<Record<string, string>>,
  outcomes: RevisionMetrics["outcomes"],
): readonly Sample[] => Object.entries(outcomes).map(([outcome, value]) => ({ labels: { ...labels, outcome }, value }));

function storageFamilies({ objectCounts }: Pick<MetricsSources, "objectCounts">): readonly MetricFamily[] {
  const samples = Array.from(objectCounts(), ([key, value]) => ({ labels: { resource: resourceName(key) }, value }));
  return [{ type: "gauge", name: "apiserver_storage_objects", help: "Stored objects by resource.", samples }];
}

function processFamilies({ process, nowMs }: Pick<MetricsSources, "process" | "nowMs">): readonly MetricFamily[] {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, heapTotal } = process.memoryUsage();
  return [
    {
      type: "counter",
      name: "process_cpu_seconds_total",
      help: "Processor time, user and system.",
      samples: [{ labels: {}, value: (user + system) / 1e6 }],
    },
    gaugeOf("process_resident_memory_bytes", "Resident memory.", rss),
    gaugeOf("process_start_time_seconds", "When the process began, since 1970.", nowMs() / 1000 - process.uptime()),
    gaugeOf("nodejs_heap_size_used_bytes", "Heap in use.", heapUsed),
    gaugeOf("nodejs_heap_size_total_bytes", "Heap reserved.", heapTotal),
  ];
}

/** As kube-apiserver names resources there: `pods`, `deployments.apps`. */
function resourceName(key: string): string {
  const at = key.lastIndexOf("/");
  const [group, plural] = [key.slice(0, Math.max(0, at)), key.slice(at + 1)];
  return group === "" ? plural : `${plural}.${group}`;
}
