/** Sources of NATS, Kafka and RabbitMQ as a user has them: applied with kubectl, through a Broker and a Trigger, to a function. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect as connectNats } from "@nats-io/transport-node";
import { Admin, Producer, stringSerializers } from "@platformatic/kafka";
import { connect as connectRabbitmq } from "amqplib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeNats, noNats } from "../events/nats-server.ts";
import { makeKafka, noKafka } from "../events/sources/kafka-server.ts";
import { makeRabbitmq, noRabbitmq } from "../events/sources/rabbitmq-server.ts";
import { startEbb, type EbbProcess } from "./ebb-process.ts";

const folder = mkdtempSync(join(tmpdir(), "ebb-sources-"));
const data = mkdtempSync(join(tmpdir(), "ebb-sources-data-"));
let ebb: EbbProcess;

const program = `export default async (request) => {
  console.log("got", request.headers.get("ce-type"), await request.text());
  return new Response(null, { status: 204 });
};`;
const manifest = `apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: { name: default, namespace: default }
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: all, namespace: default }
spec:
  broker: default
  subscriber: { ref: { apiVersion: serving.knative.dev/v1, kind: Service, name: f } }`;

beforeAll(async () => {
  writeFileSync(join(folder, "f.js"), program);
  ebb = await startEbb({ dir: data });
  expect(await ebb.ebb("deploy", join(folder, "f.js"), "--name", "f", "--min", "1")).toMatchObject({ code: 0 });
  await apply(manifest);
}, 90_000);
afterAll(async () => {
  await ebb.stop();
  for (const dir of [folder, data]) rmSync(dir, { recursive: true });
});

async function apply(text: string): Promise<void> {
  expect(await ebb.kubectl(["apply", "-f", "-"], { stdin: text })).toMatchObject({ code: 0 });
}

const sink = { ref: { apiVersion: "eventing.knative.dev/v1", kind: "Broker", name: "default" } };
const makeSource = (apiVersion: string, kind: string, spec: object): Promise<void> =>
  apply(JSON.stringify({ apiVersion, kind, metadata: { name: "s", namespace: "default" }, spec: { sink, ...spec } }));

const row = async (kind: string): Promise<string> => (await ebb.kubectl(["get", kind, "s", "--no-headers"])).stdout;
const isReady = (kind: string): Promise<void> =>
  expect.poll(() => row(kind), { timeout: 30_000 }).toMatch(/ True *$/m) as Promise<void>;
const sees = (text: string): Promise<void> =>
  expect.poll(async () => (await ebb.ebb("logs", "f")).stdout, { timeout: 20_000 }).toContain(text) as Promise<void>;

test.skipIf(noNats !== undefined)("NATS: a stream of JetStream", { timeout: 60_000 }, async () => {
  const nats = await makeNats({ syncAlways: false });
  await nats.start();
  const connection = await connectNats({ servers: nats.url });
  try {
    const manager = await jetstreamManager(connection);
    await makeSource("sources.ebb.dev/v1alpha1", "NatsJetStreamSource", { servers: [nats.url], stream: "ORDERS" });
    // It says what it lacks until it is there.
    await expect.poll(() => row("natsjetstreamsource"), { timeout: 20_000 }).toMatch(/ False +ConnectionFailed *$/m);
    await manager.streams.add({ name: "ORDERS", subjects: ["orders.>"] });
    await isReady("natsjetstreamsource");
    await jetstream(connection).publish("orders.eu", '{"n":1}');
    await sees('got dev.ebb.nats.message {"n":1}');
    const { stdout } = await ebb.kubectl(["get", "natsjetstreamsources"]);
    expect(stdout).toMatch(/NAME +STREAM +SINK +AGE +READY +REASON/);
    expect(await ebb.kubectl(["delete", "natsjetstreamsource", "s"])).toMatchObject({ code: 0 });
    expect(await manager.consumers.list("ORDERS").next()).toEqual([]);
  } finally {
    await connection.close();
    await nats.remove();
  }
});

test.skipIf(noKafka !== undefined)("Kafka: a topic, with a login from a Secret", { timeout: 120_000 }, async () => {
  const kafka = await makeKafka();
  await kafka.start();
  const common = { bootstrapBrokers: [kafka.plain], clientId: "test", retries: 10 };
  const [admin, producer] = [new Admin(common), new Producer({ ...common, serializers: stringSerializers })];
  try {
    await admin.createTopics({ topics: ["orders"], partitions: 2, replicas: 1 });
    const of = (key: string): object => ({ secretKeyRef: { name: "kafka", key } });
    await makeSource("sources.knative.dev/v1", "KafkaSource", {
      bootstrapServers: [kafka.sasl],
      topics: ["orders"],
      net: { sasl: { enable: true, user: of("user"), password: of("password"), type: of("type") } },
    });
    await expect.poll(() => row("kafkasource"), { timeout: 20_000 }).toMatch(/ False +SecretNotFound *$/m);
    const stringData = { user: "ada", password: "secret", type: "SCRAM-SHA-512" };
    await apply(JSON.stringify({ apiVersion: "v1", kind: "Secret", metadata: { name: "kafka" }, stringData }));
    await isReady("kafkasource");
    await producer.send({ messages: [{ topic: "orders", key: "k", value: '{"n":2}' }] });
    await sees('got dev.knative.kafka.event {"n":2}');
    expect((await ebb.kubectl(["get", "kafkasources"])).stdout).toMatch(
      /NAME +TOPICS +BOOTSTRAPSERVERS +SINK +AGE +READY/,
    );
    expect(await ebb.kubectl(["delete", "kafkasource", "s"])).toMatchObject({ code: 0 });
    expect([...(await admin.listGroups()).keys()]).toEqual([]);
  } finally {
    await Promise.all([producer.close(), admin.close()]);
    await kafka.remove();
  }
});

test.skipIf(noRabbitmq !== undefined)(
  "RabbitMQ: a queue that is made for its exchange",
  { timeout: 120_000 },
  async () => {
    const rabbitmq = await makeRabbitmq();
    await rabbitmq.start();
    const connection = await connectRabbitmq(`amqp://ada:secret@${rabbitmq.plain}`);
    try {
      const stringData = { uri: rabbitmq.plain, username: "ada", password: "secret" };
      await apply(JSON.stringify({ apiVersion: "v1", kind: "Secret", metadata: { name: "rabbit" }, stringData }));
      await makeSource("sources.knative.dev/v1alpha1", "RabbitmqSource", {
        rabbitmqClusterReference: { connectionSecret: { name: "rabbit" } },
        rabbitmqResourcesConfig: { exchangeName: "orders", queueName: "orders-ebb" },
      });
      await isReady("rabbitmqsource");
      const channel = await connection.createChannel();
      channel.publish("orders", "", Buffer.from('{"n":3}'), { contentType: "application/json" });
      await sees('got dev.knative.rabbitmq.event {"n":3}');
      expect((await ebb.kubectl(["get", "rmqsource"])).stdout).toMatch(/NAME +QUEUE +SINK +AGE +READY/);
      expect(await ebb.kubectl(["delete", "rabbitmqsource", "s"])).toMatchObject({ code: 0 });
    } finally {
      await connection.close();
      await rabbitmq.remove();
    }
  },
);
