import { expect, test } from "vitest";
import type { KindDefinition, WriteContext } from "../meta/definition.ts";
import type { KubeObject, Mutable } from "../meta/object.ts";
import { denialText } from "../meta/webhook-denial.ts";
import { kafkaSourceDefinition } from "./kafka-source-definition.ts";
import { natsJetStreamSourceDefinition, natsSourceDefinition } from "./nats-source-definitions.ts";
import { rabbitmqSourceDefinition } from "./rabbitmq-source-definition.ts";

function write(definition: unknown, spec: object, old?: KubeObject) {
  const { prepare, validate } = definition as KindDefinition;
  const context: WriteContext = {
    operation: old ? "update" : "create",
    user: { name: "ada", groups: [] },
    now: 0,
    configMap: () => ({}),
  };
  const metadata = { name: "x", namespace: "ns", uid: "u" };
  const object = { metadata, spec: structuredClone({ sink: { uri: "http://x.example" }, ...spec }) } as unknown;
  prepare?.(object as Mutable<KubeObject>, old, context);
  const denial = denialText(validate?.(object as KubeObject, old, context) ?? []);
  return { object: object as KubeObject & { readonly spec: Record<string, unknown> }, denial };
}

const kafka = { bootstrapServers: ["k:9092"], topics: ["t"] };
const secret = { secretKeyRef: { name: "s", key: "k" } };

test("a KafkaSource gets upstream's defaults, and keeps its group", () => {
  const { object, denial } = write(kafkaSourceDefinition, kafka);
  expect(denial).toBe("");
  expect(object.spec).toMatchObject({
    consumerGroup: "knative-kafka-source-u",
    consumers: 1,
    initialOffset: "latest",
    ordering: "ordered",
  });
  expect(write(kafkaSourceDefinition, { ...kafka, consumerGroup: "other" }, object).denial).toMatch(
    /Immutable fields changed \(-old \+new\): spec/,
  );
});

test.each<[string, unknown, object, RegExp]>([
  ["no topic", kafkaSourceDefinition, { bootstrapServers: ["k:9092"] }, /missing field\(s\): spec\.topics/],
  ["no server", kafkaSourceDefinition, { topics: ["t"] }, /missing field\(s\): spec\.bootstrapServers/],
  ["a server without a port", kafkaSourceDefinition, { ...kafka, bootstrapServers: ["k"] }, /bootstrapServers\[0\]/],
  ["a word for the offset", kafkaSourceDefinition, { ...kafka, initialOffset: "now" }, /now: spec\.initialOffset/],
  ["a word for the order", kafkaSourceDefinition, { ...kafka, ordering: "x" }, /x: spec\.ordering/],
  ["fewer consumers than none", kafkaSourceDefinition, { ...kafka, consumers: -1 }, /-1: spec\.consumers/],
  ["a login without a user", kafkaSourceDefinition, { ...kafka, net: { sasl: { enable: true } } }, /net\.sasl\.user/],
  ["a certificate without key", kafkaSourceDefinition, { ...kafka, net: { tls: { cert: secret } } }, /net\.tls\.key/],
  ["a bad delivery", kafkaSourceDefinition, { ...kafka, delivery: { retry: -1 } }, /-1: spec\.delivery\.retry/],
  ["no queue", rabbitmqSourceDefinition, { rabbitmqClusterReference: { name: "r" } }, /spec\.rabbitmqResourcesConfig/],
  [
    "no exchange to bind to",
    rabbitmqSourceDefinition,
    { rabbitmqClusterReference: { name: "r" }, rabbitmqResourcesConfig: { queueName: "q" } },
    /Name of exchange must be provided when spec\.predeclared is false/,
  ],
  [
    "too much at once",
    rabbitmqSourceDefinition,
    {
      rabbitmqClusterReference: { name: "r" },
      rabbitmqResourcesConfig: { queueName: "q", predeclared: true, parallelism: 1001 },
    },
    /expected 1 <= 1001 <= 1000: spec\.rabbitmqResourcesConfig\.Parallelism/,
  ],
  [
    "a Secret beside a cluster",
    rabbitmqSourceDefinition,
    {
      rabbitmqClusterReference: { name: "r", connectionSecret: { name: "s" } },
      rabbitmqResourcesConfig: { queueName: "q", predeclared: true },
    },
    /must not set the field\(s\): spec\.rabbitmqClusterReference\.connectionSecret/,
  ],
  ["no subject", natsSourceDefinition, { servers: ["nats://n"] }, /missing field\(s\): spec\.subjects/],
  ["a bad subject", natsSourceDefinition, { servers: ["nats://n"], subjects: ["a b"] }, /a b: spec\.subjects\[0\]/],
  ["no stream", natsJetStreamSourceDefinition, { servers: ["nats://n"] }, /missing field\(s\): spec\.stream/],
  ["another scheme", natsJetStreamSourceDefinition, { servers: ["http://n"], stream: "S" }, /spec\.servers\[0\]/],
  [
    "a password where many may read it",
    natsJetStreamSourceDefinition,
    { servers: ["nats://ada:secret@n"], stream: "S" },
    /nats:\/\/ada:xxx@n.*a password does not belong here/s,
  ],
  [
    "two ways to log in",
    natsJetStreamSourceDefinition,
    { servers: ["nats://n"], stream: "S", auth: { token: secret, seed: secret } },
    /expected exactly one, got both: spec\.auth\.seed, spec\.auth\.token/,
  ],
  [
    "a policy without its number",
    natsJetStreamSourceDefinition,
    { servers: ["nats://n"], stream: "S", deliverPolicy: "ByStartSequence" },
    /spec\.optStartSeq/,
  ],
])("%s is refused by name", (_what, definition, spec, denial) => {
  expect(write(definition, spec).denial).toMatch(denial);
});
