/** Every kind of source that src/events/sources reads. */
import {
  KafkaSourceKind,
  NatsJetStreamSourceKind,
  NatsSourceKind,
  RabbitmqSourceKind,
} from "../../api/sources/kinds.ts";
import type { KafkaSource } from "../../api/sources/types.gen.ts";
import type { RabbitmqSource } from "../../api/sources/types-v1alpha1.gen.ts";
import type { EventingDeps } from "./deps.ts";
import { sourceFollower, type SourceFollower } from "./message-source-controller.ts";
import type { SecretRef } from "./source-secrets.ts";
import { storeSourceControllers } from "./store-sources.ts";

export function messageSourceControllers(deps: EventingDeps): readonly SourceFollower[] {
  return [
    sourceFollower(deps, {
      kind: KafkaSourceKind,
      conditions: ["ConnectionEstablished", "Deployed", "InitialOffsetsCommitted"],
      settingsOf: keyTypeOf,
      attributesOf: ({ spec }, base) =>
        (spec.topics ?? []).map((topic) => ({ type: "dev.knative.kafka.event", source: `${base}#${topic}` })),
      statusOf: ({ spec }, state) => ({ consumers: state?.connected ? (spec.consumers ?? 1) : 0 }),
    }),
    sourceFollower(deps, {
      kind: RabbitmqSourceKind,
      conditions: ["Deployed"],
      secretsOf: connectionSecrets,
      attributesOf: ({ spec }, base) => [
        { type: "dev.knative.rabbitmq.event", source: `${base}#${spec.rabbitmqResourcesConfig?.queueName ?? ""}` },
      ],
    }),
    sourceFollower(deps, {
      kind: NatsSourceKind,
      conditions: ["ConnectionEstablished"],
      attributesOf: (_source, base) => [{ type: "dev.ebb.nats.message", source: base }],
    }),
    sourceFollower(deps, {
      kind: NatsJetStreamSourceKind,
      conditions: ["ConnectionEstablished"],
      attributesOf: (_source, base) => [{ type: "dev.ebb.nats.message", source: base }],
    }),
    ...storeSourceControllers(deps),
  ];
}

/** What the bytes of keys are is said in a label, as upstream has it. */
function keyTypeOf({ metadata }: KafkaSource): object {
  const keyType = metadata.labels?.["kafkasources.sources.knative.dev/key-type"];
  return keyType === undefined ? {} : { keyType };
}

/** The Secret that is named, or the one that RabbitMQ's cluster operator makes for a cluster's user. */
function connectionSecrets({ rabbitmqClusterReference: reference }: RabbitmqSource["spec"]): readonly SecretRef[] {
  const ref = (
    name: string,
    key: string,
    more: { readonly as?: string; readonly optional?: boolean } = {},
  ): SecretRef => ({
    path: ["connection", more.as ?? key],
    name,
    key,
    optional: more.optional ?? true,
  });
  const given = reference?.connectionSecret?.name;
  if (given)
    return [
      ref(given, "uri", { optional: false }),
      ref(given, "username"),
      ref(given, "password"),
      ref(given, "ca.crt", { as: "caCert" }),
      ref(given, "tls.crt", { as: "cert" }),
      ref(given, "tls.key", { as: "key" }),
    ];
  const own = `${reference?.name ?? ""}-default-user`;
  return [
    ref(own, "username", { optional: false }),
    ref(own, "password", { optional: false }),
    ref(own, "host"),
    ref(own, "port"),
  ];
}
