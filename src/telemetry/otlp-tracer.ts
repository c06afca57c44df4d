/** Spans to a collector by OTLP/HTTP in JSON (opentelemetry-proto 1.x, §OTLP/HTTP), as the standard variables say. */
import { randomBytes } from "node:crypto";
import type { Span, SpanAttributes, SpanStart, Tracer } from "../api/meta/tracer.ts";
import type { Logger } from "./logger.ts";

export interface OtlpSettings {
  /** Where spans are posted to, whole: `http://127.0.0.1:4318/v1/traces`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly resource: Readonly<Record<string, string>>;
  /** Share of new traces that are recorded; those that come are when they say so. */
  readonly ratio: number;
}

export interface OtlpTracer extends Tracer {
  /** Sends what is left. */
  close(): Promise<void>;
}

export interface OtlpDeps {
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  now(): number;
  after(ms: number, run: () => void): () => void;
  readonly send?: typeof fetch;
}

interface FinishedSpan {
  readonly name: string;
  readonly kind: SpanStart["kind"];
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: readonly OtlpAttribute[];
  readonly error: string | undefined;
}

interface OtlpAttribute {
  readonly key: string;
  readonly value: object;
}

/** A batch goes out when it is full or so old; with more that wait, new ones are dropped. */
const [fullBatch, batchMs, mostWaiting] = [512, 2000, 8192];
const timeoutMs = 10_000;
const tries = 3;
const kinds = { server: 2, client: 3, producer: 4, consumer: 5 } as const;
const recorded = 1;

/**
 * What the standard variables say; undefined when they ask for no traces. OTEL_EXPORTER_OTLP_ENDPOINT (or …_TRACES_…),
 * _HEADERS, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER(_ARG), OTEL_TRACES_EXPORTER,
 * OTEL_SDK_DISABLED. Throws for what cannot be done, with the variable's name.
 */
export function otlpSettings(env: Readonly<Record<string, string | undefined>>): OtlpSettings | undefined {
  const [base, own] = [env["OTEL_EXPORTER_OTLP_ENDPOINT"], env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]];
  const given = own || base;
  if (!given || env["OTEL_SDK_DISABLED"]?.toLowerCase() === "true" || env["OTEL_TRACES_EXPORTER"] === "none")
    return undefined;
  const protocol = env["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] ?? env["OTEL_EXPORTER_OTLP_PROTOCOL"] ?? "http/json";
  if (!protocol.startsWith("http/"))
    throw new Error(`OTEL_EXPORTER_OTLP_PROTOCOL: spans are sent by http/json, not by ${protocol}`);
  const url = URL.parse(own ? own : `${given.replace(/\/+$/, "")}/v1/traces`);
  if (!url || !/^https?:$/.test(url.protocol))
    throw new Error(`OTEL_EXPORTER_OTLP_ENDPOINT must be a URL like http://127.0.0.1:4318, not "${given}"`);
  const headers = env["OTEL_EXPORTER_OTLP_TRACES_HEADERS"] ?? env["OTEL_EXPORTER_OTLP_HEADERS"] ?? "";
  return {
    url: url.href,
    headers: pairsOf(headers),
    serviceName: env["OTEL_SERVICE_NAME"] ?? "ebb",
    resource: pairsOf(env["OTEL_RESOURCE_ATTRIBUTES"] ?? ""),
    ratio: ratioOf(env),
  };
}

function ratioOf(env: Readonly<Record<string, string | undefined>>): number {
  const sampler = env["OTEL_TRACES_SAMPLER"] ?? "parentbased_always_on";
  if (sampler.endsWith("always_off")) return 0;
  if (!sampler.endsWith("traceidratio")) return 1;
  const ratio = Number(env["OTEL_TRACES_SAMPLER_ARG"] ?? 1);
  if (!(ratio >= 0 && ratio <= 1)) throw new Error("OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1");
  return ratio;
}

/** `a=b,c=d`, values percent-encoded. */
function pairsOf(text: string): Readonly<Record<string, string>> {
  const pairs: Record<string, string> = {};
  for (const pair of text.split(",")) {
    const cut = pair.indexOf("=");
    if (cut > 0) pairs[pair.slice(0, cut).trim()] = decodeURIComponent(pair.slice(cut + 1).trim());
  }
  return pairs;
}

