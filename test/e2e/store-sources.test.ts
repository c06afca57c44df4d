/** Each kind of source as a user has it: applied with kubectl, through a Broker and a Trigger, to a function. */
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeMosquitto, noMosquitto } from "../events/sources/mosquitto.ts";
import { makePostgres, noPostgres, password } from "../events/sources/postgres-server.ts";
import { makeRedis, noRedis, type RedisServer } from "../events/sources/redis-server.ts";
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
  ebb = await startEbb({ dir: data, args: ["--files", folder] });
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

/** Applies a source that sends to the Broker, and waits until it says that it is ready. */
async function source(group: string, kind: string, spec: object): Promise<void> {
  const sink = { ref: { apiVersion: "eventing.knative.dev/v1", kind: "Broker", name: "default" } };
  const metadata = { name: "s", namespace: "default" };
  await apply(JSON.stringify({ apiVersion: `${group}/v1alpha1`, kind, metadata, spec: { sink, ...spec } }));
  await ready(kind);
}

const ready = (kind: string): Promise<void> =>
  expect
    .poll(async () => (await ebb.kubectl(["get", kind.toLowerCase(), "s", "--no-headers"])).stdout, { timeout: 20_000 })
    .toMatch(/ True *$/m) as Promise<void>;

const sees = (text: string): Promise<void> =>
  expect.poll(async () => (await ebb.ebb("logs", "f")).stdout, { timeout: 20_000 }).toContain(text) as Promise<void>;

const secret = (name: string, stringData: object): Promise<void> =>
  apply(JSON.stringify({ apiVersion: "v1", kind: "Secret", metadata: { name, namespace: "default" }, stringData }));

test.skipIf(noRedis !== undefined)("Redis: a stream and a list", { timeout: 60_000 }, async () => {
  const redis: RedisServer = await makeRedis(() => ["--requirepass", "hush"], { password: "hush" });
  await redis.start();
  try {
    await secret("redis", { password: "hush" });
    const dialOptions = { password: { secretKeyRef: { name: "redis", key: "password" } } };
    await source("sources.knative.dev", "RedisStreamSource", { address: redis.address, stream: "orders", dialOptions });
    await source("sources.ebb.dev", "RedisListSource", { address: redis.address, list: "jobs", dialOptions });
    await redis.run("XADD", "orders", "*", "n", "1");
    await redis.run("LPUSH", "jobs", '{"job":1}');
    await sees('got dev.knative.sources.redisstream ["n","1"]');
    await sees('got dev.ebb.sources.redislist {"job":1}');
    expect((await ebb.kubectl(["get", "redisstreamsources"])).stdout).toMatch(/NAME +STREAM +SINK +AGE +READY/);
    expect(await ebb.kubectl(["delete", "redisstreamsource/s", "redislistsource/s"])).toMatchObject({ code: 0 });
    expect(await redis.run("XINFO", "GROUPS", "orders")).toEqual([]);
  } finally {
    await redis.remove();
  }
});

test.skipIf(noPostgres !== undefined)("PostgreSQL: changes of a table", { timeout: 60_000 }, async () => {
  const postgres = await makePostgres();
  await postgres.start();
  try {
    await postgres.query("CREATE TABLE orders (id int PRIMARY KEY, what text)");
    const settings = { url: postgres.url, replication: { tables: ["orders"] } };
    const fromSecret = { password: { secretKeyRef: { name: "postgres", key: "password" } } };
    const made = source("sources.ebb.dev", "PostgresSource", { ...settings, ...fromSecret });
    // The source says what it lacks until it is there.
    await expect
      .poll(async () => (await ebb.kubectl(["get", "postgressource", "s", "-o", "yaml"])).stdout, { timeout: 20_000 })
      .toContain('there is no Secret "postgres" in namespace "default"');
    await secret("postgres", { password });
    await made;
    await postgres.query("INSERT INTO orders VALUES (1, 'tea')");
    await sees('got dev.ebb.sources.postgres.insert {"operation":"insert","schema":"public","table":"orders",');
    expect(await ebb.kubectl(["delete", "postgressource/s"])).toMatchObject({ code: 0 });
    expect(await postgres.query("SELECT slot_name FROM pg_replication_slots")).toEqual([]);
  } finally {
    await postgres.remove();
  }
});

test.skipIf(noMosquitto !== undefined)("MQTT: topics of a broker", { timeout: 60_000 }, async () => {
  const broker = await makeMosquitto();
  await broker.start();
  try {
    await source("sources.ebb.dev", "MqttSource", { url: `mqtt://127.0.0.1:${broker.port}`, topics: ["plant/+/heat"] });
    await broker.publish("plant/7/heat", "21.5");
    await sees("got dev.ebb.sources.mqtt.message 21.5");
    expect(await ebb.kubectl(["delete", "mqttsource/s"])).toMatchObject({ code: 0 });
  } finally {
    await broker.remove();
  }
});

test("a webhook: signed requests at an address of its own", { timeout: 60_000 }, async () => {
  await secret("stripe", { key: "whsec_x" });
  const verify = { scheme: "stripe", secret: { secretKeyRef: { name: "stripe", key: "key" } } };
  await source("sources.ebb.dev", "WebhookSource", { verify });
  const { stdout } = await ebb.kubectl(["get", "webhooksource", "s", "-o", "jsonpath={.status.address.url}"]);
  expect(stdout).toMatch(/^http:\/\/s-webhook\.default\.localhost:\d+$/);
  const body = '{"id":"evt_1","type":"charge.paid"}';
  const at = Math.floor(Date.now() / 1000);
  const signature = createHmac("sha256", "whsec_x").update(`${at}.${body}`).digest("hex");
  const send = (v1: string) =>
    ebb.call("s-webhook.default.localhost", {
      method: "POST",
      headers: { "stripe-signature": `t=${at},v1=${v1}`, "content-type": "application/json" },
      body,
    });
  expect((await send(signature)).status).toBe(202);
  expect((await send("0".repeat(64))).status).toBe(401);
  await sees(`got dev.ebb.sources.webhook.stripe.charge.paid ${body}`);
});

test("files of a folder that ebb was started with, and a web address that is asked", { timeout: 60_000 }, async () => {
  await source("sources.ebb.dev", "FileSource", { path: folder, pattern: "*.csv", settle: "50ms", interval: "100ms" });
  writeFileSync(join(folder, "orders.csv"), "1;tea");
  await sees("got dev.ebb.sources.file.created 1;tea");
  const feed = createServer((_request, response) => void response.end('{"items":[{"id":7,"title":"news"}]}'));
  await new Promise<void>((done) => feed.listen(0, "127.0.0.1", done));
  try {
    const url = `http://127.0.0.1:${(feed.address() as AddressInfo).port}/feed`;
    await source("sources.ebb.dev", "HttpPollSource", { url, interval: "1s", items: "items", itemId: "id" });
    await sees('got dev.ebb.sources.httppoll {"id":7,"title":"news"}');
  } finally {
    feed.closeAllConnections();
    feed.close();
  }
});
