import { connect, type Channel, type ChannelModel, type Options } from "amqplib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { makeRabbitmq, noRabbitmq, type RabbitmqServer } from "./rabbitmq-server.ts";
import { outlivesKills } from "./kill-reader.ts";
import { makeServerCertificates, type ServerCertificates } from "./server-certificates.ts";
import { bodies, createSourceBench, until, type SourceBench } from "./source-bench.ts";

if (noRabbitmq !== undefined) test.skip(`a RabbitmqSource: ${noRabbitmq}`, () => undefined);

describe.skipIf(noRabbitmq !== undefined)("a RabbitmqSource", { timeout: 60_000 }, () => {
  let rabbitmq: RabbitmqServer;
  let certificates: ServerCertificates;
  let connection: ChannelModel;
  let channel: Channel;
  let bench: SourceBench;
  let queues = 0;
  const reconnect = async (): Promise<void> => {
    connection = await connect(`amqp://ada:secret@${rabbitmq.plain}`);
    connection.on("error", () => undefined);
    channel = await connection.createChannel();
    channel.on("error", () => undefined);
  };
  beforeAll(async () => {
    certificates = makeServerCertificates();
    rabbitmq = await makeRabbitmq(certificates);
    await rabbitmq.start();
    await reconnect();
  }, 120_000);
  afterAll(async () => {
    await connection.close().catch(() => undefined);
    await rabbitmq.remove();
    certificates.remove();
  });
  beforeEach(async () => {
    bench = await createSourceBench();
  });
  afterEach(() => bench.close());

  const makeQueue = async (): Promise<string> => {
    const queue = `q${++queues}`;
    await channel.assertQueue(queue, { durable: true });
    return queue;
  };
  const send = (queue: string, body: string, options: Options.Publish = {}): void =>
    void channel.sendToQueue(queue, Buffer.from(body), { persistent: true, ...options });
  const login = { username: "ada", password: "secret" };
  const specOf = (queueName: string, config: object = {}, connectionSecret: object = {}) =>
    bench.spec("RabbitmqSource", {
      rabbitmqClusterReference: { namespace: "default" },
      rabbitmqResourcesConfig: { queueName, predeclared: true, parallelism: 10, ...config },
      connection: { uri: rabbitmq.plain, ...login, ...connectionSecret },
    });
  const open = async (...args: Parameters<typeof specOf>) => {
    const spec = specOf(...args);
    bench.runner.setSource(spec);
    await until(
      () => bench.runner.sourceState(spec.key),
      (state) => state?.connected === true,
      "connection",
    );
    return spec;
  };
  const troubleOf = async (spec: ReturnType<typeof specOf>): Promise<string | undefined> => {
    bench.runner.setSource(spec);
    const state = await until(
      () => bench.runner.sourceState(spec.key),
      (now) => now?.trouble !== undefined,
      "trouble",
    );
    return state?.trouble;
  };
  const got = (count: number) =>
    until(
      () => bench.received,
      (seen) => seen.length >= count,
      `${count} events`,
    );
  const left = async (queue: string): Promise<number> => (await channel.checkQueue(queue)).messageCount;

  test("sends plain messages as upstream's does, and events in every way they are written", async () => {
    const queue = await makeQueue();
    await open(queue);
    send(queue, '{"n":1.0}', { messageId: "m1", contentType: "application/json", timestamp: 1_700_000_000 });
    const attributes = { specversion: "1.0", source: "/x", type: "t" };
    const prefixed = (prefix: string, id: string): object =>
      Object.fromEntries(Object.entries({ ...attributes, id }).map(([name, value]) => [prefix + name, value]));
    for (const [id, prefix] of ["cloudEvents_", "cloudEvents:", "ce-", ""].entries())
      send(queue, "hi", { headers: prefixed(prefix, `b${id}`), contentType: "text/plain" });
    const structured = '{"specversion":"1.0","id":"s","source":"/x","type":"t","data":{"n":1.0}}';
    send(queue, structured, { contentType: "application/cloudevents+json" });
    const byId = new Map((await got(6)).map((one) => [one.headers["ce-id"], one]));
    expect(byId.get("m1")).toMatchObject({
      body: '{"n":1.0}',
      headers: {
        "ce-type": "dev.knative.rabbitmq.event",
        "ce-source": `/sources/rabbitmqsource#${queue}`,
        "ce-subject": "m1",
        "ce-time": "2023-11-14T22:13:20.000Z",
        "ce-rabbitmqroutingkey": queue,
        "content-type": "application/json",
      },
    });
    for (const id of ["b0", "b1", "b2", "b3"])
      expect(byId.get(id)).toMatchObject({ body: "hi", headers: { "ce-type": "t", "content-type": "text/plain" } });
    expect(byId.get("s")).toMatchObject({ body: '{"n":1.0}' });
    await until(
      () => left(queue),
      (count) => count === 0,
      "empty queue",
    );
  });

  test("acknowledges after delivery, requeues what nobody takes, and keeps to its parallelism", async () => {
    const queue = await makeQueue();
    let refused = 2;
    bench.answer = ({ body }) => (body === "bad" && refused-- > 0 ? 400 : 204);
    await open(queue, { parallelism: 1 });
    for (const body of ["bad", "good"]) send(queue, body);
    await got(4);
    expect(bodies(bench.received).toSorted()).toEqual(["bad", "bad", "bad", "good"]);
    await until(
      () => left(queue),
      (count) => count === 0,
      "empty queue",
    );
  });

  test("gives back what is not delivered when it is taken away, and goes on when it is given back", async () => {
    const queue = await makeQueue();
    bench.answer = () => 503;
    const spec = specOf(queue);
    bench.runner.setSource({ ...spec, delivery: { retry: 9, backoffPolicy: "linear", backoffDelayMs: 60_000 } });
    send(queue, "x");
    await got(1);
    await bench.runner.removeSource(spec.key, spec.uid);
    await until(
      () => left(queue),
      (count) => count === 1,
      "message in the queue",
    );
    bench.answer = () => 204;
    bench.runner.setSource(spec);
    await until(
      () => left(queue),
      (count) => count === 0,
      "empty queue",
    );
    expect(bodies(bench.received)).toEqual(["x", "x"]);
  });

  test("makes exchange and queue unless they are there, and removes its queue when it is forgotten", async () => {
    const config = { predeclared: false, exchangeName: "made", queueName: "made-queue", queueType: "quorum" };
    const spec = await open("made-queue", config);
    channel.publish("made", "any", Buffer.from("1"), { headers: { a: 1 } });
    await got(1);
    await channel.assertExchange("there", "topic", { durable: true });
    const second = { ...specOf("there-queue", { ...config, exchangeName: "there", queueName: "there-queue" }) };
    const other = { ...second, key: "rabbitmqsource/default/t" as const };
    bench.runner.setSource(other);
    await until(
      () => bench.runner.sourceState(other.key),
      (state) => state?.connected === true,
      "connection",
    );
    channel.publish("there", "a.b.c", Buffer.from("2"));
    await got(2);
    await bench.runner.removeSource(spec.key, spec.uid, { forget: true });
    const probe = await connection.createChannel();
    probe.on("error", () => undefined);
    await expect(probe.checkQueue("made-queue")).rejects.toThrow(/NOT.FOUND/);
    // What nobody has had yet is not thrown away.
    bench.answer = () => 503;
    channel.publish("there", "a", Buffer.from("3"));
    await got(3);
    await expect(bench.runner.removeSource(other.key, other.uid, { forget: true })).rejects.toThrow(
      'the queue "there-queue" still holds 1 messages',
    );
  });

  test("loses nothing when who reads it is killed", { timeout: 120_000 }, async () => {
    const queue = await makeQueue();
    const confirmed = await connection.createConfirmChannel();
    await outlivesKills(bench, specOf(queue, { parallelism: 5 }), async (text) => {
      confirmed.sendToQueue(queue, Buffer.from(text), { persistent: true });
      await confirmed.waitForConfirms();
    });
  });

  test("outlives a restart of the server, and says so meanwhile", async () => {
    const queue = await makeQueue();
    const spec = await open(queue);
    send(queue, "before");
    await got(1);
    await rabbitmq.stop("SIGKILL");
    const state = await until(
      () => bench.runner.sourceState(spec.key),
      (now) => now?.connected === false && now.trouble !== undefined,
      "trouble",
    );
    expect(state?.trouble).toMatch(/^RabbitMQ at 127\.0\.0\.1:\d+ cannot be reached/);
    await rabbitmq.start();
    await reconnect();
    send(queue, "after");
    await until(
      () => bodies(bench.received),
      (seen) => seen.includes("after"),
      "event",
      40_000,
    );
  });

  test("says that its queue was removed, and reads it once it is there again", async () => {
    const queue = await makeQueue();
    const spec = await open(queue);
    await channel.deleteQueue(queue);
    await until(
      () => bench.runner.sourceState(spec.key)?.trouble,
      (text) => text?.includes("no queue") === true,
      "trouble",
      40_000,
    );
    expect(bench.runner.sourceState(spec.key)?.trouble).toBe(
      `there is no queue "${queue}" in RabbitMQ: create it, or set predeclared to false to have it made`,
    );
    await channel.assertQueue(queue, { durable: true });
    send(queue, "anew");
    await until(
      () => bodies(bench.received),
      (seen) => seen.includes("anew"),
      "event",
      40_000,
    );
  });

  test("speaks TLS, and says when it may not come in", async () => {
    const queue = await makeQueue();
    const uri = `amqps://${rabbitmq.tls}`;
    const spec = await open(queue, {}, { uri, caCert: certificates.ca });
    send(queue, "x");
    await got(1);
    await bench.runner.removeSource(spec.key, spec.uid);
    expect(await troubleOf(specOf(queue, {}, { uri }))).toMatch(
      /no encrypted connection to RabbitMQ at .* check ca\.crt/,
    );
    expect(await troubleOf(specOf(queue, {}, { password: "wrong" }))).toBe(
      `RabbitMQ at ${rabbitmq.plain} refused the login: check username and password in the connection Secret`,
    );
    expect(await troubleOf(specOf(queue, { vhost: "none" }))).toMatch(/give the user access to the virtual host/);
  });
});
