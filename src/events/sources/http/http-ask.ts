/** One question to the address of an HttpPollSource. */
import { Agent, request } from "undici";
import type { HttpPollSourceSpec } from "../../../api/sources/types-stores.gen.ts";
import { parseDuration } from "../../../api/meta/duration.ts";
import type { Resolved } from "../resolved-settings.ts";

export type PollSettings = Resolved<HttpPollSourceSpec> & { readonly url: string };

export type Fetched =
  | {
      readonly kind: "new";
      readonly body: Buffer;
      readonly contentType: string | undefined;
      readonly etag: string | undefined;
      readonly lastModified: string | undefined;
    }
  | { readonly kind: "same" }
  /** The server asks for patience. */
  | { readonly kind: "wait"; readonly waitMs: number | undefined; readonly reason: string };

export interface Asker {
  /** Rejects with what to check when there is no good answer. */
  ask(
    known: { readonly etag: string | undefined; readonly lastModified: string | undefined },
    signal: AbortSignal,
  ): Promise<Fetched>;
  close(): Promise<void>;
}

const defaultTimeoutMs = 30_000;
const defaultMaxBytes = 8 * 1024 * 1024;

export function createAsker(settings: PollSettings): Asker {
  const { url, headers, secretHeaders, tls, maxBytes = defaultMaxBytes } = settings;
  const { caCert, cert, key, skipVerify } = tls ?? {};
  const timeoutMs = parseDuration(settings.timeout ?? "") ?? defaultTimeoutMs;
  const agent = new Agent({
    connections: 1,
    connect: {
      ...(caCert === undefined ? {} : { ca: caCert }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(skipVerify ? { rejectUnauthorized: false } : {}),
    },
  });
  const at = new URL(url).host;
  return {
    async ask({ etag, lastModified }, signal) {
      let answer: Awaited<ReturnType<typeof request>>;
      try {
        answer = await request(url, {
          dispatcher: agent,
          signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
          headers: {
            accept: "*/*",
            "user-agent": "ebb",
            ...(etag ? { "if-none-match": etag } : {}),
            ...(lastModified ? { "if-modified-since": lastModified } : {}),
            ...headers,
            ...secretHeaders,
          },
        });
      } catch (error) {
        throw new Error(whyNot(at, error), { cause: error });
      }
      return read(answer, { at, maxBytes });
    },
    close: () => agent.destroy(),
  };
}

async function read(
  { statusCode, headers, body }: Awaited<ReturnType<typeof request>>,
  { at, maxBytes }: { readonly at: string; readonly maxBytes: number },
): Promise<Fetched> {
  const header = (name: string): string | undefined => [headers[name]].flat()[0];
  if (statusCode === 304) {
    await body.dump();
    return { kind: "same" };
  }
  if (statusCode === 429 || statusCode === 503) {
    await body.dump();
    return { kind: "wait", waitMs: retryAfterMs(header("retry-after")), reason: `${at} answered ${statusCode}` };
  }
  if (statusCode < 200 || statusCode > 299) {
    await body.dump();
    const isRefused = statusCode === 401 || statusCode === 403;
    const advice = isRefused ? "check spec.secretHeaders" : "check spec.url";
    throw new Error(`${at} answered ${statusCode}${statusCode < 500 ? `: ${advice}` : ""}`);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new Error(`the answer of ${at} has more than ${maxBytes} bytes: raise spec.maxBytes`);
    chunks.push(chunk);
  }
  return {
    kind: "new",
    body: Buffer.concat(chunks),
    contentType: header("content-type"),
    etag: header("etag"),
    lastModified: header("last-modified"),
  };
}

/** Seconds or a date (RFC 9110 §10.2.3). */
function retryAfterMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\s*\d+\s*$/.test(text)) return Number(text) * 1000;
  const ms = Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

function whyNot(at: string, error: unknown): string {
  const {
    message = "",
    code = "",
    name = "",
  } = error as { readonly message?: string; readonly code?: string; readonly name?: string };
  const text = message || code || String(error);
  if (name === "TimeoutError") return `${at} did not answer in time: raise spec.timeout, or check spec.url`;
  if (/certificate|self.signed|ssl|tls/i.test(`${text} ${code}`))
    return `no encrypted connection to ${at}: ${text}; check spec.tls and its caCert`;
  return `${at} cannot be reached (${text}): check spec.url`;
}
