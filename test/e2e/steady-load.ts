import { Agent, request, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";

export interface LoadResult {
  readonly answered: number;
  /** One line per request that was not answered with 200. */
  readonly failures: readonly string[];
  /** From being sent to its end, of those answered. */
  readonly slowestMs: number;
  /** How often each body was seen. */
  readonly bodies: ReadonlyMap<string, number>;
}

/** Calls one host over and over from `connections` connections until stopped. */
export interface SteadyLoad {
  stop(): Promise<LoadResult>;
  readonly answered: () => number;
}

/**
 * Starts the load, of POSTs unless told otherwise: they are never sent twice, so a request lost on the way shows. Every
 * answer other than 200, every broken connection and every time-out is a failure.
 */
export function startLoad(
  routerUrl: string,
  host: string,
  options: {
    readonly connections: number;
    readonly path?: string;
    readonly method?: "GET" | "POST";
    readonly timeoutMs?: number;
  },
): SteadyLoad {
  const agent = new Agent({ keepAlive: true, maxSockets: options.connections });
  const failures: string[] = [];
  const bodies = new Map<string, number>();
  let answered = 0;
  let slowestMs = 0;
  const stop = new AbortController();

  const ask = (): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const { method = "POST", timeoutMs } = options;
      const signal = timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(timeoutMs) };
      request(new URL(options.path ?? "/", routerUrl), { agent, method, headers: { host }, ...signal }, resolve)
        .once("error", reject)
        .end();
    });

  async function once(): Promise<void> {
    const began = performance.now();
    try {
      const answer = await ask();
      const body = await text(answer);
      if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} ${body.trim()}`);
      answered += 1;
      slowestMs = Math.max(slowestMs, performance.now() - began);
      bodies.set(body, (bodies.get(body) ?? 0) + 1);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      failures.push(`${why} after ${(performance.now() - began).toFixed(0)} ms`);
    }
  }

  const callers = Array.from({ length: options.connections }, async () => {
    while (!stop.signal.aborted) await once();
  });

  return {
    answered: () => answered,
    async stop() {
      stop.abort();
      await Promise.all(callers);
      agent.destroy();
      return { answered, failures, slowestMs, bodies };
    },
  };
}
