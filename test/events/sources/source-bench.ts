/** Sources read by the real runner, delivered to a sink that is told what to answer and remembers what it got. */
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import type { SourceSpec } from "../../../src/api/eventing/source-engine.ts";
import { systemClock, type Clock } from "../../../src/client/clock.ts";
import { createSender } from "../../../src/events/delivery/http-sender.ts";
import type { SourceSurroundings } from "../../../src/events/sources/running-source.ts";
import { createSourceRunner, type SourceRunner } from "../../../src/events/sources/source-runner.ts";
import type { Logger } from "../../../src/telemetry/logger.ts";

export const log: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => log,
  enabled: () => false,
};

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Time as it passes, and what is left out of it. */
export interface SkippingClock extends Clock {
  /** Durations measured from here on seem that much longer. */
  skip(ms: number): void;
}

function createClock(): SkippingClock {
  let skippedMs = 0;
  return {
    ...systemClock,
    steadyMs: () => systemClock.steadyMs() + skippedMs,
    skip: (ms) => void (skippedMs += ms),
  };
}

export interface SourceBench {
  readonly clock: SkippingClock;
  readonly runner: SourceRunner;
  readonly url: string;
  readonly received: Received[];
  /** The status the sink answers with; a promise keeps it waiting. */
  answer: (got: Received) => number | Promise<number>;
  /** A spec that delivers to the sink. */
  spec(kind: string, settings: object, more?: Partial<SourceSpec>): SourceSpec;
  close(): Promise<void>;
}

export async function createSourceBench(surroundings: SourceSurroundings = {}): Promise<SourceBench> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const got = { headers: request.headers, body: Buffer.concat(chunks).toString() };
      received.push(got);
      void Promise.resolve(bench.answer(got)).then((status) => response.writeHead(status).end());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const clock = createClock();
  const sender = createSender({ clock, dial: () => undefined });
  const runner = createSourceRunner({}, { sender, clock, log, ...surroundings });
  const bench: SourceBench = {
    clock,
    runner,
    url,
    received,
    answer: () => 204,
    spec: (kind, settings, more = {}) => ({
      key: `${kind.toLowerCase()}/default/s`,
      uid: "u1",
      kind,
      namespace: "default",
      name: "s",
      source: `/sources/${kind.toLowerCase()}`,
      settings,
      target: { url },
      delivery: { retry: 0 },
      ...more,
    }),
    async close() {
      await runner.close(5000);
      await sender.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return bench;
}

export async function until<T>(
  see: () => T | Promise<T>,
  holds: (seen: T) => boolean,
  what: string,
  ms = 15_000,
): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const seen = await see();
    if (holds(seen)) return seen;
    if (Date.now() > end) throw new Error(`no ${what}; last seen: ${JSON.stringify(seen)?.slice(0, 1500)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export const ids = (received: readonly Received[]): string[] => received.map(({ headers }) => String(headers["ce-id"]));
export const bodies = (received: readonly Received[]): string[] => received.map(({ body }) => body);
