/** What the owner of a source is told to run when its server was away as the source was deleted. */
import { expect, test } from "vitest";
import { sourceReaders } from "../../../src/events/sources/source-readers.ts";

const uid = "6f3C-11";

test.each<[kind: string, settings: object, command: string | undefined]>([
  [
    "PostgresSource",
    { replication: {} },
    "SELECT pg_drop_replication_slot('ebb_6f3c_11'); DROP PUBLICATION IF EXISTS ebb_6f3c_11",
  ],
  ["PostgresSource", { replication: { slot: "mine" } }, "DROP PUBLICATION IF EXISTS ebb_6f3c_11"],
  ["PostgresSource", { replication: { slot: "mine", publication: "mine" } }, undefined],
  ["PostgresSource", { listen: { channels: ["c"] } }, undefined],
  ["NatsJetStreamSource", { stream: "ORDERS" }, `nats consumer rm ORDERS ebb-${uid}`],
  ["NatsJetStreamSource", { stream: "ORDERS", consumer: "mine" }, undefined],
  [
    "KafkaSource",
    { bootstrapServers: ["k:9092"], consumerGroup: "knative-kafka-source-1" },
    "kafka-consumer-groups.sh --bootstrap-server k:9092 --delete --group knative-kafka-source-1",
  ],
  ["KafkaSource", { bootstrapServers: ["k:9092"], consumerGroup: "mine" }, undefined],
  ["RedisStreamSource", { stream: "s" }, `redis-cli XGROUP DESTROY s ebb-${uid}`],
  ["RedisStreamSource", { stream: "s", group: "g" }, `redis-cli XGROUP DELCONSUMER s g ebb-${uid}`],
  ["RedisListSource", { list: "l" }, `redis-cli LMOVE l:ebb:${uid} l LEFT RIGHT, until it answers (nil)`],
  [
    "RabbitmqSource",
    { rabbitmqResourcesConfig: { queueName: "q" } },
    "rabbitmqctl delete_queue q --if-empty (and its vhost with -p)",
  ],
  ["RabbitmqSource", { rabbitmqResourcesConfig: { queueName: "q", predeclared: true } }, undefined],
])("%s with %j: %s", async (kind, settings, command) => {
  const reader = await sourceReaders[kind]?.();
  expect(reader?.leftBehind?.(settings, uid)).toBe(command);
});
