import { once } from "node:events";
import { connect, type AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createWebSocketStream, WebSocketServer } from "ws";
import { matchesTopic } from "../../../src/events/sources/mqtt/mqtt-event.ts";
import { makeMosquitto, noMosquitto, type Mosquitto } from "./mosquitto.ts";
import { makeServerCertificates } from "./server-certificates.ts";
import { bodies, createSourceBench, ids, until, type SourceBench } from "./source-bench.ts";

if (noMosquitto !== undefined) test.skip(`an MqttSource: ${noMosquitto}`, () => undefined);

const key = "mqttsource/default/s";
const version = (protocolVersion: "3.1.1" | "5") => ({ protocolVersion });

test.each<[string, string, boolean]>([
  ["a/b", "a/b", true],
  ["a/+", "a/b", true],
  ["a/+", "a/b/c", false],
  ["a/#", "a", true],
  ["a/#", "a/b/c", true],
  ["+/b", "a/b", true],
  ["+", "/a", false],
  ["#", "$SYS/x", false],
  ["$SYS/#", "$SYS/x", true],
])("the filter %s and the topic %s", (filter, topic, matches) => {
  expect(matchesTopic(filter, topic)).toBe(matches);
});

describe.skipIf(noMosquitto !== undefined)("an MqttSource", () => {
  let broker: Mosquitto;
  let bench: SourceBench;
  let topic = "";
  let topics = 0;
  beforeAll(async () => {
    broker = await makeMosquitto();
    await broker.start();
  });
  afterAll(() => broker.remove());
  beforeEach(async () => {
    bench = await createSourceBench();
    topic = `t${++topics}`;
  });
  afterEach(async () => {
    await bench.runner.removeSource(key, "u1", { forget: true }).catch(() => undefined);
    await bench.close();
  });

  const state = (wanted: (seen: ReturnType<SourceBench["runner"]["sourceState"]>) => boolean, what: string) =>
    until(() => bench.runner.sourceState(key), wanted, what);
  const open = async (settings: object = {}, more: Parameters<SourceBench["spec"]>[2] = {}) => {
    const common = { url: `mqtt://127.0.0.1:${broker.port}`, topics: [`${topic}/#`], sessionExpirySeconds: 3600 };
    const spec = bench.spec("MqttSource", { ...common, ...settings }, more);
    bench.runner.setSource(spec);
    await until(
      () => bench.runner.sourceState(spec.key),
      (seen) => seen?.connected === true,
      "connection",
    );
    return spec;
  };
  const got = (count: number) =>
    until(
      () => bench.received,
      (seen) => seen.length >= count,
      `${count} events`,
    );

  test("sends plain messages as events of their topics", async () => {
    await open();
    const properties = { contentType: "application/json", userProperties: { "X-Order": "7" } };
    await broker.publish(`${topic}/a`, '{"n":1.0}', { properties });
    await broker.publish(`${topic}/b`, "hello");
    const [first, second] = await got(2);
    expect(first).toMatchObject({
      body: '{"n":1.0}',
      headers: {
        "ce-type": "dev.ebb.sources.mqtt.message",
        "ce-source": "/sources/mqttsource",
        "ce-subject": `${topic}/a`,
        "ce-partitionkey": `${topic}/a`,
        "ce-mqttqos": "1",
        "ce-mqttuserxorder": "7",
        "content-type": "application/json",
      },
    });
    expect(second).toMatchObject({ body: "hello", headers: { "content-type": "text/plain" } });
  });

  test("takes events as they are: binary and structured with version 5, structured with 3.1.1", async () => {
    await open();
    const userProperties = { specversion: "1.0", id: "b", source: "/x", type: "t", subject: "s" };
    await broker.publish(topic, "hi", { properties: { contentType: "text/plain", userProperties } });
    const structured = '{"specversion":"1.0","id":"s","source":"/x","type":"t","data":{"n":1.0}}';
    await broker.publish(topic, structured, { properties: { contentType: "application/cloudevents+json" } });
    const seen = await got(2);
    const byId = new Map(seen.map((one) => [one.headers["ce-id"], one]));
    expect(byId.get("b")).toMatchObject({ body: "hi", headers: { "ce-subject": "s", "content-type": "text/plain" } });
    expect(byId.get("s")?.body).toBe('{"n":1.0}');
    await bench.runner.removeSource(key, "u1", { forget: true });
    bench.received.length = 0;
    await open(version("3.1.1"));
    await broker.publish(topic, structured);
    await got(1);
    expect(ids(bench.received)).toEqual(["s"]);
  });

  test.each(["5", "3.1.1"] as const)(
    "version %s: acknowledges after delivery, and misses nothing while away",
    async (which) => {
      let refused = 1;
      bench.answer = ({ body }) => (body === "bad" && refused-- > 0 ? 400 : 204);
      const spec = await open(version(which));
      await broker.publish(topic, "bad");
      await broker.publish(topic, "good");
      await got(3);
      expect(bodies(bench.received).toSorted()).toEqual(["bad", "bad", "good"]);
      await bench.runner.removeSource(spec.key, spec.uid);
      await broker.publish(topic, "meanwhile");
      bench.received.length = 0;
      await open(version(which));
      await got(1);
      // Nothing but what came meanwhile: the others were acknowledged.
      await broker.publish(topic, "last");
      await got(2);
      expect(bodies(bench.received)).toEqual(["meanwhile", "last"]);
    },
  );

  test("keeps to its number of deliveries, answers the broker meanwhile, and is sent again what it did not acknowledge", async () => {
    const held: (() => void)[] = [];
    bench.answer = () => new Promise((resolve) => held.push(() => resolve(503)));
    const spec = await open({ maxInFlight: 2 });
    for (const n of ["1", "2", "3"]) await broker.publish(topic, n);
    await got(2);
    expect(bench.received).toHaveLength(2);
    const removed = bench.runner.removeSource(spec.key, spec.uid);
    for (const release of held) release();
    await removed;
    bench.received.length = 0;
    bench.answer = () => 204;
    await open({ maxInFlight: 2 });
    await got(3);
    expect(bodies(bench.received).toSorted()).toEqual(["1", "2", "3"]);
  });

  test("shares a group's messages, each going to one", async () => {
    await open({ shareGroup: "g" });
    const other = await open({ shareGroup: "g" }, { key: "mqttsource/default/other", uid: "u2" });
    for (let n = 0; n < 20; n += 1) await broker.publish(topic, String(n));
    await got(20);
    expect(new Set(bodies(bench.received)).size).toBe(20);
    expect(bench.received).toHaveLength(20);
    await bench.runner.removeSource(other.key, other.uid, { forget: true });
  });

  test("a session of its own ends with it", async () => {
    const spec = await open();
    await bench.runner.removeSource(spec.key, spec.uid, { forget: true });
    await broker.publish(topic, "to nobody");
    await open();
    await broker.publish(topic, "new");
    await got(1);
    expect(bodies(bench.received)).toEqual(["new"]);
  });

  test("a message that is retained comes once, and says so", async () => {
    await broker.publish(topic, "kept", { retain: true });
    const spec = await open();
    const [event] = await got(1);
    expect(event?.headers["ce-mqttretain"]).toBe("true");
    await bench.runner.removeSource(spec.key, spec.uid);
    await open();
    await broker.publish(topic, "new");
    await got(2);
    expect(bodies(bench.received)).toEqual(["kept", "new"]);
  });

  test("outlives a restart of the broker, says so meanwhile, and loses nothing", async () => {
    await open();
    await broker.publish(topic, "before");
    await got(1);
    await broker.stop();
    const seen = await state((now) => now?.connected === false, "trouble");
    expect(seen?.trouble).toMatch(/the MQTT broker at 127\.0\.0\.1:\d+/);
    await broker.start();
    await broker.publish(topic, "after");
    await got(2);
    await state((now) => now?.connected === true && now.trouble === undefined, "connection");
    expect(bodies(bench.received)).toEqual(["before", "after"]);
  }, 30_000);
});

