import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { makePostgres, noPostgres, password, type PostgresServer } from "./postgres-server.ts";
import { makeServerCertificates } from "./server-certificates.ts";
import { bodies, createSourceBench, ids, until, type SourceBench } from "./source-bench.ts";

if (noPostgres !== undefined) test.skip(`a PostgresSource: ${noPostgres}`, () => undefined);

const key = "postgressource/default/s";

describe.skipIf(noPostgres !== undefined)("a PostgresSource", () => {
  let postgres: PostgresServer;
  let bench: SourceBench;
  let table = "";
  let tables = 0;
  beforeAll(async () => {
    postgres = await makePostgres();
    await postgres.start();
  }, 60_000);
  afterAll(() => postgres.remove());
  beforeEach(async () => {
    bench = await createSourceBench();
    table = `t${++tables}`;
    await postgres.query(
      `CREATE TABLE ${table} (id bigint PRIMARY KEY, name text, price numeric, at timestamp, j jsonb)`,
    );
  });
  afterEach(async () => {
    await bench.runner.removeSource(key, "u1", { forget: true }).catch(() => undefined);
    await bench.close();
  });

  const state = (wanted: (seen: ReturnType<SourceBench["runner"]["sourceState"]>) => boolean, what: string) =>
    until(() => bench.runner.sourceState(key), wanted, what);
  const set = (settings: object) => {
    const spec = bench.spec("PostgresSource", { url: postgres.url, password, ...settings });
    bench.runner.setSource(spec);
    return spec;
  };
  const open = async (replication: object = {}) => {
    const spec = set({ replication: { tables: [table], ...replication } });
    await state((seen) => seen?.connected === true, "connection");
    return spec;
  };
  const got = (count: number) =>
    until(
      () => bench.received,
      (seen) => seen.length >= count,
      `${count} events`,
    );
  const slots = async () =>
    (await postgres.query("SELECT slot_name FROM pg_replication_slots")).map((row) => row.slot_name);

  test("sends inserts, updates and deletes with what was and what is, digits kept", async () => {
    await open();
    await postgres.query(
      `INSERT INTO ${table} VALUES (9007199254740993, 'ä"', 1.50, '2026-01-02 03:04:05', '{"a": 1.0}')`,
    );
    await postgres.query(`UPDATE ${table} SET name = NULL`);
    await postgres.query(`DELETE FROM ${table}`);
    const [inserted, updated, deleted] = await got(3);
    const row = `"price":1.50,"at":"2026-01-02 03:04:05","j":{"a": 1.0}`;
    const head = (operation: string): string => `{"operation":"${operation}","schema":"public","table":"${table}",`;
    expect(inserted).toMatchObject({
      body: `${head("insert")}"new":{"id":9007199254740993,"name":"ä\\"",${row}}}`,
      headers: {
        "ce-type": "dev.ebb.sources.postgres.insert",
        "ce-source": "/sources/postgressource",
        "ce-subject": `public.${table}`,
        "ce-partitionkey": `public.${table}/9007199254740993`,
        "content-type": "application/json",
      },
    });
    expect(inserted?.headers["ce-id"]).toMatch(/^[0-9A-F]+\/[0-9A-F]+\/1$/);
    expect(updated?.body).toBe(`${head("update")}"new":{"id":9007199254740993,"name":null,${row}}}`);
    expect(deleted?.body).toBe(`${head("delete")}"old":{"id":9007199254740993}}`);
  });

  test("tells the whole old row with REPLICA IDENTITY FULL, and truncations", async () => {
    await postgres.query(`ALTER TABLE ${table} REPLICA IDENTITY FULL`);
    await open();
    await postgres.query(`INSERT INTO ${table} VALUES (1, 'a')`);
    await postgres.query(`UPDATE ${table} SET name = 'b'`);
    await postgres.query(`TRUNCATE ${table}`);
    const [, updated, truncated] = await got(3);
    expect(JSON.parse(updated?.body ?? "")).toMatchObject({ old: { id: 1, name: "a" }, new: { id: 1, name: "b" } });
    expect(JSON.parse(truncated?.body ?? "")).toEqual({ operation: "truncate", schema: "public", table });
  });

  test("sends only the operations and tables it is told", async () => {
    await open({ operations: ["delete"] });
    await postgres.query("CREATE TABLE IF NOT EXISTS other (id int PRIMARY KEY)");
    await postgres.query(`INSERT INTO ${table} VALUES (1); INSERT INTO other VALUES (${tables}); DELETE FROM ${table}`);
    const [event] = await got(1);
    expect(event?.headers["ce-type"]).toBe("dev.ebb.sources.postgres.delete");
    expect(bench.received).toHaveLength(1);
  });

  test("follows its spec: other tables, all tables, other operations", async () => {
    await postgres.query(`CREATE TABLE second_${table} (id int PRIMARY KEY)`);
    await open();
    await open({ tables: [`public.second_${table}`], operations: ["insert"] });
    await postgres.query(`INSERT INTO ${table} VALUES (1); INSERT INTO second_${table} VALUES (2)`);
    await postgres.query(`DELETE FROM second_${table}`);
    await got(1);
    await open({ tables: ["*"] });
    await postgres.query(`INSERT INTO ${table} VALUES (3)`);
    await got(2);
    expect(bench.received.map(({ headers, body }) => [headers["ce-subject"], /"id":(\d)/.exec(body)?.[1]])).toEqual([
      [`public.second_${table}`, "2"],
      [`public.${table}`, "3"],
    ]);
  });

  test("the slot moves only when the sink has all of a transaction; what was refused comes again under the same id", async () => {
    let isIll = true;
    bench.answer = ({ body }) => (isIll && body.includes('"id":2') ? 503 : 204);
    const spec = await open();
    await postgres.query(`INSERT INTO ${table} SELECT n FROM generate_series(1, 3) n`);
    await got(2);
    await bench.runner.removeSource(spec.key, spec.uid);
    const first = ids(bench.received);
    bench.received.length = 0;
    isIll = false;
    await open();
    await got(3);
    expect(bodies(bench.received).map((body) => /"id":(\d)/.exec(body)?.[1])).toEqual(["1", "2", "3"]);
    expect(ids(bench.received).slice(0, 2)).toEqual(first.slice(0, 2));
    await bench.runner.removeSource(spec.key, spec.uid);
    bench.received.length = 0;
    await open();
    await postgres.query(`INSERT INTO ${table} VALUES (4)`);
    const [next] = await got(1);
    expect(next?.body).toContain('"id":4');
  }, 30_000);

  test("loses nothing of transactions that overlap, wherever it is taken up again", async () => {
    const spec = await open({ maxInFlight: 8 });
    const run = async (from: number): Promise<void> => {
      for (let n = from; n < from + 10; n += 1)
        await postgres.query(`INSERT INTO ${table} VALUES (${n * 2}), (${n * 2 + 1})`);
    };
    const written = Promise.all([0, 10, 20, 30].map(run));
    for (let round = 0; round < 4; round += 1) {
      await bench.runner.removeSource(spec.key, spec.uid);
      bench.runner.setSource(spec);
      await state((seen) => seen?.connected === true, "connection");
    }
    await written;
    await until(
      () => new Set(bodies(bench.received).map((body) => /"id":(\d+)/.exec(body)?.[1])).size,
      (count) => count === 80,
      "all rows",
    );
  }, 60_000);

  test("holds PostgreSQL back while its sink is slow, and goes on", async () => {
    await open({ maxInFlight: 4 });
    await postgres.query(`INSERT INTO ${table} SELECT n, repeat('x', 2000) FROM generate_series(1, 1500) n`);
    await got(1500);
    expect(new Set(ids(bench.received)).size).toBe(1500);
  }, 60_000);

  test("shows its lag, and removes slot and publication that it made", async () => {
    const spec = await open();
    const seen = await state((now) => now?.facts?.["postgres.lagBytes"] !== undefined, "lag");
    expect(seen?.facts).toMatchObject({
      "postgres.slot": "ebb_u1",
      "postgres.lagBytes": expect.stringMatching(/^\d+$/),
    });
    expect(await slots()).toEqual(["ebb_u1"]);
    await bench.runner.removeSource(spec.key, spec.uid, { forget: true });
    expect(await slots()).toEqual([]);
    expect(await postgres.query("SELECT pubname FROM pg_publication")).toEqual([]);
  });

  test("takes a slot and a publication that are given, and leaves them", async () => {
    await postgres.query(`CREATE PUBLICATION mine FOR TABLE ${table}`);
    await postgres.query("SELECT pg_create_logical_replication_slot('given', 'pgoutput')");
    const spec = await open({ tables: [], publication: "mine", slot: "given" });
    await postgres.query(`INSERT INTO ${table} VALUES (1)`);
    await got(1);
    await bench.runner.removeSource(spec.key, spec.uid, { forget: true });
    expect(await slots()).toEqual(["given"]);
    await postgres.query("SELECT pg_drop_replication_slot('given')");
    await postgres.query("DROP PUBLICATION mine");
  });

  test("outlives a crash of the server, says so meanwhile, and loses nothing", async () => {
    await open();
    await postgres.query(`INSERT INTO ${table} VALUES (1)`);
    await got(1);
    await postgres.stop("SIGKILL");
    const seen = await state((now) => now?.connected === false, "trouble");
    expect(seen?.trouble).toMatch(/PostgreSQL at 127\.0\.0\.1:\d+/);
    await postgres.start();
    await postgres.query(`INSERT INTO ${table} VALUES (2)`);
    await until(
      () => bodies(bench.received),
      (all) => all.some((body) => body.includes('"id":2')),
      "what came after",
    );
    await state((now) => now?.connected === true && now.trouble === undefined, "connection");
  }, 60_000);

  test.each<[string, () => object, RegExp]>([
    ["a wrong password", () => ({ password: "no" }), /refused the login .*: check spec\.username and spec\.password/],
    ["no such database", () => ({ url: `${postgres.url}x` }), /database "postgresx" does not exist; check spec\.url/],
    ["nobody there", () => ({ url: "postgres://ebb@127.0.0.1:1/x" }), /cannot be reached .*: check spec\.url/],
    [
      "no such table",
      () => ({ replication: { tables: ["nowhere"] } }),
      /the publication "ebb_u1" cannot be made: relation "nowhere" does not exist; .* correct spec\.replication\.tables/,
    ],
    [
      "no such publication",
      () => ({ replication: { publication: "none" } }),
      /there is no publication "none": create it, or name the tables/,
    ],
    ["TLS where there is none", () => ({ tls: {} }), /no encrypted connection to PostgreSQL.*does not support SSL/],
  ])("%s is told", async (_, settings, told) => {
    set({ replication: { tables: [table] }, ...settings() });
    const seen = await state((now) => now?.trouble !== undefined, "trouble");
    expect(seen?.trouble).toMatch(told);
  });

  test("listens to channels, and says from when to when it did not", async () => {
    set({ listen: { channels: ["Orders"] } });
    await state((seen) => seen?.connected === true, "connection");
    await postgres.query(`NOTIFY "Orders", '{"n":1.0}'`);
    await postgres.query(`NOTIFY "Orders"`);
    const [first, second] = await got(2);
    expect(first).toMatchObject({
      body: '{"n":1.0}',
      headers: {
        "ce-type": "dev.ebb.sources.postgres.notification",
        "ce-subject": "Orders",
        "content-type": "application/json",
      },
    });
    expect(second?.body).toBe("");
    await postgres.stop("SIGKILL");
    const away = await state((seen) => seen?.connected === false, "trouble");
    expect(away?.trouble).toContain("what is notified meanwhile is lost");
    await postgres.start();
    const back = await state((seen) => seen?.connected === true, "connection");
    expect(back?.facts?.["postgres.missed"]).toMatch(/^\d{4}-.*Z to \d{4}-.*Z$/);
    await postgres.query(`NOTIFY "Orders", 'text'`);
    const [, , third] = await got(3);
    expect(third).toMatchObject({ body: "text", headers: { "content-type": "text/plain" } });
  }, 60_000);
});

