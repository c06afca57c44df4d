/** RabbitmqSource as the API server serves it (eventing-rabbitmq pkg/apis/sources/v1alpha1/rabbitmq_*.go). */
import { ageAndReady, eventingKindFacts, sinkColumn } from "../eventing/columns.ts";
import { nameColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import { column } from "../serving/columns.ts";
import {
  disallowedField,
  invalidValue,
  missingField,
  outOfBounds,
  problem,
  within,
  type Problem,
  type Problems,
} from "../serving/problems.ts";
import { schemaOf } from "../schemas.ts";
import { RabbitmqSourceKind } from "./kinds.ts";
import { messageSourceRules } from "./message-source.ts";
import type { RabbitmqClusterReference, RabbitmqResourcesConfig, RabbitmqSource } from "./types-v1alpha1.gen.ts";

export const rabbitmqSourceDefinition: KindDefinition<RabbitmqSource> = {
  ...eventingKindFacts,
  kind: RabbitmqSourceKind,
  schema: () => schemaOf("sources.v1alpha1.RabbitmqSource"),
  columns: [
    nameColumn,
    column<RabbitmqSource>(
      "Queue",
      "What it reads.",
      ".spec.rabbitmqResourcesConfig.queueName",
      ({ spec }) => spec.rabbitmqResourcesConfig?.queueName ?? "",
    ),
    sinkColumn,
    ...ageAndReady,
  ],
  ...messageSourceRules<RabbitmqSource>(RabbitmqSourceKind, {
    fill: ({ rabbitmqClusterReference: reference, rabbitmqResourcesConfig: config }, { metadata }) => {
      if (reference && metadata.namespace) reference.namespace ||= metadata.namespace;
      if (!config) return;
      config.queueType ||= "quorum";
      config.parallelism ??= 1;
    },
    check: (spec, _old, namespace) => [
      ...checkResources(spec.rabbitmqResourcesConfig),
      ...within("rabbitmqClusterReference", checkReference(spec.rabbitmqClusterReference, namespace)),
    ],
  }),
};

function checkResources(config: RabbitmqResourcesConfig | undefined): Problems {
  if (!config) return [missingField("rabbitmqResourcesConfig")];
  const problems: Problem[] = [];
  if (!config.predeclared && !config.exchangeName) {
    const message = "Name of exchange must be provided when spec.predeclared is false";
    problems.push(problem(message, ["rabbitmqResourcesConfig.exchangeName"]));
  }
  if (!config.queueName) problems.push(missingField("rabbitmqResourcesConfig.queueName"));
  const { parallelism = 1 } = config;
  if (parallelism < 1 || parallelism > 1000)
    problems.push(outOfBounds(parallelism, 1, 1000, "rabbitmqResourcesConfig.Parallelism"));
  return problems;
}

function checkReference(reference: RabbitmqClusterReference | undefined, namespace: string | undefined): Problems {
  if (!reference) return [missingField("")];
  const { name, connectionSecret } = reference;
  // Else whoever may write sources could use any namespace's logins.
  if (reference.namespace && namespace && reference.namespace !== namespace)
    return [invalidValue(reference.namespace, "namespace", "must be the source's own namespace")];
  if (name) return connectionSecret ? [disallowedField("connectionSecret")] : [];
  if (!connectionSecret) return [missingField("name")];
  return connectionSecret.name ? [] : [missingField("connectionSecret.name")];
}
