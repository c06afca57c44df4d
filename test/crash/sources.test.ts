/** A process that reads a source dies at random: nothing that was sent is lost. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect as connectNats } from "@nats-io/transport-node";
import { Admin, Producer, stringSerializers } from "@platformatic/kafka";
import { connect as connectRabbitmq } from "amqplib";
import { expect, test } from "vitest";
import type { SourceSpec } from "../../src/api/eventing/source-engine.ts";
import { makeNats, noNats } from "../events/nats-server.ts";
import { makeKafka, noKafka } from "../events/sources/kafka-server.ts";
import { makeRabbitmq, noRabbitmq } from "../events/sources/rabbitmq-server.ts";
import { bodies, createSourceBench, until } from "../events/sources/source-bench.ts";

const rounds = 3;
const perRound = 60;

interface Prepared {
  readonly settings: object;
  send(text: string): Promise<unknown>;
  close(): Promise<unknown>;
}

const kinds: readonly [kind: string, missing: string | undefined, prepare: () => Promise<Prepared>][] = [
  [
    "NatsJetStreamSource",
    noNats,
    async () => {
      const server = await makeNats({ syncAlways: false });
      await server.start();
      const connection = await connectNats({ servers: server.url });
      await (await jetstreamManager(connection)).streams.add({ name: "S", subjects: ["s"] });
      return {
        settings: { servers: [server.url], stream: "S", maxAckPending: 5, ackWait: "2s", deliverPolicy: "All" },
        send: (text) => jetstream(connection).publish("s", text),
        close: async () => {
          await connection.close();
          await server.remove();
        },
      };
    },
  ],
  [
    "RabbitmqSource",
    noRabbitmq,
    async () => {
      const server = await makeRabbitmq();
      await server.start();
      const connection = await connectRabbitmq(`amqp://ada:secret@${server.plain}`);
      const channel = await connection.createConfirmChannel();
      await channel.assertQueue("q", { durable: true });
      return {
        settings: {
          rabbitmqResourcesConfig: { queueName: "q", predeclared: true, parallelism: 5 },
          connection: { uri: server.plain, username: "ada", password: "secret" },
        },
        async send(text) {
          channel.sendToQueue("q", Buffer.from(text), { persistent: true });
          await channel.waitForConfirms();
        },
        close: async () => {
          await connection.close();
          await server.remove();
        },
      };
    },
  ],
  [
    "KafkaSource",
    noKafka,
    async () => {
      const server = await makeKafka();
      await server.start();
      const common = { bootstrapBrokers: [server.plain], clientId: "test", retries: 10 };
      const admin = new Admin(common);
      await admin.createTopics({ topics: ["t"], partitions: 3, replicas: 1 });
      const producer = new Producer({ ...common, serializers: stringSerializers });
      return {
        settings: { bootstrapServers: [server.plain], topics: ["t"], consumerGroup: "g", initialOffset: "earliest" },
        send: (text) => producer.send({ messages: [{ topic: "t", value: text, partition: Number(text) % 3 }] }),
        close: async () => {
          await Promise.all([producer.close(), admin.close()]);
          await server.remove();
        },
      };
    },
  ],
];

function read(spec: SourceSpec): ChildProcess {
  const script = join(import.meta.dirname, "reading-process.ts");
  return spawn(process.execPath, [script, JSON.stringify(spec)], { stdio: ["ignore", "pipe", "inherit"] });
}

for (const [kind, missing, prepare] of kinds)
  if (missing !== undefined) test.skip(`kill -9 of who reads a ${kind}: ${missing}`, () => undefined);
  else
    test(
      `kill -9 of who reads a ${kind} loses nothing, and another one goes on at once`,
      { timeout: 170_000 },
      async () => {
        const [bench, prepared] = [await createSourceBench(), await prepare()];
        const spec = bench.spec(kind, prepared.settings);
        let sent = 0;
        let child = read(spec);
        try {
          for (let round = 0; round < rounds; round += 1) {
            await once(child.stdout ?? child, "data");
            for (const end = sent + perRound; sent < end; sent += 1) await prepared.send(String(sent));
            await until(
              () => bench.received.length,
              (count) => count >= sent - perRound + 10 + round * 7,
              "some events",
            );
            child.kill("SIGKILL");
            await once(child, "exit");
            child = read(spec);
          }
          const wanted = new Set(Array.from({ length: sent }, (_, n) => String(n)));
          const missed = (): string[] => [...wanted.difference(new Set(bodies(bench.received)))];
          await until(missed, (left) => left.length === 0, "delivery of all", 60_000);
          expect(sent).toBe(rounds * perRound);
          // What was under way at each death comes again, and no more than that.
          expect(bench.received.length).toBeLessThan(sent + rounds * 40);
        } finally {
          child.kill("SIGKILL");
          await bench.close();
          await prepared.close();
        }
      },
    );
