import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { makeRedis, noRedis, type RedisServer } from "./redis-server.ts";
import { bodies, createSourceBench, ids, until, type SourceBench } from "./source-bench.ts";

if (noRedis !== undefined) test.skip(`a RedisListSource: ${noRedis}`, () => undefined);

describe.skipIf(noRedis !== undefined)("a RedisListSource", () => {
  let redis: RedisServer;
  let bench: SourceBench;
  let list = "";
  let lists = 0;
  beforeAll(async () => {
    redis = await makeRedis();
    await redis.start();
  });
  afterAll(() => redis.remove());
  beforeEach(async () => {
    bench = await createSourceBench();
    list = `l${++lists}`;
  });
  afterEach(() => bench.close());

  const open = async (settings: object = {}) => {
    const spec = bench.spec("RedisListSource", { address: redis.address, list, ...settings });
    bench.runner.setSource(spec);
    await until(
      () => bench.runner.sourceState(spec.key),
      (seen) => seen?.connected === true,
      "connection",
    );
    return spec;
  };
  const items = async (key: string) => ((await redis.run("LRANGE", key, "0", "-1")) as string[]).map(String);
  const got = (count: number) =>
    until(
      () => bench.received,
      (seen) => seen.length >= count,
      `${count} events`,
    );

  test("takes items in the order they were pushed, typed by what they are", async () => {
    for (const item of ['{"n":1.0}', "plain", Buffer.from([0xff])]) await redis.run("LPUSH", list, item);
    await open({ maxInFlight: 1 });
    const seen = await got(3);
    expect(bodies(seen).slice(0, 2)).toEqual(['{"n":1.0}', "plain"]);
    expect(seen.map(({ headers }) => headers["content-type"])).toEqual([
      "application/json",
      "text/plain",
      "application/octet-stream",
    ]);
    expect(new Set(ids(seen)).size).toBe(3);
    expect(seen[0]?.headers["ce-type"]).toBe("dev.ebb.sources.redislist");
    await until(
      () => items(`${list}:ebb:u1`),
      (left) => left.length === 0,
      "empty processing list",
    );
  });

  test("an item that is an event in JSON is that event", async () => {
    await redis.run("RPUSH", list, '{"specversion":"1.0","id":"7","source":"/x","type":"t","data":{"n":1.0}}');
    await redis.run("RPUSH", list, '{"specversion":"1.0","id":"8"}');
    await open({ end: "left" });
    const seen = await got(2);
    expect(seen.find(({ headers }) => headers["ce-id"] === "7")).toMatchObject({
      body: '{"n":1.0}',
      headers: { "ce-type": "t", "ce-source": "/x" },
    });
    expect(seen.find(({ headers }) => headers["ce-type"] === "dev.ebb.sources.redislist")?.body).toContain('"id":"8"');
  });

  test("an item leaves Redis only when the sink has it; equal items are as many events", async () => {
    let refusals = 1;
    bench.answer = () => (refusals-- > 0 ? 400 : 204);
    for (let n = 0; n < 2; n += 1) await redis.run("LPUSH", list, "same");
    await open({ maxInFlight: 1, processingList: "busy" });
    await got(1);
    expect(await items("busy")).toEqual(["same"]);
    await got(3);
    await until(
      () => items("busy"),
      (left) => left.length === 0,
      "empty processing list",
    );
    expect(await items(list)).toEqual([]);
  });

  test("delivers again what was under way when it ended, and gives back what it has when it is forgotten", async () => {
    const held: (() => void)[] = [];
    bench.answer = () => new Promise((resolve) => held.push(() => resolve(503)));
    for (const n of ["1", "2", "3"]) await redis.run("LPUSH", list, n);
    const spec = await open({ maxInFlight: 2 });
    await got(2);
    const removed = bench.runner.removeSource(spec.key, spec.uid);
    for (const release of held.splice(0)) release();
    await removed;
    expect(await items(`${list}:ebb:u1`)).toEqual(["2", "1"]);
    bench.received.length = 0;
    await open({ maxInFlight: 2 });
    await got(2);
    expect(bodies(bench.received).toSorted()).toEqual(["1", "2"]);
    const forgotten = bench.runner.removeSource(spec.key, spec.uid, { forget: true });
    for (const release of held.splice(0)) release();
    await forgotten;
    expect((await items(list)).toSorted()).toEqual(["1", "2", "3"]);
    expect(await items(`${list}:ebb:u1`)).toEqual([]);
  });

  test("outlives a crash of the server and loses nothing", async () => {
    const spec = await open();
    await redis.run("LPUSH", list, "before");
    await got(1);
    await redis.stop("SIGKILL");
    await until(
      () => bench.runner.sourceState(spec.key),
      (seen) => seen?.connected === false,
      "trouble",
    );
    await redis.start();
    await redis.run("LPUSH", list, "after");
    await until(
      () => bodies(bench.received),
      (seen) => seen.includes("after"),
      "what came after",
    );
  }, 30_000);
});