test.skipIf(noMosquitto !== undefined)("an MqttSource reads over WebSockets, too", async () => {
  const broker = await makeMosquitto();
  await broker.start();
  // Mosquitto's own need a library that not every build has.
  const bridge = new WebSocketServer({ host: "127.0.0.1", port: 0, path: "/mqtt", handleProtocols: () => "mqtt" });
  bridge.on("connection", (socket) => {
    const web = createWebSocketStream(socket);
    const plain = connect(broker.port, "127.0.0.1");
    for (const stream of [web, plain]) stream.on("error", () => undefined);
    web.pipe(plain).pipe(web);
  });
  await once(bridge, "listening");
  const bench = await createSourceBench();
  try {
    const url = `ws://127.0.0.1:${(bridge.address() as AddressInfo).port}/mqtt`;
    bench.runner.setSource(bench.spec("MqttSource", { url, topics: ["t"] }));
    await until(
      () => bench.runner.sourceState(key),
      (seen) => seen?.connected === true,
      "connection",
    );
    await broker.publish("t", "x");
    await until(
      () => bodies(bench.received),
      (seen) => seen.includes("x"),
      "the message",
    );
  } finally {
    await bench.close();
    for (const socket of bridge.clients) socket.terminate();
    bridge.close();
    await broker.remove();
  }
});

describe.skipIf(noMosquitto !== undefined)("an MqttSource of a broker with users and TLS", () => {
  const certificates = makeServerCertificates();
  let broker: Mosquitto;
  let bench: SourceBench;
  beforeAll(async () => {
    broker = await makeMosquitto({ certificates, user: { name: "ebb", password: "hush" } });
    await broker.start();
    bench = await createSourceBench();
  });
  afterAll(async () => {
    await bench.close();
    await broker.remove();
    certificates.remove();
  });
  const told = async (settings: object): Promise<string> => {
    const common = { url: `mqtts://127.0.0.1:${broker.port}`, topics: ["t"], username: "ebb", password: "hush" };
    const spec = bench.spec("MqttSource", { ...common, ...settings });
    bench.runner.setSource(spec);
    const seen = await until(
      () => bench.runner.sourceState(spec.key),
      (now) => now?.connected === true || now?.trouble !== undefined,
      "state",
    );
    await bench.runner.removeSource(spec.key, spec.uid);
    return seen?.trouble ?? "connected";
  };

  test.each<[string, object, RegExp]>([
    ["right", { tls: { caCert: certificates.ca } }, /^connected$/],
    ["right for 3.1.1", { tls: { caCert: certificates.ca }, protocolVersion: "3.1.1" }, /^connected$/],
    ["not to check", { tls: { skipVerify: true } }, /^connected$/],
    [
      "a wrong password",
      { tls: { caCert: certificates.ca }, password: "no" },
      /refused the login .*check spec\.username/,
    ],
    [
      "a wrong password for 3.1.1",
      { tls: { caCert: certificates.ca }, password: "no", protocolVersion: "3.1.1" },
      /refused the login/,
    ],
    ["without the CA", {}, /no encrypted connection.*check spec\.tls/],
    [
      "where nobody is",
      { url: "mqtt://127.0.0.1:1" },
      /the MQTT broker at 127\.0\.0\.1:1 cannot be reached .*check spec\.url/,
    ],
  ])("what it is told is %s", async (_, settings, wanted) => {
    expect(await told(settings)).toMatch(wanted);
  });
});
