/** One trace from whoever sends to the last reply, at a real receiver of OTLP over HTTP. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../src/client/clock.ts";
import type { Logger } from "../../src/telemetry/logger.ts";
import { createOtlpTracer, otlpSettings, type OtlpTracer } from "../../src/telemetry/otlp-tracer.ts";
import { brokerSpec, startPlane, startSink, triggerSpec, type Plane, type Sink } from "./event-plane.ts";

interface ReceivedSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
  readonly status: { readonly code?: number; readonly message?: string };
}

const logged: string[] = [];
const log: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message, fields) => void logged.push(`${message} ${JSON.stringify(fields)}`),
  error: () => undefined,
  with: () => log,
  enabled: () => true,
};
let collector: Server;
let spans: ReceivedSpan[];
let requests: { readonly url: string; readonly headers: NodeJS.Dict<string | string[]>; readonly service: unknown }[];
let answers: number[];
let tracer: OtlpTracer;
let plane: Plane;
let sink: Sink;

beforeEach(async () => {
  [spans, requests, answers] = [[], [], []];
  logged.length = 0;
  collector = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.once("end", () => {
      const status = answers.shift() ?? 200;
      response.writeHead(status, { "content-type": "application/json" }).end("{}");
      if (status !== 200) return;
      const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString());
      const [{ resource, scopeSpans }] = resourceSpans;
      requests.push({ url: request.url ?? "", headers: request.headers, service: resource.attributes });
      spans.push(...scopeSpans[0].spans);
    });
  });
  await new Promise<void>((done) => collector.listen(0, "127.0.0.1", done));
  tracer = openTracer({});
  plane = await startPlane({ tracer });
  await plane.engine.setStream(brokerSpec);
  sink = await startSink();
});
afterEach(async () => {
  await plane.close();
  await sink.close();
  collector.closeAllConnections();
  await new Promise((done) => collector.close(done));
});

const endpoint = (): string => `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
function openTracer(env: Readonly<Record<string, string>>): OtlpTracer {
  const settings = otlpSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint(), OTEL_SERVICE_NAME: "shop", ...env });
  if (!settings) throw new Error("no settings");
  return createOtlpTracer(settings, { log, now: () => Date.now(), after: (ms, run) => systemClock.after(ms, run) });
}
const attribute = ({ attributes }: ReceivedSpan, key: string): unknown =>
  Object.values(attributes.find((one) => one.key === key)?.value ?? {})[0];

test("every hop is a span under the one before, from the sender to the dead letter of the last reply", async () => {
  // a is answered with b; b fails once, is answered with c; nobody takes c.
  const dead = await startSink();
  let failures = 1;
  sink.answer = ({ headers }) => {
    const next = { a: "b", b: "c" }[String(headers["ce-type"])];
    if (headers["ce-type"] === "b" && failures-- > 0) return { status: 503 };
    if (next === undefined) return { status: 400 };
    const event = { "ce-specversion": "1.0", "ce-id": `reply-${next}`, "ce-source": "/f", "ce-type": next };
    return { headers: { ...event, "content-type": "text/plain" }, body: next };
  };
  await plane.engine.setConsumer(
    triggerSpec(sink.url, {
      reply: "stream",
      delivery: { retry: 1, backoffPolicy: "linear", backoffDelayMs: 5 },
      deadLetter: { url: dead.url },
    }),
  );
  const [traceId, senderSpan] = ["4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"];
  const header = { "ce-type": "a", traceparent: `00-${traceId}-${senderSpan}-01` };
  expect((await plane.send("/default/orders", "1", header)).status).toBe(202);
  await expect.poll(() => dead.received.length, { timeout: 10_000 }).toBe(1);
  await expect.poll(() => plane.engine.consumers()[0]?.lag, { timeout: 10_000 }).toBe(0);
  await tracer.close();
  expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const way = (span: ReceivedSpan | undefined): string =>
    span === undefined ? "" : `${way(byId.get(span.parentSpanId ?? ""))} > ${span.name}`;
  const [take, send, reply] = [
    " > take broker/default/orders",
    " > deliver trigger/default/t",
    " > reply trigger/default/t",
  ];
  expect(spans.map(way).sort()).toEqual(
    [
      take,
      `${take}${send}`,
      `${take}${send}${reply}`,
      `${take}${send}${reply}${send}`,
      `${take}${send}${reply}${send}`,
      `${take}${send}${reply}${send}${reply}`,
      `${take}${send}${reply}${send}${reply}${send}`,
      `${take}${send}${reply}${send}${reply} > dead letter trigger/default/t`,
    ].sort(),
  );
  const first = spans.find(({ name }) => name.startsWith("take"));
  expect(first).toMatchObject({ parentSpanId: senderSpan, kind: 2, status: {} });
  expect(first && attribute(first, "cloudevents.event_id")).toBe("1");
  const failed = spans.find(({ status }) => status.message === "it answered 503");
  expect(failed && [attribute(failed, "http.response.status_code"), attribute(failed, "ebb.delivery.attempt")]).toEqual(
    ["503", "1"],
  );
  for (const { startTimeUnixNano, endTimeUnixNano } of spans)
    expect(BigInt(endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(startTimeUnixNano));
  // What functions are told is the hop that reached them.
  const told = String(sink.received[0]?.headers["traceparent"]);
  expect(byId.get(told.split("-")[2] ?? "")?.name).toBe("deliver trigger/default/t");
  expect(requests[0]).toMatchObject({ url: "/v1/traces" });
  expect(requests[0]?.headers["content-type"]).toBe("application/json");
  expect(requests[0]?.service).toContainEqual({ key: "service.name", value: { stringValue: "shop" } });
  await dead.close();
});

test("an event without a trace begins one; what the sender does not record is handed on and not recorded", async () => {
  await plane.engine.setConsumer(triggerSpec(sink.url));
  await plane.send("/default/orders", "1");
  const unsampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
  await plane.send("/default/orders", "2", { traceparent: unsampled });
  await expect.poll(() => sink.received.length, { timeout: 10_000 }).toBe(2);
  await expect.poll(() => plane.engine.consumers()[0]?.lag).toBe(0);
  await tracer.close();
  expect(spans.map(({ name }) => name).sort()).toEqual(["deliver trigger/default/t", "take broker/default/orders"]);
  const root = spans.find(({ name }) => name.startsWith("take"));
  expect(root?.parentSpanId).toBeUndefined();
  expect(spans.find(({ name }) => name.startsWith("deliver"))?.parentSpanId).toBe(root?.spanId);
  const second = sink.received.find(({ headers }) => headers["ce-id"] === "2");
  expect(second?.headers["traceparent"]).toBe(unsampled);
});

test("a collector that is ill is asked again, one that refuses is told of once, and no event waits for it", async () => {
  const span = (): void => tracer.start("x", { parent: undefined, kind: "server" }).end();
  answers = [503];
  span();
  await tracer.close();
  expect(spans.length).toBe(1);
  answers = [400, 400];
  for (const _ of [1, 2]) {
    span();
    await tracer.close();
  }
  expect(spans.length).toBe(1);
  expect(logged.length).toBe(1);
  expect(logged[0]).toContain("it answered 400");
});

test.each([
  [{}, undefined],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318/", OTEL_SDK_DISABLED: "true" }, undefined],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318/", OTEL_TRACES_EXPORTER: "none" }, undefined],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318/" }, { url: "http://c:4318/v1/traces", ratio: 1, serviceName: "ebb" }],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://c/own" }, { url: "http://c/own" }],
  [
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318/x",
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20t, x=1",
      OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
      OTEL_TRACES_SAMPLER_ARG: "0.25",
    },
    { url: "http://c:4318/x/v1/traces", headers: { authorization: "Bearer t", x: "1" }, ratio: 0.25 },
  ],
])("the variables %j ask for %j", (env, wanted) => {
  if (wanted === undefined) expect(otlpSettings(env)).toBeUndefined();
  else expect(otlpSettings(env)).toMatchObject(wanted);
});

test.each([
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "c:4318" }, /must be a URL/],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://c", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, /http\/json, not by grpc/],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c", OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "2" },
    /from 0 to 1/,
  ],
])("the variables %j are refused", (env, why) => {
  expect(() => otlpSettings(env)).toThrow(why);
});

test("a quarter of the traces are recorded where that is asked for", async () => {
  const some = openTracer({ OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.25" });
  for (let n = 0; n < 2000; n += 1) some.start("x", { parent: undefined, kind: "server" }).end();
  await some.close();
  expect(spans.length).toBeGreaterThan(400);
  expect(spans.length).toBeLessThan(600);
});