/** Records spans and sends them in batches. A collector that is away costs spans, never an event. */
export function createOtlpTracer(settings: OtlpSettings, deps: OtlpDeps): OtlpTracer {
  const send = deps.send ?? fetch;
  const state = { waiting: [] as FinishedSpan[], dropped: 0, told: false };
  let sending: Promise<void> = Promise.resolve();
  let cancel: (() => void) | undefined;

  const flush = (): Promise<void> => {
    cancel?.();
    cancel = undefined;
    const spans = state.waiting;
    state.waiting = [];
    if (spans.length === 0) return sending;
    sending = sending.then(() => sendAll(spans));
    return sending;
  };

  async function sendAll(spans: readonly FinishedSpan[]): Promise<void> {
    const body = JSON.stringify(requestOf(settings, spans));
    for (let attempt = 1; ; attempt += 1) {
      const wrong = await post(send, settings, body);
      if (wrong === undefined) {
        state.told = false;
        return;
      }
      if (wrong.again && attempt < tries) continue;
      state.dropped += spans.length;
      if (!state.told) deps.log.warn("spans could not be sent and are dropped", { url: settings.url, why: wrong.why });
      state.told = true;
      return;
    }
  }

  const finish = (span: FinishedSpan): void => {
    if (state.waiting.length >= mostWaiting) return void (state.dropped += 1);
    state.waiting.push(span);
    if (state.waiting.length >= fullBatch) void flush();
    else cancel ??= deps.after(batchMs, () => void flush());
  };

  return {
    start(name, { parent, kind, attributes = {} }) {
      const from = parseTraceparent(parent);
      const traceId = from?.traceId ?? randomBytes(16).toString("hex");
      const flags = from ? from.flags : isChosen(traceId, settings.ratio) ? recorded : 0;
      const spanId = randomBytes(8).toString("hex");
      const traceparent = `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, "0")}`;
      // Handed on as it came: a span that nobody records would be missing between the two.
      if ((flags & recorded) === 0) return { traceparent: from ? (parent ?? traceparent) : traceparent, end: ignore };
      const startMs = deps.now();
      return {
        traceparent,
        end: ({ error, attributes: more = {} } = {}) =>
          finish({
            name,
            kind,
            traceId,
            spanId,
            parentSpanId: from?.spanId,
            startMs,
            endMs: deps.now(),
            attributes: attributesOf({ ...attributes, ...more }),
            error,
          }),
      };
    },
    async close() {
      await flush();
    },
  };
}

const ignore: Span["end"] = () => undefined;

async function post(
  send: typeof fetch,
  { url, headers }: OtlpSettings,
  body: string,
): Promise<{ readonly why: string; readonly again: boolean } | undefined> {
  try {
    const response = await send(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body,
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.arrayBuffer();
    if (response.ok) return undefined;
    return { why: `it answered ${response.status}`, again: [429, 502, 503, 504].includes(response.status) };
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error), again: true };
  }
}

/** §3.2.2 of Trace Context; undefined for what is none. */
export function parseTraceparent(
  text: string | undefined,
): { readonly traceId: string; readonly spanId: string; readonly flags: number } | undefined {
  const [, version = "", traceId = "", spanId = "", flags = ""] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/.exec(text ?? "") ?? [];
  if (version === "" || version === "ff" || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) };
}

/** The same answer for a trace wherever it is asked: by the end of its id, as TraceIdRatioBased does. */
const isChosen = (traceId: string, ratio: number): boolean => Number.parseInt(traceId.slice(-13), 16) < ratio * 2 ** 52;

function attributesOf(attributes: SpanAttributes): readonly OtlpAttribute[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: valueOf(value) }],
  );
}

const valueOf = (value: string | number | boolean): object =>
  typeof value === "string"
    ? { stringValue: value }
    : typeof value === "boolean"
      ? { boolValue: value }
      : Number.isInteger(value)
        ? { intValue: String(value) }
        : { doubleValue: value };

const nanos = (ms: number): string => `${BigInt(Math.round(ms * 1000)) * 1000n}`;

function requestOf({ serviceName, resource }: OtlpSettings, spans: readonly FinishedSpan[]): object {
  return {
    resourceSpans: [
      {
        resource: { attributes: attributesOf({ ...resource, "service.name": serviceName }) },
        scopeSpans: [{ scope: { name: "ebb" }, spans: spans.map(spanOf) }],
      },
    ],
  };
}

function spanOf({ kind, startMs, endMs, error, parentSpanId, ...span }: FinishedSpan): object {
  return {
    ...span,
    kind: kinds[kind],
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    startTimeUnixNano: nanos(startMs),
    endTimeUnixNano: nanos(endMs),
    status: error === undefined ? {} : { code: 2, message: error },
  };
}
