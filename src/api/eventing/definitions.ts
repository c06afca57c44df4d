/** Every kind of Knative Eventing. */
import { parallelDefinition, sequenceDefinition } from "../flows/definitions.ts";
import type { KindDefinition } from "../meta/definition.ts";
import { channelDefinition, inMemoryChannelDefinition, subscriptionDefinition } from "../messaging/definitions.ts";
import { integrationSinkDefinition, jobSinkDefinition } from "../sinks/definitions.ts";
import { apiServerSourceDefinition, containerSourceDefinition, sinkBindingDefinition } from "../sources/definitions.ts";
import { kafkaSourceDefinition, kafkaSourceV1beta1Definition } from "../sources/kafka-source-definition.ts";
import { rabbitmqSourceDefinition } from "../sources/rabbitmq-source-definition.ts";
import { natsJetStreamSourceDefinition, natsSourceDefinition } from "../sources/nats-source-definitions.ts";
import { integrationSourceDefinition } from "../sources/integration-source-definition.ts";
import { pingSourceDefinition, pingSourceV1beta2Definition } from "../sources/ping-source-definition.ts";
import {
  fileSourceDefinition,
  httpPollSourceDefinition,
  mqttSourceDefinition,
  postgresSourceDefinition,
  redisListSourceDefinition,
  redisStreamSourceDefinition,
} from "../sources/store-definitions.ts";
import { gitHubSourceDefinition, webhookSourceDefinition } from "../sources/webhook-definitions.ts";
import { brokerDefinition } from "./broker-definition.ts";
import { eventPolicyDefinition } from "./event-policy-definition.ts";
import { eventTransformDefinition } from "./event-transform-definition.ts";
import {
  eventTypeDefinition,
  eventTypeV1beta1Definition,
  eventTypeV1beta2Definition,
} from "./event-type-definition.ts";
import { requestReplyDefinition } from "./request-reply-definition.ts";
import { triggerDefinition } from "./trigger-definition.ts";

export const eventingDefinitions: readonly KindDefinition[] = [
  brokerDefinition,
  triggerDefinition,
  eventTypeDefinition,
  eventTypeV1beta2Definition,
  eventTypeV1beta1Definition,
  eventPolicyDefinition,
  requestReplyDefinition,
  eventTransformDefinition,
  channelDefinition,
  inMemoryChannelDefinition,
  subscriptionDefinition,
  sequenceDefinition,
  parallelDefinition,
  pingSourceDefinition,
  pingSourceV1beta2Definition,
  apiServerSourceDefinition,
  containerSourceDefinition,
  sinkBindingDefinition,
  integrationSourceDefinition,
  redisStreamSourceDefinition,
  gitHubSourceDefinition,
  redisListSourceDefinition,
  postgresSourceDefinition,
  mqttSourceDefinition,
  webhookSourceDefinition,
  fileSourceDefinition,
  httpPollSourceDefinition,
  kafkaSourceDefinition,
  kafkaSourceV1beta1Definition,
  rabbitmqSourceDefinition,
  natsSourceDefinition,
  natsJetStreamSourceDefinition,
  jobSinkDefinition,
  integrationSinkDefinition,
];
