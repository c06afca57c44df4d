import type { Pool } from "undici";
import type { SenderIdentity } from "../../api/eventing/access.ts";
import type { EventTarget } from "../../api/eventing/engine.ts";
import type { Clock } from "../../client/clock.ts";
import { guardedLookup, refusedUrl, type AddressRule } from "./public-addresses.ts";

/** Sends one HTTP request to a sink. */
export interface Sender {
  /** Never rejects: what went wrong is an answer, too. The attempt is over when it resolves. */
  send(target: EventTarget, message: OutgoingMessage): Promise<Answer>;
  close(): Promise<void>;
}

export interface OutgoingMessage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly method?: string;
}

export type Answer =
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers: Readonly<Record<string, string | string[] | undefined>>;
      readonly body: Buffer;
      /** The body was longer than is read; `body` is its beginning. */
      readonly cut: boolean;
    }
  | { readonly kind: "none"; readonly reason: string };

/** Where a URL is reached: its own host, or the router with that host asked for. */
export interface Dialled {
  /** `http://127.0.0.1:8080`. */
  readonly origin: string;
}

export interface SenderDeps {
  readonly clock: Clock;
  /** Undefined: the URL's own host is looked up. */
  dial(url: URL): Dialled | undefined;
  /** For targets with an audience: a token of whoever sends there. */
  token?(as: SenderIdentity, audience: string): Promise<string>;
  /** For what strangers name: addresses that may not be reached where the URL's own host is looked up. */
  readonly only?: AddressRule;
}

/** Replies longer than an event may be are no events. */
const longestBody = 8 * 1024 * 1024;
const connections = 128;

/** The HTTP client is loaded when there is something to send. */
export function createSender(deps: SenderDeps): Sender {
  const pools = new Map<string, Promise<Pool>>();
  const poolOf: PoolOf = ({ origin, caCerts, dialled }) => {
    const key = `${origin} ${dialled} ${caCerts ?? ""}`;
    const lookup = deps.only && !dialled ? guardedLookup(deps.only) : undefined;
    let pool = pools.get(key);
    if (!pool) {
      pool = import("undici").then(
        ({ Pool }) =>
          new Pool(origin, {
            connections,
            keepAliveTimeout: 4000,
            connect: { ...(caCerts === undefined ? {} : { ca: caCerts }), ...(lookup ? { lookup } : {}) },
          }),
      );
      pools.set(key, pool);
    }
    return pool;
  };
  return {
    async send(target, message) {
      const timeout = new AbortController();
      const cancel = deps.clock.after(message.timeoutMs, () => timeout.abort(timedOut(message.timeoutMs)));
      try {
        return await exchange(deps, poolOf, { target, message, timeout: timeout.signal });
      } catch (error) {
        return { kind: "none", reason: reasonOf(timeout.signal.aborted ? timeout.signal.reason : error) };
      } finally {
        cancel();
      }
    },
    async close() {
      const open = await Promise.allSettled(pools.values());
      pools.clear();
      await Promise.all(open.map((pool) => (pool.status === "fulfilled" ? pool.value.destroy() : undefined)));
    },
  };
}

type PoolOf = (at: {
  readonly origin: string;
  readonly caCerts: string | undefined;
  readonly dialled: boolean;
}) => Promise<Pool>;

async function exchange(
  deps: SenderDeps,
  poolOf: PoolOf,
  ask: { readonly target: EventTarget; readonly message: OutgoingMessage; readonly timeout: AbortSignal },
): Promise<Answer> {
  const { target, message, timeout } = ask;
  const url = new URL(target.url);
  const dialled = deps.dial(url);
  const refused = deps.only && !dialled ? refusedUrl(url, deps.only) : undefined;
  if (refused !== undefined) return { kind: "none", reason: `${url.host} may not be called back: ${refused}` };
  const origin = dialled?.origin ?? url.origin;
  const pool = await poolOf({ origin, caCerts: target.caCerts, dialled: dialled !== undefined });
  const { audience, as } = target;
  const token = audience === undefined || as === undefined ? undefined : await deps.token?.(as, audience);
  const response = await pool.request({
    method: (message.method ?? "POST") as "POST",
    path: `${url.pathname}${url.search}`,
    headers: {
      host: url.host,
      ...message.headers,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: message.body,
    signal: message.signal ? AbortSignal.any([message.signal, timeout]) : timeout,
    // The attempt as a whole has a time-out.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    // Leaving the loop ends the connection: nobody reads an endless answer.
    if (size > longestBody) break;
  }
  return {
    kind: "answer",
    status: response.statusCode,
    headers: response.headers,
    body: Buffer.concat(chunks),
    cut: size > longestBody,
  };
}

const timedOut = (ms: number): Error => new Error(`no answer within ${ms / 1000} s`);

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { readonly code?: unknown };
  return error.message !== "" ? error.message : typeof code === "string" ? code : error.name;
}
