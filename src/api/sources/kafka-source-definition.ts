/** KafkaSource as the API server serves it (eventing-kafka-broker control-plane/pkg/apis/sources/v1/kafka_*.go). */
import { ageAndReady, eventingKindFacts, sinkColumn } from "../eventing/columns.ts";
import { checkUnchangedSpec } from "../eventing/immutable.ts";
import { nameColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import { apiVersionOf } from "../meta/kind.ts";
import { column } from "../serving/columns.ts";
import { each, invalidValue, missingField, type Problem, type Problems } from "../serving/problems.ts";
import { schemaOf } from "../schemas.ts";
import { KafkaSourceKind, KafkaSourceV1beta1Kind } from "./kinds.ts";
import { checkSecretValue, messageSourceRules } from "./message-source.ts";
import type { KafkaNetSpec, KafkaSource, KafkaSourceSpec } from "./types.gen.ts";

export const kafkaSourceDefinition: KindDefinition<KafkaSource> = {
  ...eventingKindFacts,
  kind: KafkaSourceKind,
  schema: () => schemaOf("sources.v1.KafkaSource"),
  scale: {
    specReplicas: ".spec.consumers",
    statusReplicas: ".status.consumers",
    labelSelector: ".status.selector",
  },
  columns: [
    nameColumn,
    column<KafkaSource>("Topics", "What it reads.", ".spec.topics", ({ spec }) => textOf(spec.topics)),
    column<KafkaSource>("BootstrapServers", "Brokers to ask first.", ".spec.bootstrapServers", ({ spec }) =>
      textOf(spec.bootstrapServers),
    ),
    sinkColumn,
    ...ageAndReady,
  ],
  ...messageSourceRules<KafkaSource>(KafkaSourceKind, {
    fill: (spec, { metadata }) => {
      spec.consumerGroup ||= `knative-kafka-source-${metadata.uid}`;
      spec.consumers ??= 1;
      spec.initialOffset ||= "latest";
      spec.ordering ??= "ordered";
    },
    check: (spec, old) => [
      ...checkSpec(spec),
      ...(old ? checkUnchangedSpec({ group: old.consumerGroup }, { group: spec.consumerGroup }) : []),
    ],
  }),
};

/** As upstream's CRD prints lists. */
const textOf = (list: readonly string[] | undefined): string => (list ? JSON.stringify(list) : "");

function checkSpec({ topics = [], bootstrapServers = [], ...spec }: KafkaSourceSpec): Problems {
  const problems: Problem[] = [];
  if (topics.length === 0) problems.push(missingField("topics"));
  problems.push(
    ...each("topics", topics, (topic) =>
      /^[A-Za-z0-9._-]{1,249}$/.test(topic)
        ? []
        : [invalidValue(topic, "", "letters, digits, dots, _ and -, at most 249")],
    ),
  );
  if (bootstrapServers.length === 0) problems.push(missingField("bootstrapServers"));
  problems.push(...each("bootstrapServers", bootstrapServers, checkServer));
  if (spec.initialOffset !== "latest" && spec.initialOffset !== "earliest")
    problems.push(invalidValue(spec.initialOffset, "initialOffset"));
  if (spec.ordering !== "ordered" && spec.ordering !== "unordered")
    problems.push(invalidValue(spec.ordering, "ordering"));
  if ((spec.consumers ?? 0) < 0) problems.push(invalidValue(spec.consumers, "consumers"));
  return [...problems, ...checkNet(spec.net)];
}

const checkServer = (server: string): Problems =>
  /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\]):\d{1,5}$/.test(server)
    ? []
    : [invalidValue(server, "", "host:port, such as my-kafka.default.svc:9092")];

function checkNet({ sasl, tls }: KafkaNetSpec = {}): Problems {
  return [
    ...(["user", "password", "type"] as const).flatMap((name) => checkSecretValue(`net.sasl.${name}`, sasl?.[name])),
    ...(sasl?.enable && !sasl.user ? [missingField("net.sasl.user")] : []),
    ...(sasl?.enable && !sasl.password ? [missingField("net.sasl.password")] : []),
    ...(["cert", "key", "caCert"] as const).flatMap((name) => checkSecretValue(`net.tls.${name}`, tls?.[name])),
    ...(tls?.cert && !tls.key ? [missingField("net.tls.key")] : []),
    ...(tls?.key && !tls.cert ? [missingField("net.tls.cert")] : []),
  ];
}

/** v1beta1 has the same fields. */
export const kafkaSourceV1beta1Definition: KindDefinition<KafkaSource> = {
  ...eventingKindFacts,
  kind: KafkaSourceV1beta1Kind,
  schema: () => schemaOf("sources.v1.KafkaSource"),
  columns: kafkaSourceDefinition.columns,
  conversion: {
    storedAs: KafkaSourceKind,
    toStored: (source) => ({ ...source, apiVersion: apiVersionOf(KafkaSourceKind) }),
    fromStored: (source) => ({ ...(source as KafkaSource), apiVersion: apiVersionOf(KafkaSourceV1beta1Kind) }),
  },
};
