import type { HeadLimits } from "./proxy/head-parser.ts";

/** What may be set about a router. Times in milliseconds, sizes in bytes. */
export interface RouterOptions {
  /** Requests that may wait for one revision. Default 10,000; at least 1. */
  readonly queueLimit?: number;
  /** A request or response head. Default 65,536. */
  readonly headBytes?: number;
  /** A request line. Default 16,384. */
  readonly lineBytes?: number;
  /** Header lines. Default 200. */
  readonly headers?: number;
  /** A request body; more gets 413. Default 0: no limit. */
  readonly bodyBytes?: number;
  /** First to last byte of a request head; slower gets 408. Default 15,000. */
  readonly headMs?: number;
  /** Silence inside a request body; longer gets 408. Default 60,000. */
  readonly bodyMs?: number;
  /** Silence between requests before the connection is closed. Default 75,000. */
  readonly idleMs?: number;
  /** Client connections; more are not accepted. Default 50,000. */
  readonly maxConnections?: number;
  /** How long close() lets requests under way go on. Default 10,000. */
  readonly closeMs?: number;
  /** Adds a Server-Timing header to responses that waited, for a cold start or for room. Default true. */
  readonly serverTiming?: boolean;
  /**
   * Gives requests without a traceparent one, not sampled. Default false: tracing libraries in apps would take it for a
   * decision not to trace, and each header costs an app about half a microsecond.
   */
  readonly makeTraceparent?: boolean;
  /** Idle connections kept to one instance. Default 100. */
  readonly maxIdlePerInstance?: number;
  /** An idle connection to an instance is closed after this, unless the app's Keep-Alive says otherwise. Default 4000. */
  readonly instanceIdleMs?: number;
  /** A connection attempt to an instance. Default 5000. */
  readonly connectMs?: number;
  /**
   * What clients on `public` listeners say in Forwarded, X-Forwarded-* and X-Real-IP is not believed, and replaced by
   * what this router sees itself. Default false: it is passed on and added to, as behind a proxy that speaks for others.
   */
  readonly distrustForwarded?: boolean;
  /** Port at which clients reach this router by https: where redirects lead. Default 0: nowhere, none are made. */
  readonly httpsPort?: number;
}

export interface CompiledRouterOptions {
  readonly queueLimit: number;
  readonly head: HeadLimits;
  readonly client: {
    readonly bodyBytes: number;
    readonly headMs: number;
    readonly bodyMs: number;
    readonly idleMs: number;
  };
  readonly pool: { readonly maxIdle: number; readonly idleMs: number; readonly connectTimeoutMs: number };
  readonly httpsPort: number;
  readonly maxConnections: number;
  readonly closeMs: number;
  readonly serverTiming: boolean;
  readonly makeTraceparent: boolean;
  readonly distrustForwarded: boolean;
}

/** Fills in the defaults; throws a RangeError naming the option that is out of range. */
export function compileOptions(options: RouterOptions): CompiledRouterOptions {
  const number = (name: keyof RouterOptions, fallback: number, least = 1): number => {
    const value = options[name] ?? fallback;
    if (typeof value !== "number" || !(value >= least)) {
      throw new RangeError(`router option "${name}" must be a number of at least ${least}, not "${String(value)}"`);
    }
    return value;
  };
  return Object.freeze({
    queueLimit: number("queueLimit", 10_000),
    head: {
      headBytes: number("headBytes", 65_536, 64),
      lineBytes: number("lineBytes", 16_384, 16),
      headers: number("headers", 200),
    },
    client: {
      bodyBytes: number("bodyBytes", 0, 0),
      headMs: number("headMs", 15_000),
      bodyMs: number("bodyMs", 60_000),
      idleMs: number("idleMs", 75_000),
    },
    pool: {
      maxIdle: number("maxIdlePerInstance", 100, 0),
      idleMs: number("instanceIdleMs", 4000),
      connectTimeoutMs: number("connectMs", 5000),
    },
    httpsPort: number("httpsPort", 0, 0),
    maxConnections: number("maxConnections", 50_000),
    closeMs: number("closeMs", 10_000, 0),
    serverTiming: options.serverTiming ?? true,
    makeTraceparent: options.makeTraceparent ?? false,
    distrustForwarded: options.distrustForwarded ?? false,
  });
}
