/** IntegrationSinks and IntegrationSources of a cloud against S3, SQS and SNS as moto plays them. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { AwsSinkAction } from "../../../src/api/eventing/sink-engine.ts";
import { createAwsService } from "../../../src/events/aws/aws-service.ts";
import { openBucket, type S3Bucket } from "../../../src/events/aws/s3-bucket.ts";
import { openQueue, type SqsQueue } from "../../../src/events/aws/sqs-queue.ts";
import { openAwsSink } from "../../../src/events/sinks/aws-sink.ts";
import { createSourceBench, until, type SourceBench } from "../sources/source-bench.ts";
import { noMoto, startMoto, type MotoServer } from "./moto-server.ts";

if (noMoto !== undefined) test.skip(`integrations of a cloud: ${noMoto}`, () => undefined);

const credentials = { accessKey: "key", secretKey: "secret" };
const { signal } = new AbortController();

describe.skipIf(noMoto !== undefined)("a cloud", () => {
  let moto: MotoServer;
  let names = 0;
  let name = "";
  let place: { region: string; uriEndpointOverride: string; overrideEndpoint: true; arn: string };
  let bucket: S3Bucket;
  let queue: SqsQueue;
  beforeAll(async () => {
    moto = await startMoto();
  }, 40_000);
  afterAll(() => moto.stop());
  beforeEach(() => {
    name = `place-${(names += 1)}`;
    place = { region: "eu-central-1", uriEndpointOverride: moto.url, overrideEndpoint: true, arn: name };
    bucket = openBucket({ ...place, autoCreateBucket: true }, createAwsService("s3", place, { credentials }));
    queue = openQueue(
      { ...place, autoCreateQueue: true, maxMessagesPerPoll: 10 },
      createAwsService("sqs", place, { credentials }),
    );
  });

  const list = async (of = bucket) =>
    (await of.list({ prefix: "", max: 100, after: "", signal })).map(({ key }) => key);

  describe("a sink", () => {
    const event = (id: string, data: string, more: object = {}) => ({
      attributes: {
        specversion: "1.0",
        id,
        source: "/shop",
        type: "order",
        datacontenttype: "application/json",
        ...more,
      },
      data: Buffer.from(data),
      structured: false,
    });
    const take = (action: AwsSinkAction, sent: ReturnType<typeof event>) =>
      openAwsSink({ key: "integration-sink/default/s", uid: "u" }, action).take(sent, { signal, path: [] });

    test("writes an object per event, with the data as it came and the attributes beside", async () => {
      const settings = { ...place, arn: `arn:aws:s3:::${name}`, autoCreateBucket: true, prefix: "in/" };
      const action: AwsSinkAction = { kind: "aws", service: "s3", settings, credentials };
      expect(await take(action, event("1", '{"n":1.0}'))).toEqual({ status: 202 });
      expect(await take(action, event("2", "{}", { key: "a b/ü+(1).json" }))).toEqual({ status: 202 });
      expect(await list()).toEqual(["in/1", "in/a b/ü+(1).json"]);
      const { body, headers } = await bucket.get("in/1", signal);
      expect(body.toString()).toBe('{"n":1.0}');
      expect([headers.get("content-type"), headers.get("x-amz-meta-ce-type")]).toEqual(["application/json", "order"]);
    });

    test("sends a message per event to a queue, ten attributes at most", async () => {
      const settings = { ...place, autoCreateQueue: true };
      const many = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`ext${i}`, `v${i}`]));
      const sent = await take({ kind: "aws", service: "sqs", settings, credentials }, event("1", '{"n":1}', many));
      expect(sent).toEqual({ status: 202 });
      const [message] = await queue.receive(signal);
      expect(message?.Body).toBe('{"n":1}');
      expect(Object.keys(message?.MessageAttributes ?? {})).toHaveLength(10);
      expect(message?.MessageAttributes?.["ce-type"]?.StringValue).toBe("order");
    });

    test("publishes to a topic, which it makes where it is told to", async () => {
      const settings = { ...place, autoCreateTopic: true };
      expect(await take({ kind: "aws", service: "sns", settings, credentials }, event("1", "{}"))).toEqual({
        status: 202,
      });
      const missing = { ...place, arn: "arn:aws:sns:eu-central-1:123456789012:none" };
      const refused = await take({ kind: "aws", service: "sns", settings: missing, credentials }, event("1", "{}"));
      expect(refused).toMatchObject({ status: 502, message: expect.stringContaining("NotFound") });
    });

    test("says what is missing, and lets the sender try again", async () => {
      const s3 = await take({ kind: "aws", service: "s3", settings: place, credentials }, event("1", "{}"));
      expect(s3).toMatchObject({ status: 502, message: expect.stringContaining("NoSuchBucket") });
      const sqs = await take({ kind: "aws", service: "sqs", settings: place, credentials }, event("1", "{}"));
      expect(sqs).toMatchObject({ status: 502, message: expect.stringMatching(/NonExistentQueue|QueueDoesNotExist/) });
      const nobody = { ...place, uriEndpointOverride: "http://127.0.0.1:1" };
      const gone = await take({ kind: "aws", service: "s3", settings: nobody, credentials }, event("1", "{}"));
      expect(gone.status).toBe(502);
    });
  });

  describe("a source", () => {
    let bench: SourceBench;
    const key = "integrationsource/default/s";
    beforeEach(async () => {
      bench = await createSourceBench();
    });
    afterEach(() => bench.close());
    const open = (settings: object, more: object = {}) =>
      bench.runner.setSource(bench.spec("IntegrationSource", { aws: { ...settings, credentials } }, more));
    const connected = () =>
      until(
        () => bench.runner.sourceState(key),
        (state) => state?.connected === true,
        "connection",
      );
    const got = (count: number) =>
      until(
        () => bench.received,
        (all) => all.length >= count,
        `${count} events`,
      );

    test("reads messages, and removes each once the sink has it", async () => {
      await queue.send("one", { "ce-datacontenttype": "text/x" }, signal);
      open({ sqs: { ...place, delay: 20, maxMessagesPerPoll: 10 } });
      await connected();
      await queue.send('{"two":2}', {}, signal);
      const [first] = await got(2);
      expect(first?.headers).toMatchObject({
        "ce-type": "dev.knative.connector.event.aws-sqs",
        "ce-source": "/sources/integrationsource",
        "content-type": "text/x",
      });
      expect(bench.received.map(({ body }) => body).sort()).toEqual(["one", '{"two":2}']);
      await until(
        () => queue.receive(signal),
        (left) => left.length === 0,
        "an empty queue",
      );
    });

    test("gives a message back that the sink does not take, and sends it again", async () => {
      let refusals = 0;
      bench.answer = () => (refusals++ < 2 ? 503 : 204);
      await queue.send("x", {}, signal);
      open({ sqs: { ...place, delay: 20, visibilityTimeout: 30 } }, { delivery: { retry: 0 } });
      await until(
        () => bench.received.length,
        (count) => count >= 3,
        "a third attempt",
      );
      expect(new Set(bench.received.map(({ headers }) => headers["ce-id"])).size).toBe(1);
    });

    test("reads objects, and removes or moves each once the sink has it", async () => {
      const put = (name: string, body: string) =>
        bucket.put(name, Buffer.from(body), { headers: { "content-type": "text/plain" }, signal });
      for (const n of [1, 2, 3]) await put(`in/ä ${n}.txt`, `content ${n}`);
      await put("other.txt", "not this");
      const moved = { moveAfterRead: true, destinationBucketPrefix: "done/" };
      open({ s3: { ...place, prefix: "in/", delay: 20, maxMessagesPerPoll: 2, ...moved } });
      await got(3);
      expect(
        bench.received.map(({ headers, body }) => [decodeURIComponent(String(headers["ce-subject"])), body]),
      ).toEqual([
        ["in/ä 1.txt", "content 1"],
        ["in/ä 2.txt", "content 2"],
        ["in/ä 3.txt", "content 3"],
      ]);
      expect(bench.received[0]?.headers).toMatchObject({
        "ce-type": "dev.knative.connector.event.aws-s3",
        "content-type": "text/plain",
      });
      await until(
        () => list(),
        (keys) => !keys.some((one) => one.startsWith("in/")),
        "moved objects",
      );
      expect(await list()).toEqual(["done/in/ä 1.txt", "done/in/ä 2.txt", "done/in/ä 3.txt", "other.txt"]);
    });

    test("tells an object that stays once, and again when it changes", async () => {
      const put = (body: string) => bucket.put("a", Buffer.from(body), { headers: {}, signal });
      await put("1");
      open({ s3: { ...place, delay: 20, deleteAfterRead: false, ignoreBody: true } });
      await got(1);
      await put("2");
      await got(2);
      expect(bench.received.map(({ body }) => body)).toEqual(["", ""]);
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(bench.received).toHaveLength(2);
    });

    test("says that its queue is missing, and reads it once it is there", async () => {
      open({ sqs: { ...place, delay: 20 } });
      const seen = await until(
        () => bench.runner.sourceState(key),
        (state) => state?.trouble !== undefined,
        "trouble",
      );
      expect(seen?.trouble).toMatch(/NonExistentQueue|QueueDoesNotExist/);
      await queue.send("late", {}, signal);
      await got(1);
    });
  });
});
