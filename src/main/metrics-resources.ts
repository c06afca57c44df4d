/** The metrics APIs in the standalone API server: the handler of clusters behind its own authorization. */
import { kind } from "../api/meta/kind.ts";
import type { VirtualCall, VirtualResource } from "../apiserver/http/exchange.ts";
import type { RevisionMetrics } from "../controllers/metrics-api/revision-metrics.ts";
import { metricsResources, metricsVersions, serveMetrics } from "../controllers/metrics-api/serve-metrics.ts";

/** `metrics` is asked for with each request: the server is there before what it tells of. */
export function metricsApiResources(metrics: () => RevisionMetrics, now: () => number): readonly VirtualResource[] {
  return Object.entries(metricsVersions).flatMap(([group, versions]) =>
    versions.flatMap((version) =>
      metricsResources(group).map((facts): VirtualResource => ({
        kind: kind({
          group,
          version,
          kind: facts.kind,
          plural: facts.name,
          singular: "",
          namespaced: facts.namespaced,
        }),
        verbs: ["get"],
        claimsReads: true,
        serve: (call) => {
          const request = { group, version, parts: partsOf(call), selector: call.query.get("labelSelector") ?? "" };
          return serveMetrics(metrics(), request, now());
        },
      })),
    ),
  );
}

function partsOf({ namespace, plural, name, subresource }: VirtualCall): readonly string[] {
  const behind = [plural, name, subresource].filter((part) => part !== undefined);
  return namespace === undefined ? behind : ["namespaces", namespace, ...behind];
}