describe.skipIf(noPostgres !== undefined)("a PostgresSource of a server", () => {
  const certificates = makeServerCertificates();
  let bench: SourceBench;
  beforeAll(async () => {
    bench = await createSourceBench();
  });
  afterAll(async () => {
    await bench.close();
    certificates.remove();
  });
  const told = async (settings: object): Promise<string> => {
    const spec = bench.spec("PostgresSource", { password, ...settings });
    bench.runner.setSource(spec);
    const seen = await until(
      () => bench.runner.sourceState(key),
      (now) => now?.connected === true || now?.trouble !== undefined,
      "state",
    );
    await bench.runner.removeSource(spec.key, spec.uid);
    return seen?.trouble ?? "connected";
  };

  test("with TLS is believed by its certificate, and one without logical replication says what to set", async () => {
    const secure = await makePostgres({ certificates, logical: false });
    await secure.start();
    try {
      const listen = { channels: ["c"] };
      expect(await told({ url: secure.url, listen, tls: { caCert: certificates.ca } })).toBe("connected");
      expect(await told({ url: secure.url, listen, tls: { skipVerify: true } })).toBe("connected");
      expect(await told({ url: `${secure.url}?sslmode=require`, listen })).toMatch(
        /no encrypted connection to PostgreSQL .*; check spec\.tls and its caCert/,
      );
      await secure.query("CREATE TABLE t (id int PRIMARY KEY)");
      const replication = { tables: ["t"] };
      expect(await told({ url: secure.url, replication, tls: { caCert: certificates.ca } })).toMatch(
        /the replication slot "ebb_u1" cannot be made: .*wal_level.*; set wal_level = logical and restart PostgreSQL/,
      );
    } finally {
      await secure.remove();
    }
  }, 60_000);
});
