import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { makeRedis, noRedis, type RedisServer } from "./redis-server.ts";
import { makeServerCertificates } from "./server-certificates.ts";
import { bodies, createSourceBench, ids, until, type SourceBench } from "./source-bench.ts";

if (noRedis !== undefined) test.skip(`a RedisStreamSource: ${noRedis}`, () => undefined);

describe.skipIf(noRedis !== undefined)("a RedisStreamSource", () => {
  let redis: RedisServer;
  let bench: SourceBench;
  let stream = "";
  let streams = 0;
  beforeAll(async () => {
    redis = await makeRedis();
    await redis.start();
  });
  afterAll(() => redis.remove());
  beforeEach(async () => {
    bench = await createSourceBench();
    stream = `s${++streams}`;
  });
  afterEach(() => bench.close());

  const state = (wanted: (seen: ReturnType<SourceBench["runner"]["sourceState"]>) => boolean, what: string) =>
    until(() => bench.runner.sourceState("redisstreamsource/default/s"), wanted, what);
  const open = async (settings: object = {}, more: Parameters<SourceBench["spec"]>[2] = {}) => {
    const spec = bench.spec("RedisStreamSource", { address: redis.address, stream, consumers: 4, ...settings }, more);
    bench.runner.setSource(spec);
    await state((seen) => seen?.connected === true, "connection");
    return spec;
  };
  const add = (...fields: readonly (string | Buffer)[]) => redis.run("XADD", stream, "*", ...fields);
  const pendingCount = async (group = "ebb-u1") => ((await redis.run("XPENDING", stream, group)) as [number])[0];
  const got = (count: number) =>
    until(
      () => bench.received,
      (seen) => seen.length >= count,
      `${count} events`,
    );

  test("sends entries as upstream does: the fields as a list, the entry's id as the event's", async () => {
    await open({}, { extensions: { region: "eu" } });
    const id = String(await add("fruit", "banana", "colour", "yellow"));
    const [event] = await got(1);
    expect(event).toMatchObject({
      body: '["fruit","banana","colour","yellow"]',
      headers: {
        "ce-id": id,
        "ce-type": "dev.knative.sources.redisstream",
        "ce-source": "/sources/redisstreamsource",
        "ce-time": new Date(Number(id.split("-")[0])).toISOString(),
        "ce-region": "eu",
        "content-type": "application/json",
      },
    });
    await until(pendingCount, (count) => count === 0, "acknowledgement");
  });

  test("sends bytes that are no text as base64, and says so", async () => {
    await open();
    await add("k", Buffer.from([0xff, 0x00]));
    const [event] = await got(1);
    expect(event?.headers["ce-redisencoding"]).toBe("base64");
    expect(event?.body).toBe('["aw==","/wA="]');
  });

  test("acknowledges after delivery: what the sink refuses stays pending and comes again", async () => {
    let refusals = 2;
    bench.answer = ({ body }) => (body.includes("bad") && refusals-- > 0 ? 400 : 204);
    await open();
    await add("x", "good");
    await add("x", "bad");
    await got(2);
    expect(await until(pendingCount, (count) => count === 1, "one pending entry")).toBe(1);
    await got(4);
    await until(pendingCount, (count) => count === 0, "acknowledgement of all");
    expect(bodies(bench.received).filter((body) => body.includes("good"))).toHaveLength(1);
  });

  test("keeps to its number of deliveries at once, and reads again what was under way when it ended", async () => {
    const held: (() => void)[] = [];
    bench.answer = () => new Promise((resolve) => held.push(() => resolve(503)));
    const spec = await open({ consumers: 2 });
    for (const n of ["1", "2", "3"]) await add("n", n);
    await got(2);
    expect(bench.received).toHaveLength(2);
    const removed = bench.runner.removeSource(spec.key, spec.uid);
    for (const release of held) release();
    await removed;
    expect(await pendingCount()).toBe(2);
    bench.received.length = 0;
    bench.answer = () => 204;
    await open();
    await got(3);
    expect(bodies(bench.received).toSorted()).toEqual(['["n","1"]', '["n","2"]', '["n","3"]']);
    await until(pendingCount, (count) => count === 0, "acknowledgement of all");
  });

  test("shares a group with others, and takes what one of them left for long", async () => {
    await redis.run("XGROUP", "CREATE", stream, "team", "$", "MKSTREAM");
    const left = String(await add("n", "left"));
    await redis.run("XREADGROUP", "GROUP", "team", "dead", "STREAMS", stream, ">");
    // It was given out two minutes ago to somebody who died.
    await redis.run("XCLAIM", stream, "team", "dead", "0", left, "IDLE", "120000", "JUSTID");
    bench.clock.skip(60_000);
    await open({ group: "team" });
    await add("n", "new");
    bench.clock.skip(60_000);
    await got(2);
    expect(ids(bench.received)).toContain(left);
    await until(
      () => pendingCount("team"),
      (count) => count === 0,
      "acknowledgement of all",
    );
  });

  test("two sources of one group share its entries, each going to one", async () => {
    await open({ group: "pair" });
    const other = bench.spec(
      "RedisStreamSource",
      { address: redis.address, stream, group: "pair", consumers: 1 },
      { key: "redisstreamsource/default/other", uid: "u2" },
    );
    bench.runner.setSource(other);
    await until(
      () => bench.runner.sourceState(other.key),
      (seen) => seen?.connected === true,
      "connection",
    );
    for (let n = 0; n < 40; n += 1) await add("n", String(n));
    await got(40);
    await until(
      () => pendingCount("pair"),
      (count) => count === 0,
      "acknowledgement of all",
    );
    expect(new Set(ids(bench.received)).size).toBe(40);
    expect(bench.received).toHaveLength(40);
  });

  test("removes the group it made when it is forgotten, and no other", async () => {
    const own = await open();
    await bench.runner.removeSource(own.key, own.uid, { forget: true });
    expect(await redis.run("XINFO", "GROUPS", stream)).toEqual([]);
    const given = await open({ group: "mine" });
    await bench.runner.removeSource(given.key, given.uid, { forget: true });
    expect(await redis.run("XINFO", "GROUPS", stream)).toHaveLength(1);
    expect(await redis.run("XINFO", "CONSUMERS", stream, "mine")).toEqual([]);
  });

  test("says what may be left of it when the server is away as it is forgotten", async () => {
    const spec = await open();
    await redis.stop("SIGKILL");
    await state((now) => now?.connected === false && now.trouble !== undefined, "trouble");
    await expect(bench.runner.removeSource(spec.key, spec.uid, { forget: true })).rejects.toThrow(
      new RegExp(`Redis at 127.*; to remove it: redis-cli XGROUP DESTROY ${stream} ebb-${spec.uid}`),
    );
    await redis.start();
  });

  test("outlives a crash of the server, says so meanwhile, and loses nothing", async () => {
    await open();
    await add("n", "before");
    await got(1);
    await redis.stop("SIGKILL");
    const seen = await state((now) => now?.connected === false, "trouble");
    expect(seen?.trouble).toMatch(/Redis at 127\.0\.0\.1:\d+ cannot be reached|the connection to Redis .* was lost/);
    await redis.start();
    await add("n", "after");
    await got(2);
    await state((now) => now?.connected === true && now.trouble === undefined, "connection");
    expect(bodies(bench.received)).toEqual(['["n","before"]', '["n","after"]']);
  }, 30_000);

  test("outlives the deletion of its stream", async () => {
    await open();
    await add("n", "1");
    await got(1);
    await redis.run("DEL", stream);
    await add("n", "2");
    await got(2);
    expect(bodies(bench.received)).toEqual(['["n","1"]', '["n","2"]']);
  }, 30_000);

  test("says what is wrong with a key of another type", async () => {
    await redis.run("SET", stream, "text");
    bench.runner.setSource(bench.spec("RedisStreamSource", { address: redis.address, stream }));
    const seen = await state((now) => now?.trouble !== undefined, "trouble");
    expect(seen?.trouble).toMatch(/^the stream "s\d+" cannot be read by group "ebb-u1": WRONGTYPE/);
  });
});

