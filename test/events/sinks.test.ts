/** Sinks over HTTP on the real API server in memory: JobSink, EventTransform, IntegrationSink's log. */
import { createServer, request as httpRequest, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { JobKind } from "../../src/api/batch/kinds.ts";
import { SecretKind } from "../../src/api/core/kinds.ts";
import { builtinDefinitions } from "../../src/api/definitions.ts";
import type { SinkAction, SinkKey } from "../../src/api/eventing/sink-engine.ts";
import { createApiServer, type ApiServer } from "../../src/apiserver/server.ts";
import { systemClock } from "../../src/client/clock.ts";
import { createSender, type Sender } from "../../src/events/delivery/http-sender.ts";
import { createSinkEngine, type Sinks } from "../../src/events/sinks/sink-engine.ts";
import type { LogFields, Logger } from "../../src/telemetry/logger.ts";

interface Told {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

let server: ApiServer;
let sinks: Sinks;
let sender: Sender;
let port = 0;
let logged: Told[];
const closers: (() => Promise<unknown>)[] = [];

const logger = (bound: LogFields = {}): Logger => {
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}) =>
      void logged.push({ level, message, fields: { ...bound, ...fields } });
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: (fields) => logger({ ...bound, ...fields }),
    enabled: () => true,
  };
};

beforeEach(() => {
  logged = [];
  const log = logger();
  server = createApiServer(
    { dataDir: ":memory:", definitions: builtinDefinitions, freeze: true },
    { log, now: Date.now },
  );
  sender = createSender({ clock: systemClock, dial: () => undefined });
  sinks = createSinkEngine({
    client: server.api,
    clock: systemClock,
    log,
    eventLog: log,
    sender,
    listen: { host: "127.0.0.1", port: 0 },
    onListening: (at) => void (port = at.port),
  });
});
afterEach(async () => {
  await sinks.close(500);
  await sender.close();
  for (const close of closers.splice(0)) await close();
  await server.close();
});

const set = (key: SinkKey, action: SinkAction, uid = "u1") => sinks.setSink({ key, uid, action });

interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A request to the host of a kind of sinks. */
const ask = (kind: string, path: string, { method = "POST", headers = {}, body = "" }: Asked = {}): Promise<Answered> =>
  new Promise((resolve, reject) => {
    const host = `${kind}.knative-eventing.svc.cluster.local`;
    const sent = httpRequest({ host: "127.0.0.1", port, path, method, headers: { host, ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    sent.on("error", reject);
    sent.end(body);
  });
const event = (id: string, more: Readonly<Record<string, string>> = {}) => ({
  "ce-specversion": "1.0",
  "ce-id": id,
  "ce-source": "/shop",
  "ce-type": "order",
  "content-type": "application/json",
  ...more,
});

describe("a JobSink", () => {
  const key = "job-sink/default/resize";
  const job = {
    metadata: { name: "", labels: { mine: "1" } },
    spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] } } },
  };
  const jobs = async () => (await server.api.list(JobKind, { namespace: "default" })).items;
  const send = (id: string, path = "/default/resize") =>
    ask("job-sink", path, { headers: event(id), body: '{"n": 1.0}' });

  test("runs a Job with the event mounted as a file, and tells where to ask after it", async () => {
    expect(await set(key, { kind: "job", job })).toEqual({
      url: "http://job-sink.knative-eventing.svc.cluster.local/default/resize",
    });
    const answer = await send("1");
    expect(answer.status).toBe(202);
    expect(answer.headers["location"]).toBe("/namespaces/default/name/resize/sources/%2Fshop/ids/1");
    const [made] = await jobs();
    expect(made?.metadata.name).toMatch(/^resize-[0-9a-f]{32}$/);
    expect(made?.metadata.labels).toMatchObject({
      mine: "1",
      "sinks.knative.dev/job-sink": "true",
      "sinks.knative.dev/job-sink-name": "resize",
      "sinks.knative.dev/job-sink-id": made?.metadata.name,
    });
    expect(made?.metadata.ownerReferences).toMatchObject([
      { kind: "JobSink", name: "resize", uid: "u1", controller: true },
    ]);
    const pod = made?.spec?.template.spec;
    expect(pod?.volumes).toEqual([expect.objectContaining({ name: "jobsink-event" })]);
    expect(pod?.containers[0]).toMatchObject({
      env: [{ name: "K_EVENT_PATH", value: "/etc/jobsink-event" }],
      volumeMounts: [{ name: "jobsink-event", mountPath: "/etc/jobsink-event", readOnly: true }],
    });
    const secret = await server.api.get(SecretKind, { namespace: "default", name: made?.metadata.name ?? "" });
    expect(secret.immutable).toBe(true);
    expect(secret.metadata.ownerReferences).toMatchObject([{ kind: "Job", uid: made?.metadata.uid }]);
    const text = Buffer.from(secret.data?.["event"] ?? "", "base64").toString();
    expect(text).toContain('"data":{"n": 1.0}');
    expect(JSON.parse(text)).toMatchObject({ id: "1", source: "/shop", type: "order" });
  });

  test("runs one Job for an event that comes again, and one for each that differs", async () => {
    await set(key, { kind: "job", job });
    const answers = await Promise.all([send("1"), send("1"), send("1"), send("2")]);
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
    expect(await jobs()).toHaveLength(2);
  });

  test("tells a Job's fate at its Location", async () => {
    await set(key, { kind: "job", job });
    const { headers } = await send("1");
    const look = () => ask("job-sink", headers["location"] ?? "", { method: "GET" });
    expect((await look()).status).toBe(202);
    const [made] = await jobs();
    if (!made) throw new Error("no Job");
    const ended = (type: string) => ({
      ...made,
      status: {
        ...(type === "Complete" ? { succeeded: 1, completionTime: "2026-01-01T00:00:00Z" } : { failed: 1 }),
        startTime: "2026-01-01T00:00:00Z",
        conditions: [
          {
            type: type === "Complete" ? "SuccessCriteriaMet" : "FailureTarget",
            status: "True",
            reason: "x",
            message: "",
          },
          { type, status: "True", reason: "x", message: "" },
        ],
      },
    });
    await server.api.update(JobKind, ended("Complete") as never, { subresource: "status" });
    expect(await look()).toMatchObject({ status: 200, headers: { reason: "Complete" } });
    const none = await ask("job-sink", "/namespaces/default/name/resize/sources/a/ids/none", { method: "GET" });
    expect(none.status).toBe(404);
  });

  test("mounts the event where the template wants it", async () => {
    const container = { name: "c", image: "i", volumeMounts: [{ name: "jobsink-event", mountPath: "/in" }] };
    const spec = { template: { spec: { restartPolicy: "Never", containers: [container] } } };
    await set(key, { kind: "job", job: { metadata: { name: "" }, spec } });
    await send("1");
    const [made] = await jobs();
    expect(made?.spec?.template.spec?.containers[0]).toMatchObject({
      env: [{ name: "K_EVENT_PATH", value: "/in" }],
      volumeMounts: [{ mountPath: "/in" }],
    });
  });

  test.each<[string, number, () => Promise<Answered>]>([
    ["no such sink", 404, () => send("1", "/default/other")],
    ["no name", 400, () => send("1", "/default")],
    ["another method", 405, () => ask("job-sink", "/default/resize", { method: "PUT", headers: event("1") })],
    ["no event", 400, () => ask("job-sink", "/default/resize", { body: "x" })],
    ["a host of no kind", 404, () => ask("something", "/default/resize", { headers: event("1") })],
    [
      "a huge event",
      413,
      () => ask("job-sink", "/default/resize", { headers: event("1"), body: "x".repeat(1100_000) }),
    ],
  ])("answers %s with %i", async (_what, status, send) => {
    await set(key, { kind: "job", job });
    expect((await send()).status).toBe(status);
  });

  test("takes no more when it is removed", async () => {
    await set(key, { kind: "job", job });
    await sinks.removeSink(key, "another");
    expect((await send("1")).status).toBe(202);
    await sinks.removeSink(key, "u1");
    expect((await send("2")).status).toBe(404);
  });
});

