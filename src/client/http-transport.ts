import { getCACertificates } from "node:tls";
import { Agent, ProxyAgent, type Dispatcher } from "undici";
import { ApiError, failure, serviceUnavailable } from "../api/meta/errors.ts";
import type { Status } from "../api/meta/types.gen.ts";
import type { Clock } from "./clock.ts";
import type { ConnectionConfig } from "./kubeconfig.ts";
import { createRateLimiter, type RateLimit } from "./rate-limit.ts";

export interface TransportRequest {
  /** Path and query. */
  readonly path: string;
  readonly method: Dispatcher.HttpMethod;
  readonly accept: string;
  readonly contentType: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  /** The answer may go on for as long as it likes: watches, logs. */
  readonly isStream: boolean;
}

export interface Transport {
  /** Sends one request; throws the ApiError of an answer of 400 and above, and 503 when there is no answer. */
  send(request: TransportRequest): Promise<Dispatcher.ResponseData>;
  /** What says who asks, for connections that are no requests. */
  authorization(): Promise<Readonly<Record<string, string | string[]>>>;
  close(): Promise<void>;
}

/** A server too busy for a request has not begun it: asking again is safe, this often and after what it says. */
const maxBusyRetries = 5;
const defaultRetryAfterMs = 1000;
const longestRetryAfterMs = 10_000;
/** A token this close to its end is renewed first. */
const expiryMarginMs = 10_000;
/** For an answer to begin, and between two parts of one that is no stream. */
const answerTimeoutMs = 60_000;

/** Asking for these again changes nothing (RFC 9110 §9.2.1). */
const safeMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);
/** How a connection ends that the other side has left: undici, and the system below it. */
const dropped: ReadonlySet<unknown> = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"]);
/** Connections for requests that end; each watch has one of its own. A queue here costs less than the TLS of a burst. */
const maxConnections = 16;

export interface TransportOptions {
  readonly userAgent: string;
  readonly clock: Clock;
  readonly limit?: RateLimit;
}

/** Opens connections as they are needed; credentials are renewed when they are old or were refused. */
export function createTransport(config: ConnectionConfig, { userAgent, clock, limit }: TransportOptions): Transport {
  const calls = createDispatcher(config, maxConnections);
  const streams = createDispatcher(config);
  const bucket = limit && createRateLimiter(limit, clock);
  const { origin, pathname } = new URL(config.server);
  const prefix = pathname.replace(/\/+$/, "");
  const { renewal } = config;
  let token = config.token;
  const renewalTime = (): number =>
    renewal
      ? Math.min((token?.expiresAtMs ?? Infinity) - expiryMarginMs, clock.now() + (renewal.afterMs ?? Infinity))
      : Infinity;
  let renewAtMs = renewalTime();

  const renew = async (): Promise<void> => {
    token = (await renewal?.renew()) ?? token;
    renewAtMs = renewalTime();
  };

  const once = async (request: TransportRequest, again = true): Promise<Dispatcher.ResponseData> => {
    if (clock.now() >= renewAtMs) await renew();
    try {
      return await (request.isStream ? streams : calls).request({
        origin,
        path: prefix + request.path,
        method: request.method,
        headers: {
          "user-agent": userAgent,
          accept: request.accept,
          ...config.headers,
          ...(token ? { authorization: `Bearer ${token.value}` } : {}),
          ...(request.body === undefined ? {} : { "content-type": request.contentType }),
        },
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
        ...(request.signal ? { signal: request.signal } : {}),
        headersTimeout: answerTimeoutMs,
        bodyTimeout: request.isStream ? 0 : answerTimeoutMs,
      });
    } catch (error) {
      if (request.signal?.aborted) throw request.signal.reason;
      if (again && safeMethods.has(request.method) && dropped.has((error as { readonly code?: unknown }).code))
        return once(request, false);
      throw unreachable(config.server, error);
    }
  };

  return {
    async send(request) {
      let renewed = false;
      for (let retries = 0; ;) {
        request.signal?.throwIfAborted();
        if (bucket && !request.isStream) await bucket.take(request.signal);
        const answer = await once(request);
        const { statusCode } = answer;
        if (statusCode < 400) return answer;
        const error = toApiError(statusCode, await answer.body.text());
        if (statusCode === 401 && renewal && !renewed) {
          renewed = true;
          await renew();
        } else if (isBusy(statusCode, answer.headers["retry-after"]) && retries < maxBusyRetries) {
          retries++;
          await pause(clock, retryAfterMs(answer.headers["retry-after"]), request.signal);
        } else throw error;
      }
    },
    async authorization() {
      if (clock.now() >= renewAtMs) await renew();
      return { ...config.headers, ...(token ? { authorization: `Bearer ${token.value}` } : {}) };
    },
    async close() {
      await Promise.all([calls.close(), streams.close()]);
    },
  };
}

/**
 * TLS as a connection asks for it. Without a CA of its own the machine's count besides Node's: a company's proxy or
 * certificate authority is known there.
 */
export function tlsOf(config: ConnectionConfig) {
  const own =
    config.ca ?? (config.server.startsWith("https:") ? [...getCACertificates("bundled"), ...systemCas()] : undefined);
  return {
    ...(own ? { ca: own } : {}),
    ...(config.clientCertificate ? { cert: config.clientCertificate } : {}),
    ...(config.clientKey ? { key: config.clientKey } : {}),
    ...(config.tlsServerName ? { servername: config.tlsServerName } : {}),
    rejectUnauthorized: !config.insecureSkipTlsVerify,
  };
}

function systemCas(): readonly string[] {
  try {
    return getCACertificates("system");
  } catch {
    // A machine whose store cannot be read is one without.
    return [];
  }
}

function createDispatcher(config: ConnectionConfig, connections?: number): Dispatcher {
  const tls = tlsOf(config);
  const pool = connections === undefined ? {} : { connections };
  return config.proxyUrl
    ? new ProxyAgent({ ...pool, uri: config.proxyUrl, requestTls: tls })
    : new Agent({ ...pool, connect: tls });
}

const isBusy = (code: number, retryAfter: string | readonly string[] | undefined): boolean =>
  code === 429 || (code === 503 && retryAfter !== undefined);

function retryAfterMs(header: string | readonly string[] | undefined): number {
  const seconds = Number(Array.isArray(header) ? header[0] : header);
  return Number.isFinite(seconds) ? Math.min(seconds * 1000, longestRetryAfterMs) : defaultRetryAfterMs;
}

function pause(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const cancel = clock.after(ms, resolve);
  const onAbort = (): void => {
    cancel();
    reject(signal?.reason);
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  return promise.finally(() => signal?.removeEventListener("abort", onAbort));
}

function unreachable(server: string, error: unknown): ApiError {
  const why = error instanceof Error ? error.message || error.name : String(error);
  return new ApiError(serviceUnavailable(`cannot reach the API server at ${server}: ${why}`).status, { cause: error });
}

export function toApiError(code: number, text: string): ApiError {
  try {
    const status: Status & { readonly kind?: string } = JSON.parse(text);
    if (status.kind === "Status") return new ApiError(status);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  const shown = text.slice(0, 500).trim();
  return failure(code, reasons[code] ?? "Unknown", `the server answered ${code}${shown === "" ? "" : `: ${shown}`}`);
}

/** Reasons of answers that carry no Status: a proxy's, or a path nobody serves. */
const reasons: Readonly<Record<number, string>> = {
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  409: "Conflict",
  429: "TooManyRequests",
  503: "ServiceUnavailable",
  504: "Timeout",
};