describe.skipIf(noRedis !== undefined)("a RedisStreamSource of a Redis with users and TLS", () => {
  const certificates = makeServerCertificates();
  let redis: RedisServer;
  let bench: SourceBench;
  beforeAll(async () => {
    redis = await makeRedis(
      (port) =>
        [
          `--port 0 --tls-port ${port} --tls-auth-clients no --tls-cert-file ${certificates.certFile}`,
          `--tls-key-file ${certificates.keyFile} --tls-ca-cert-file ${certificates.caFile}`,
          "--user default off --user ebb on >hush ~* &* +@all",
        ].flatMap((words) => words.split(" ")),
      { username: "ebb", password: "hush" },
    );
    await redis.start();
    bench = await createSourceBench();
  });
  afterAll(async () => {
    await bench.close();
    await redis.remove();
    certificates.remove();
  });

  const tell = async (address: string, dialOptions: object) => {
    const spec = bench.spec("RedisStreamSource", { address, stream: "s", dialOptions });
    bench.runner.setSource(spec);
    const seen = await until(
      () => bench.runner.sourceState(spec.key),
      (now) => now?.connected === true || now?.trouble !== undefined,
      "state",
    );
    await bench.runner.removeSource(spec.key, spec.uid);
    return seen?.trouble ?? "connected";
  };

  test.each<[string, string, object, RegExp]>([
    ["right", "rediss", { username: "ebb", password: "hush", caCert: certificates.ca }, /^connected$/],
    ["not to check", "rediss", { username: "ebb", password: "hush", skipVerify: true }, /^connected$/],
    [
      "wrong",
      "rediss",
      { username: "ebb", password: "no", caCert: certificates.ca },
      /refused the login .*: check spec\.dialOptions\.username and password/,
    ],
    ["without a login", "rediss", { caCert: certificates.ca }, /refused the login/],
    [
      "without the CA",
      "rediss",
      { username: "ebb", password: "hush" },
      /no encrypted connection.*check spec\.dialOptions\.caCert/,
    ],
  ])("what it is told is %s", async (_, scheme, options, told) => {
    expect(await tell(`${scheme}://127.0.0.1:${redis.port}`, options)).toMatch(told);
  });

  test("nobody there is told with where", async () => {
    expect(await tell("redis://127.0.0.1:1", {})).toMatch(
      /Redis at 127\.0\.0\.1:1 cannot be reached .*: check spec\.address/,
    );
  });
});