describe("an EventTransform", () => {
  const key = "event-transform/default/t";
  const send = (more: Asked = {}) =>
    ask("event-transform", "/default/t", { headers: event("1"), body: '{"n":2}', ...more });

  const sinkAt = async (
    answer: (body: string) => {
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    },
  ): Promise<{ readonly url: string; readonly got: string[] }> => {
    const got: string[] = [];
    const made: Server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const body = Buffer.concat(chunks).toString();
        got.push(body);
        const { status, headers, body: text = "" } = answer(body);
        response.writeHead(status, headers).end(text);
      });
    });
    await new Promise<void>((resolve) => void made.listen(0, "127.0.0.1", resolve));
    closers.push(() => new Promise((resolve) => void made.close(resolve)));
    return { url: `http://127.0.0.1:${(made.address() as AddressInfo).port}/`, got };
  };

  const doubled = '{"specversion":"1.0","id":id,"source":source,"type":"doubled","data":{"n":data.n*2}}';

  test("answers with the changed event when it has no sink", async () => {
    await set(key, { kind: "transform", expression: doubled });
    const answer = await send();
    expect([answer.status, answer.headers["content-type"]]).toEqual([
      200,
      "application/cloudevents+json; charset=utf-8",
    ]);
    expect(JSON.parse(answer.body)).toMatchObject({ id: "1", type: "doubled", data: { n: 4 } });
  });

  test("sends the changed event to its sink and passes the answer on", async () => {
    const { url, got } = await sinkAt(() => ({
      status: 201,
      headers: { "content-type": "text/plain" },
      body: "thanks",
    }));
    await set(key, { kind: "transform", expression: doubled, sink: { url } });
    const answer = await send();
    expect(JSON.parse(got[0] ?? "")).toMatchObject({ type: "doubled", data: { n: 4 } });
    expect([answer.status, answer.body]).toEqual([201, "thanks"]);
  });

  test("changes the sink's answer, or drops it", async () => {
    const replied = { "content-type": "application/cloudevents+json" };
    const { url } = await sinkAt((body) => ({
      status: 200,
      headers: replied,
      body: body.replace("doubled", "replied"),
    }));
    const expression = '$merge([$, {"type": type & "-changed"}])';
    await set(key, { kind: "transform", expression: doubled, sink: { url }, reply: { expression } });
    expect(JSON.parse((await send()).body)).toMatchObject({ type: "replied-changed" });
    await set(key, { kind: "transform", expression: doubled, sink: { url }, reply: "discard" });
    expect(await send()).toMatchObject({ status: 202, body: "" });
  });

  test("passes on that its sink failed, so that whoever sent the event tries again", async () => {
    const { url } = await sinkAt(() => ({ status: 503, headers: { "retry-after": "7" } }));
    await set(key, { kind: "transform", expression: doubled, sink: { url } });
    expect(await send()).toMatchObject({ status: 503, headers: { "retry-after": "7" } });
    await set(key, { kind: "transform", expression: doubled, sink: { url: "http://127.0.0.1:1/" } });
    expect((await send()).status).toBe(502);
  });

  test.each<[string, string, RegExp]>([
    ["fails", "$number(type)", /the expression failed: .*order/],
    ["yields nothing", "nothing.here", /yields nothing/],
    ["yields no event", '{"a":1}', /is no event: .*specversion/],
  ])("refuses an event for which its expression %s", async (_what, expression, message) => {
    await set(key, { kind: "transform", expression });
    const answer = await send();
    expect(answer.status).toBe(422);
    expect(answer.body).toMatch(message);
  });

  test("refuses a batch, since each event has an answer", async () => {
    await set(key, { kind: "transform", expression: doubled });
    const one = { specversion: "1.0", id: "1", source: "/s", type: "t" };
    const headers = { "content-type": "application/cloudevents-batch+json" };
    expect((await send({ headers, body: JSON.stringify([one, one]) })).status).toBe(400);
  });
});

