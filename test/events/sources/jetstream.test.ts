import { headers as natsHeaders } from "@nats-io/transport-node";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { makeNats, noNats, type NatsServer } from "../nats-server.ts";
import { outlivesKills } from "./kill-reader.ts";
import { bodies, createSourceBench, ids, until, type SourceBench } from "./source-bench.ts";

if (noNats !== undefined) test.skip(`a NatsJetStreamSource: ${noNats}`, () => undefined);

describe.skipIf(noNats !== undefined)("a NatsJetStreamSource", () => {
  let nats: NatsServer;
  let bench: SourceBench;
  let streams = 0;
  beforeAll(async () => {
    nats = await makeNats({ syncAlways: false });
    await nats.start();
  });
  afterAll(() => nats.remove());
  beforeEach(async () => {
    bench = await createSourceBench();
  });
  afterEach(() => bench.close());

  const connected = async <T>(run: (nc: Awaited<ReturnType<typeof connect>>) => Promise<T>): Promise<T> => {
    const nc = await connect({ servers: nats.url });
    try {
      return await run(nc);
    } finally {
      await nc.close();
    }
  };
  const makeStream = (): Promise<string> =>
    connected(async (nc) => {
      const name = `S${++streams}`;
      await (await jetstreamManager(nc)).streams.add({ name, subjects: [`${name}.>`] });
      return name;
    });
  const publish = (subject: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<void> =>
    connected(async (nc) => {
      const all = natsHeaders();
      for (const [name, value] of Object.entries(headers)) all.set(name, value);
      await jetstream(nc).publish(subject, body, { headers: all });
    });
  const consumers = (stream: string) =>
    connected(async (nc) => (await jetstreamManager(nc)).consumers.list(stream).next());
  const open = async (stream: string, settings: object = {}, more: Parameters<SourceBench["spec"]>[2] = {}) => {
    const spec = bench.spec("NatsJetStreamSource", { servers: [nats.url], stream, ...settings }, more);
    bench.runner.setSource(spec);
    await until(
      () => bench.runner.sourceState(spec.key),
      (state) => state?.connected === true,
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

  test("sends plain messages as events that say where they are from", async () => {
    const stream = await makeStream();
    await open(stream, {}, { extensions: { region: "eu" } });
    await publish(`${stream}.a`, '{"n":1.0}', { "content-type": "application/json", "X-Order": "7" });
    const [event] = await got(1);
    expect(event).toMatchObject({
      body: '{"n":1.0}',
      headers: {
        "ce-id": `${stream}/1`,
        "ce-type": "dev.ebb.nats.message",
        "ce-source": "/sources/natsjetstreamsource",
        "ce-subject": `${stream}.a`,
        "ce-natsheaderxorder": "7",
        "ce-region": "eu",
        "content-type": "application/json",
      },
    });
  });

  test("takes events as they are, in binary and in structured mode", async () => {
    const stream = await makeStream();
    await open(stream);
    const attributes = {
      "ce-specversion": "1.0",
      "ce-id": "b",
      "ce-source": "/x",
      "ce-type": "t",
      "ce-subject": "caf%C3%A9",
    };
    await publish(`${stream}.a`, "hi", { ...attributes, "ce-datacontenttype": "text/plain" });
    const structured = '{"specversion":"1.0","id":"s","source":"/x","type":"t","data":{"n":1.0}}';
    await publish(`${stream}.a`, structured, { "Content-Type": "application/cloudevents+json" });
    await publish(`${stream}.a`, "{}", { "ce-specversion": "1.0", "ce-type": "t" });
    const seen = await got(3);
    const byId = new Map(seen.map((one) => [one.headers["ce-id"], one]));
    expect(byId.get("b")).toMatchObject({
      body: "hi",
      headers: { "ce-subject": "caf%C3%A9", "content-type": "text/plain" },
    });
    expect(byId.get("s")).toMatchObject({ body: '{"n":1.0}', headers: { "content-type": "application/json" } });
    // It says that it is an event, without id and source: nothing is lost of it.
    expect(byId.get(`${stream}/3`)).toMatchObject({ body: "{}", headers: { "ce-type": "dev.ebb.nats.message" } });
  });

  test("acknowledges after delivery: what the sink refuses comes again, and what it took does not", async () => {
    const stream = await makeStream();
    let refused = 2;
    bench.answer = ({ body }) => (body === "bad" && refused-- > 0 ? 400 : 204);
    await open(stream);
    await publish(`${stream}.a`, "good");
    await publish(`${stream}.a`, "bad");
    await got(4);
    expect(bodies(bench.received).filter((body) => body === "good")).toHaveLength(1);
    expect(bodies(bench.received).filter((body) => body === "bad")).toHaveLength(3);
    await until(
      () => consumers(stream),
      ([info]) => info?.num_ack_pending === 0,
      "acknowledgement of all",
    );
  });

  test("goes on where it was after it was taken away and given back, and keeps to what is under way at once", async () => {
    const stream = await makeStream();
    const held: (() => void)[] = [];
    bench.answer = () => new Promise((resolve) => held.push(() => resolve(204)));
    const spec = await open(stream, { maxAckPending: 2 });
    for (const n of [1, 2, 3, 4]) await publish(`${stream}.a`, String(n));
    await got(2);
    expect(bench.received).toHaveLength(2);
    const removed = bench.runner.removeSource(spec.key, spec.uid);
    for (const release of held) release();
    await removed;
    expect(bench.runner.sourceState(spec.key)).toBeUndefined();
    bench.answer = () => 204;
    bench.runner.setSource(spec);
    await got(4);
    expect(bodies(bench.received).toSorted()).toEqual(["1", "2", "3", "4"]);
  });

  test("begins where it is told, with the subjects it is told", async () => {
    const stream = await makeStream();
    for (const subject of ["a", "b", "a"]) await publish(`${stream}.${subject}`, subject);
    await open(stream, { deliverPolicy: "All", subjects: [`${stream}.a`] });
    await got(2);
    expect(ids(bench.received)).toEqual([`${stream}/1`, `${stream}/3`]);
  });

  test("removes its own consumer when it is forgotten, and leaves one that it was given", async () => {
    const stream = await makeStream();
    const own = await open(stream);
    expect(await consumers(stream)).toHaveLength(1);
    await bench.runner.removeSource(own.key, own.uid, { forget: true });
    expect(await consumers(stream)).toHaveLength(0);
    const given = await open(stream, { consumer: "mine" });
    await bench.runner.removeSource(given.key, given.uid, { forget: true });
    expect((await consumers(stream)).map(({ name }) => name)).toEqual(["mine"]);
  });

  test("loses nothing when who reads it is killed", { timeout: 120_000 }, async () => {
    const stream = await makeStream();
    const settings = { servers: [nats.url], stream, maxAckPending: 5, ackWait: "2s", deliverPolicy: "All" };
    await outlivesKills(bench, bench.spec("NatsJetStreamSource", settings), (text) => publish(`${stream}.a`, text));
  });

  test("outlives a restart of the server, and says so meanwhile", async () => {
    const stream = await makeStream();
    const spec = await open(stream);
    await publish(`${stream}.a`, "before");
    await got(1);
    await nats.stop("SIGKILL");
    const state = await until(
      () => bench.runner.sourceState(spec.key),
      (now) => now?.connected === false,
      "trouble",
    );
    expect(state?.trouble).toMatch(/the connection to 127\.0\.0\.1:\d+ was lost/);
    await nats.start();
    await publish(`${stream}.a`, "after");
    await got(2);
    expect(bodies(bench.received)).toEqual(["before", "after"]);
    await until(
      () => bench.runner.sourceState(spec.key),
      (now) => now?.connected === true,
      "connection",
    );
  }, 30_000);

  test("says that there is no such stream, and reads it once there is", async () => {
    const spec = bench.spec("NatsJetStreamSource", { servers: [nats.url], stream: "LATER", deliverPolicy: "All" });
    bench.runner.setSource(spec);
    const state = await until(
      () => bench.runner.sourceState(spec.key),
      (now) => now?.trouble !== undefined,
      "trouble",
    );
    expect(state?.trouble).toBe('there is no stream "LATER" in NATS: create it, or correct spec.stream');
    await connected(async (nc) => (await jetstreamManager(nc)).streams.add({ name: "LATER", subjects: ["later"] }));
    await publish("later", "x");
    await got(1);
  });
});
