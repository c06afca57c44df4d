import type { SourceReader } from "./source-reader.ts";

/** How to come by the reader of a kind. Nothing is loaded before there is a source of that kind. */
export type SourceReaders = Readonly<Record<string, () => Promise<SourceReader>>>;

export const sourceReaders: SourceReaders = {
  KafkaSource: async () => (await import("./kafka/kafka-reader.ts")).kafkaReader,
  RabbitmqSource: async () => (await import("./rabbitmq/rabbitmq-reader.ts")).rabbitmqReader,
  NatsSource: async () => (await import("./nats/nats-reader.ts")).natsReader,
  NatsJetStreamSource: async () => (await import("./nats/jetstream-reader.ts")).jetStreamReader,
  RedisStreamSource: async () => (await import("./redis/redis-stream-reader.ts")).redisStreamReader,
  IntegrationSource: async () => (await import("./aws/aws-reader.ts")).awsReader,
  RedisListSource: async () => (await import("./redis/redis-list-reader.ts")).redisListReader,
  PostgresSource: async () => (await import("./postgres/postgres-reader.ts")).postgresReader,
  MqttSource: async () => (await import("./mqtt/mqtt-reader.ts")).mqttReader,
  WebhookSource: async () => (await import("./webhook/webhook-reader.ts")).webhookReader,
  GitHubSource: async () => (await import("./webhook/github-reader.ts")).gitHubReader,
  FileSource: async () => (await import("./file/file-reader.ts")).fileReader,
  ApiServerSource: async () => (await import("./apiserver/api-server-reader.ts")).apiServerReader,
  HttpPollSource: async () => (await import("./http/http-poll-reader.ts")).httpPollReader,
};