describe("an IntegrationSink's log", () => {
  const send = (more: Readonly<Record<string, string>> = {}) =>
    ask("integration-sink", "/default/l", { headers: event("1", more), body: '{"user":"ada","password":"x"}' });
  const lines = () => logged.filter(({ message }) => message === "event");

  test("writes each event in one line, with what it is told to show", async () => {
    await set("integration-sink/default/l", {
      kind: "log",
      log: { level: "WARN", loggerName: "mine", marker: "m", showHeaders: true },
    });
    expect((await send()).status).toBe(202);
    expect(lines()).toEqual([
      {
        level: "warn",
        message: "event",
        fields: expect.objectContaining({
          logger: "mine",
          marker: "m",
          id: "1",
          bodyType: "application/json",
          body: { user: "ada", password: "x" },
          attributes: expect.objectContaining({ type: "order" }),
        }),
      },
    ]);
  });

  test("masks secrets where it is asked to, hides what it is told to, and writes nothing when off", async () => {
    const key = "integration-sink/default/l";
    await set(key, { kind: "log", log: { logMask: true, showBodyType: false, showExchangePattern: false } });
    await send();
    expect(lines()[0]?.fields).toEqual({
      logger: "log-sink",
      sink: key,
      id: "1",
      body: { user: "ada", password: "xxxxx" },
    });
    await set(key, { kind: "log", log: { multiline: true } });
    await send();
    expect(lines().length).toBeGreaterThan(3);
    const before = logged.length;
    await set(key, { kind: "log", log: { level: "OFF" } });
    expect((await send()).status).toBe(202);
    expect(logged).toHaveLength(before);
  });
});

describe("a RequestReply", () => {
  const key = "request-reply/default/r";
  const uid = "u-rr";

  /** A broker that hands what comes to `got`. */
  const brokerAt = async (status = 202): Promise<{ readonly url: string; readonly got: IncomingHttpHeaders[] }> => {
    const got: IncomingHttpHeaders[] = [];
    const made = createServer((request, response) => {
      got.push(request.headers);
      request.resume().on("end", () => response.writeHead(status).end("full"));
    });
    await new Promise<void>((resolve) => void made.listen(0, "127.0.0.1", resolve));
    closers.push(() => new Promise((resolve) => void made.close(resolve)));
    return { url: `http://127.0.0.1:${(made.address() as AddressInfo).port}/b`, got };
  };
  const open = (url: string, timeoutMs = 5000) =>
    sinks.setSink({
      key,
      uid,
      action: {
        kind: "request-reply",
        broker: { url },
        correlationAttribute: "correlationid",
        replyAttribute: "replyid",
        timeoutMs,
      },
    });
  const send = (id: string) => ask("request-reply", "/default/r", { headers: event(id), body: `{"q":"${id}"}` });
  const reply = (name: string, text: string) =>
    ask("request-reply", "/default/r/replies", {
      headers: { ...event("re", { "ce-replyid": name, "ce-type": "answer" }), "content-type": "text/plain" },
      body: text,
    });
  const names = (got: readonly IncomingHttpHeaders[]) => got.map((headers) => String(headers["ce-correlationid"]));

  test("answers each request with the event that replies to it", async () => {
    const { url, got } = await brokerAt();
    await open(url);
    const both = [send("1"), send("2")];
    await expect.poll(() => got.length).toBe(2);
    const [first = "", second = ""] = names(got).sort();
    expect(first).toMatch(/^1:[\w-]{24}:u-rr$/);
    // Set again while requests wait: they still get their replies.
    await open(url, 6000);
    expect((await reply(second, "two")).status).toBe(202);
    expect((await reply(first, "one")).status).toBe(202);
    const answers = await Promise.all(both);
    expect(answers.map(({ status, body, headers }) => [status, body, headers["ce-type"]])).toEqual([
      [200, "one", "answer"],
      [200, "two", "answer"],
    ]);
    expect((await reply(first, "again")).status).toBe(202);
  });

  test("says that no reply came in time, and that the broker did not take the event", async () => {
    const { url } = await brokerAt();
    await open(url, 50);
    expect(await send("1")).toMatchObject({ status: 504, body: "no reply within 0.05 s\n" });
    await open((await brokerAt(507)).url);
    expect(await send("2")).toMatchObject({ status: 507, body: "the broker answered 507: full\n" });
    await open("http://127.0.0.1:1/");
    expect((await send("3")).status).toBe(502);
  });

  test("lets requests that wait know that ebb stops", async () => {
    const { url, got } = await brokerAt();
    await open(url);
    const waiting = send("1");
    await expect.poll(() => got.length).toBe(1);
    await sinks.close(200);
    expect((await waiting).status).toBe(503);
  });
});
