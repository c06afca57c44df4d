import { Admin, Producer, stringSerializers } from "@platformatic/kafka";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeKafka, noKafka, type KafkaServer } from "./kafka-server.ts";
import { everything, outlivesKills } from "./kill-reader.ts";
import { makeServerCertificates, type ServerCertificates } from "./server-certificates.ts";
import { bodies, createSourceBench, ids, until, type SourceBench } from "./source-bench.ts";

if (noKafka !== undefined) test.skip(`a KafkaSource: ${noKafka}`, () => undefined);

describe.skipIf(noKafka !== undefined)("a KafkaSource", { timeout: 60_000 }, () => {
  let kafka: KafkaServer;
  let certificates: ServerCertificates;
  let admin: Admin;
  let producer: Producer<string, string, string, string>;
  let bench: SourceBench;
  const others: SourceBench[] = [];
  let topics = 0;
  beforeAll(async () => {
    certificates = makeServerCertificates();
    const keystore = join(certificates.dir, "keystore.pem");
    writeFileSync(keystore, readFileSync(certificates.keyFile, "utf8") + readFileSync(certificates.certFile, "utf8"));
    kafka = await makeKafka({ keystore });
    await kafka.start();
    const common = { bootstrapBrokers: [kafka.plain], retries: 10 };
    admin = new Admin({ ...common, clientId: "test" });
    producer = new Producer({ ...common, clientId: "test", serializers: stringSerializers });
  }, 240_000);
  afterAll(async () => {
    await Promise.all([producer.close(), admin.close()]);
    await kafka.remove();
    certificates.remove();
  });
  beforeEach(async () => {
    bench = await createSourceBench();
  });
  afterEach(async () => {
    await Promise.all([bench, ...others.splice(0)].map((one) => one.close()));
  });

  const makeTopic = async (partitions = 1): Promise<string> => {
    const topic = `t${++topics}`;
    await admin.createTopics({ topics: [topic], partitions, replicas: 1 });
    return topic;
  };
  interface Sent {
    readonly key?: string;
    readonly partition?: number;
    readonly headers?: Readonly<Record<string, string>>;
  }
  const send = (topic: string, values: readonly string[], { headers, ...more }: Sent = {}) =>
    producer.send({
      messages: values.map((value) => ({ topic, value, ...more, ...(headers ? { headers } : {}) })),
    });
  const specOf = (topic: string, settings: object = {}, more: Parameters<SourceBench["spec"]>[2] = {}) => {
    const own = { bootstrapServers: [kafka.plain], topics: [topic], consumerGroup: `g-${topic}` };
    return bench.spec("KafkaSource", { ...own, initialOffset: "latest", ...settings }, more);
  };
  const connected = (one: SourceBench, key: ReturnType<SourceBench["spec"]>["key"]) =>
    until(
      () => one.runner.sourceState(key),
      (state) => state?.connected === true,
      "connection",
      30_000,
    );
  const open = async (...args: Parameters<typeof specOf>) => {
    const spec = specOf(...args);
    bench.runner.setSource(spec);
    await connected(bench, spec.key);
    return spec;
  };
  const got = (count: number) =>
    until(
      () => bench.received,
      (seen) => seen.length >= count,
      `${count} events`,
    );
  const committed = async (topic: string, partition = 0): Promise<bigint> => {
    const groups = await admin.listConsumerGroupOffsets({ groups: [`g-${topic}`] });
    const found = groups[0]?.topics.find(({ name }) => name === topic)?.partitions;
    return found?.find(({ partitionIndex }) => partitionIndex === partition)?.committedOffset ?? -1n;
  };

  test("sends plain records as upstream's does, and events as they are", async () => {
    const topic = await makeTopic();
    await open(topic, {}, { extensions: { region: "eu" } });
    await send(topic, ['{"n":1.0}'], { key: "k1", headers: { "X-Trace-Id": "7" } });
    const ce = { ce_specversion: "1.0", ce_id: "b", ce_source: "/x", ce_type: "t", ce_subject: "café %41" };
    await send(topic, ["hi"], { headers: { ...ce, "content-type": "text/plain" } });
    const structured = '{"specversion":"1.0","id":"s","source":"/x","type":"t","data":{"n":1.0}}';
    await send(topic, [structured], { headers: { "content-type": "application/cloudevents+json; charset=UTF-8" } });
    const [plain, binary, third] = await got(3);
    expect(plain).toMatchObject({
      body: '{"n":1.0}',
      headers: {
        "ce-id": "partition:0/offset:0",
        "ce-type": "dev.knative.kafka.event",
        "ce-source": `/sources/kafkasource#${topic}`,
        "ce-subject": "partition:0#0",
        "ce-key": "k1",
        "ce-partitionkey": "k1",
        "ce-kafkaheaderxtraceid": "7",
        "ce-region": "eu",
      },
    });
    expect(binary).toMatchObject({
      body: "hi",
      headers: { "ce-id": "b", "ce-subject": "caf%C3%A9%20%2541", "content-type": "text/plain" },
    });
    expect(third).toMatchObject({ body: '{"n":1.0}', headers: { "ce-id": "s", "content-type": "application/json" } });
    await until(
      () => committed(topic),
      (at) => at === 3n,
      "commit of all",
    );
  });

  test("keeps the order of a partition behind an event nobody takes, and commits nothing beyond it", async () => {
    const topic = await makeTopic(2);
    let isRefused = true;
    bench.answer = ({ body }) => (body === "bad" && isRefused ? 400 : 204);
    const spec = await open(topic, { initialOffset: "earliest" });
    await send(topic, ["a", "bad", "c"], { partition: 0 });
    await send(topic, ["x", "y"], { partition: 1 });
    await until(
      () => bodies(bench.received),
      (seen) => seen.includes("y") && seen.includes("bad"),
      "other partition",
    );
    await until(
      () => committed(topic, 1),
      (at) => at === 2n,
      "commit of the other partition",
    );
    const state = await until(
      () => bench.runner.sourceState(spec.key),
      (now) => now?.trouble !== undefined,
      "trouble",
    );
    expect(state).toMatchObject({ connected: true, trouble: expect.stringContaining("it answered 400") });
    expect(await committed(topic, 0)).toBe(1n);
    expect(bodies(bench.received)).not.toContain("c");
    isRefused = false;
    await until(
      () => committed(topic, 0),
      (at) => at === 3n,
      "commit of all",
    );
    expect(bodies(bench.received).filter((body) => "abc".includes(body))).toEqual(["a", "c"]);
    expect(bench.runner.sourceState(spec.key)).toEqual({ connected: true });
  });

  test("delivers unordered ones at once, and commits up to the first that is not delivered", async () => {
    const topic = await makeTopic();
    const { promise: slow, resolve: release } = Promise.withResolvers<number>();
    bench.answer = ({ body }) => (body === "1" ? slow : 204);
    await open(topic, { ordering: "unordered" });
    await send(topic, ["0", "1", "2", "3"]);
    await got(4);
    await until(
      () => committed(topic),
      (at) => at === 1n,
      "commit before the slow one",
    );
    release(204);
    await until(
      () => committed(topic),
      (at) => at === 4n,
      "commit of all",
    );
    expect(bodies(bench.received).toSorted()).toEqual(["0", "1", "2", "3"]);
  });

  test("hands what nobody takes to the dead letter sink, and goes on", async () => {
    const topic = await makeTopic();
    bench.answer = ({ headers, body }) => (body === "bad" && !headers["ce-knativeerrorcode"] ? 422 : 204);
    await open(topic, {}, { deadLetter: { url: `${bench.url}dead` } });
    await send(topic, ["bad", "good"]);
    await until(
      () => committed(topic),
      (at) => at === 2n,
      "commit of all",
    );
    expect(bench.received.map(({ headers, body }) => [body, headers["ce-knativeerrorcode"]])).toEqual([
      ["bad", undefined],
      ["bad", "422"],
      ["good", undefined],
    ]);
  });

  test("goes on where it was, in whichever process; a new group keeps where it began", async () => {
    const topic = await makeTopic();
    await send(topic, ["before"]);
    const spec = await open(topic);
    await bench.runner.removeSource(spec.key, spec.uid);
    await send(topic, ["while away"]);
    bench.runner.setSource(spec);
    await got(1);
    expect(bodies(bench.received)).toEqual(["while away"]);
  });

  test("partitions that are added are noticed, and read from their beginning", async () => {
    const topic = await makeTopic(1);
    await open(topic);
    await send(topic, ["before"]);
    await got(1);
    await admin.createPartitions({ topics: [{ name: topic, count: 3, assignments: null }] });
    const later = new Producer({
      clientId: "later",
      bootstrapBrokers: [kafka.plain],
      serializers: stringSerializers,
    });
    for (const partition of [1, 2])
      await until(
        () =>
          later.send({ messages: [{ topic, value: `added ${partition}`, partition }] }).then(
            () => true,
            () => false,
          ),
        (sent) => sent,
        "the new partitions",
        15_000,
      );
    await later.close();
    await until(
      () => bodies(bench.received).toSorted(),
      (seen) => seen.length === 3,
      "what came to the new partitions",
      40_000,
    );
    expect(bodies(bench.received).toSorted()).toEqual(["added 1", "added 2", "before"]);
    await send(topic, ["after"]);
    await got(4);
  }, 60_000);

  test("two readers of a group share its partitions, and one takes over when the other goes", async () => {
    const topic = await makeTopic(4);
    const second = await createSourceBench();
    others.push(second);
    await open(topic);
    const spec = { ...specOf(topic), uid: "u2", target: { url: second.url } };
    second.runner.setSource(spec);
    await connected(second, spec.key);
    const sendAll = async (from: number): Promise<void> => {
      for (const partition of [0, 1, 2, 3])
        await send(
          topic,
          [0, 1, 2, 3, 4].map((n) => `${partition}/${from + n}`),
          { partition },
        );
    };
    await sendAll(0);
    await until(
      () => [bench.received.length, second.received.length],
      ([a, b]) => a === 10 && b === 10,
      "halves",
    );
    await second.runner.removeSource(spec.key, spec.uid);
    await sendAll(5);
    await until(
      () => bench.received.length,
      (count) => count === 30,
      "all of the second half",
      30_000,
    );
    const all = [...bodies(bench.received), ...bodies(second.received)];
    expect(new Set(all).size).toBe(40);
    expect(all).toHaveLength(40);
    for (const partition of [0, 1, 2, 3]) {
      const own = bodies(bench.received).filter((body) => body.startsWith(`${partition}/`));
      expect(own).toEqual(own.toSorted((a, b) => Number(a.slice(2)) - Number(b.slice(2))));
    }
  });

  test("loses nothing when who reads it is killed, and goes on at once", { timeout: 120_000 }, async () => {
    const topic = await makeTopic(3);
    const spec = specOf(topic, { initialOffset: "earliest" });
    await outlivesKills(bench, spec, (text) => send(topic, [text], { partition: Number(text) % 3 }), everything);
  });

  test("logs in with SASL, and says when it may not", async () => {
    const topic = await makeTopic();
    const settings = (type: string, password = "secret") => ({
      bootstrapServers: [kafka.sasl],
      net: { sasl: { enable: true, user: "ada", password, type } },
    });
    for (const [n, type] of ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"].entries()) {
      const spec = await open(topic, settings(type));
      await send(topic, [type]);
      await got(n + 1);
      await bench.runner.removeSource(spec.key, spec.uid);
    }
    const wrong = specOf(topic, settings("SCRAM-SHA-256", "wrong"));
    bench.runner.setSource(wrong);
    const state = await until(
      () => bench.runner.sourceState(wrong.key),
      (now) => now?.trouble !== undefined,
      "trouble",
    );
    expect(state?.trouble).toBe(`Kafka at ${kafka.sasl} refused the login: check spec.net.sasl`);
  });

  test("speaks TLS, and says when the server is not known", async () => {
    const topic = await makeTopic();
    const settings = (tls: object) => ({ bootstrapServers: [kafka.tls], net: { tls: { enable: true, ...tls } } });
    const spec = await open(topic, settings({ caCert: certificates.ca }));
    await send(topic, ["x"]);
    await got(1);
    await bench.runner.removeSource(spec.key, spec.uid);
    bench.runner.setSource(specOf(topic, settings({})));
    const state = await until(
      () => bench.runner.sourceState(spec.key),
      (now) => now?.trouble !== undefined,
      "trouble",
    );
    expect(state?.trouble).toMatch(/^no encrypted connection to Kafka at .* check spec\.net\.tls and its caCert/);
  });

  test("says what does not exist, and reads it once it does", async () => {
    const spec = specOf("later", { initialOffset: "earliest" });
    bench.runner.setSource(spec);
    const state = await until(
      () => bench.runner.sourceState(spec.key),
      (now) => now?.trouble !== undefined,
      "trouble",
    );
    expect(state?.trouble).toBe('a topic of "later" does not exist: create it, or correct spec.topics');
    await admin.createTopics({ topics: ["later"], partitions: 1, replicas: 1 });
    await send("later", ["x"]);
    await got(1);
  });

  test("outlives a restart of the server, and says so meanwhile", { timeout: 120_000 }, async () => {
    const topic = await makeTopic();
    const spec = await open(topic);
    await send(topic, ["before"]);
    await got(1);
    await until(
      () => committed(topic),
      (at) => at === 1n,
      "commit",
    );
    await kafka.stop("SIGKILL");
    const state = await until(
      () => bench.runner.sourceState(spec.key),
      (now) => now?.connected === false && now.trouble !== undefined,
      "trouble",
      30_000,
    );
    expect(state?.trouble).toMatch(/^Kafka at 127\.0\.0\.1:\d+ cannot be reached/);
    await kafka.start();
    await send(topic, ["after"]);
    await until(
      () => bodies(bench.received),
      (seen) => seen.includes("after"),
      "event after the restart",
      60_000,
    );
    expect(bodies(bench.received)).toEqual(["before", "after"]);
    expect(ids(bench.received)).toHaveLength(2);
  });
});
