/** Labels by which Knative's tools find kinds of a sort: `kn source list`, `kn channel list-types` (duck types). */
import type { Kind } from "../../api/meta/kind.ts";

const addressable: ReadonlySet<string> = new Set([
  "Service.serving.knative.dev",
  "Route.serving.knative.dev",
  "Broker.eventing.knative.dev",
  "RequestReply.eventing.knative.dev",
  "EventTransform.eventing.knative.dev",
  "Channel.messaging.knative.dev",
  "InMemoryChannel.messaging.knative.dev",
  "Sequence.flows.knative.dev",
  "Parallel.flows.knative.dev",
  "JobSink.sinks.knative.dev",
  "IntegrationSink.sinks.knative.dev",
]);

/** The labels that a kind's CustomResourceDefinition carries upstream. */
export function duckLabels({ kind, group }: Pick<Kind, "kind" | "group">): Readonly<Record<string, string>> {
  const name = `${kind}.${group}`;
  return {
    ...(addressable.has(name) ? { "duck.knative.dev/addressable": "true" } : {}),
    ...(name === "InMemoryChannel.messaging.knative.dev" ? { "messaging.knative.dev/subscribable": "true" } : {}),
    ...(group === "sources.knative.dev"
      ? { "duck.knative.dev/source": "true", "eventing.knative.dev/source": "true" }
      : {}),
    ...(name === "SinkBinding.sources.knative.dev" ? { "duck.knative.dev/binding": "true" } : {}),
  };
}
