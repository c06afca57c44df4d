import { Agent, request, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";

export interface LoadResult {
  readonly answered: number;
  /** One line per request that was not answered with 200. */
  readonly failures: readonly string[];
  /** How often each body was seen. */
  readonly bodies: ReadonlyMap<string, number>;
}

/** Calls one host over and over from `connections` connections until stopped. */
export interface SteadyLoad {
  stop(): Promise<LoadResult>;
  readonly answered: () => number;
}

/**
 * Starts the load, of POSTs: they are never sent twice, so a request lost on the way shows. Every answer other than 200 and
 * every broken connection is a failure.
 */
export function startLoad(
  routerUrl: string,
  host: string,
  options: { readonly connections: number; readonly path?: string },
): SteadyLoad {
  const agent = new Agent({ keepAlive: true, maxSockets: options.connections });
  const failures: string[] = [];
  const bodies = new Map<string, number>();
  let answered = 0;
  const stop = new AbortController();

  const ask = (): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      request(new URL(options.path ?? "/", routerUrl), { agent, method: "POST", headers: { host } }, resolve)
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
      return { answered, failures, bodies };
    },
  };
}
