import { kind, type Kind } from "../meta/kind.ts";
import type { KubeObject } from "../meta/object.ts";
import type { ApiServerSource, ContainerSource, KafkaSource, PingSource, SinkBinding } from "./types.gen.ts";
import type { NatsJetStreamSource, NatsSource } from "./types-ebb.gen.ts";
import type { IntegrationSource, RabbitmqSource } from "./types-v1alpha1.gen.ts";

const sourceOf =
  (group: string) =>
  <T extends KubeObject>(version: string, name: string, more: readonly string[] = []): Kind<T> =>
    kind<T>({
      group,
      version,
      kind: name,
      plural: `${name.toLowerCase()}s`,
      categories: ["all", "knative", "sources", ...more],
    });
const source = sourceOf("sources.knative.dev");
/** Sources that upstream has no kinds for. */
const ebbSource = sourceOf("sources.ebb.dev");

export const PingSourceKind: Kind<PingSource> = source("v1", "PingSource");
export const PingSourceV1beta2Kind: Kind<PingSource> = source("v1beta2", "PingSource");
export const ApiServerSourceKind: Kind<ApiServerSource> = source("v1", "ApiServerSource");
export const ContainerSourceKind: Kind<ContainerSource> = source("v1", "ContainerSource");
export const SinkBindingKind: Kind<SinkBinding> = source("v1", "SinkBinding", ["bindings"]);
export const IntegrationSourceKind: Kind<IntegrationSource> = source("v1alpha1", "IntegrationSource");
export const KafkaSourceKind: Kind<KafkaSource> = source("v1", "KafkaSource");
export const KafkaSourceV1beta1Kind: Kind<KafkaSource> = source("v1beta1", "KafkaSource");
export const RabbitmqSourceKind: Kind<RabbitmqSource> = {
  ...source<RabbitmqSource>("v1alpha1", "RabbitmqSource", ["importers"]),
  shortNames: ["rmqsource"],
};
export const NatsSourceKind: Kind<NatsSource> = ebbSource("v1alpha1", "NatsSource");
export const NatsJetStreamSourceKind: Kind<NatsJetStreamSource> = ebbSource("v1alpha1", "NatsJetStreamSource");
