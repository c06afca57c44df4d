/**
 * LISTEN: what is notified is sent while the source is connected. PostgreSQL keeps nothing for whoever is away, so the
 * time of every absence is told.
 */
import { randomUUID } from "node:crypto";
import type { Client, Notification } from "pg";
import type { PostgresListen } from "../../../api/sources/types-stores.gen.ts";
import { sleep } from "../../../client/clock.ts";
import { InFlight } from "../in-flight.ts";
import { contentTypeOf } from "../plain-body.ts";
import type { OpenSource, SourceContext } from "../source-reader.ts";
import { untilTaken } from "../until-taken.ts";
import { connectPostgres, quoted, wireOf, type PostgresSettings } from "./postgres-connection.ts";

export const notificationEventType = "dev.ebb.sources.postgres.notification";

const defaultInFlight = 16;
const firstWaitMs = 250;
const longestWaitMs = 15_000;

export async function openListener(
  settings: PostgresSettings,
  listen: PostgresListen,
  context: SourceContext,
): Promise<OpenSource> {
  const listener = new Listener(settings, listen, context);
  await listener.connect();
  const ended = listener.stayConnected();
  return {
    async close() {
      await ended;
      await listener.close();
    },
  };
}

class Listener {
  readonly #settings: PostgresSettings;
  readonly #channels: readonly string[];
  readonly #most: number;
  readonly #context: SourceContext;
  readonly #inFlight: InFlight;
  #client: Client | undefined;
  #lost = Promise.withResolvers<Error>();
  #waiting = 0;
  #held = false;

  constructor(settings: PostgresSettings, { channels = [], maxInFlight }: PostgresListen, context: SourceContext) {
    this.#settings = settings;
    this.#channels = channels;
    this.#most = maxInFlight ?? defaultInFlight;
    this.#context = context;
    this.#inFlight = new InFlight(this.#most);
  }

  async connect(): Promise<void> {
    const name = `ebb ${this.#context.namespace}/${this.#context.name}`;
    const lost = Promise.withResolvers<Error>();
    const client = await connectPostgres(this.#settings, { name, lost: lost.resolve });
    client.on("notification", (notification) => this.#take(client, notification));
    for (const channel of this.#channels) await client.query(`LISTEN ${quoted(channel)}`);
    [this.#client, this.#lost, this.#held] = [client, lost, false];
  }

  /** Comes back by itself, so that it can say from when to when it was away. */
  async stayConnected(): Promise<void> {
    const { clock, signal, log } = this.#context;
    const closing = Promise.withResolvers<undefined>();
    signal.addEventListener("abort", () => closing.resolve(undefined), { once: true });
    while (!signal.aborted) {
      const error = await Promise.race([this.#lost.promise, closing.promise]);
      if (!error) return;
      const from = new Date(clock.now()).toISOString();
      this.#context.report({ connected: false, trouble: `${error.message}; what is notified meanwhile is lost` });
      if (!(await this.#comeBack())) return;
      const gap = `${from} to ${new Date(clock.now()).toISOString()}`;
      log.warn("notifications of PostgreSQL were missed", { from, channels: this.#channels.join(", ") });
      this.#context.report({ connected: true, facts: { "postgres.missed": gap } });
    }
  }

  async #comeBack(): Promise<boolean> {
    const { clock, signal } = this.#context;
    for (let waitMs = firstWaitMs; !signal.aborted; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
      await sleep(clock, waitMs, signal).catch(() => undefined);
      if (signal.aborted) return false;
      try {
        await this.connect();
        return true;
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        this.#context.report({ connected: false, trouble: `${why}; what is notified meanwhile is lost` });
      }
    }
    return false;
  }

  #take(client: Client, { channel, payload = "" }: Notification): void {
    this.#waiting += 1;
    this.#holdOrGo(client);
    const body = Buffer.from(payload);
    const event = {
      specversion: "1.0",
      // Notifications have no names; equal ones are as many.
      id: randomUUID(),
      source: this.#context.sourceOf(),
      type: notificationEventType,
      subject: channel,
      time: new Date(this.#context.clock.now()).toISOString(),
      ...(body.length === 0 ? {} : { datacontenttype: contentTypeOf(body), data: body }),
    };
    void this.#inFlight.run(async () => {
      if (!this.#context.signal.aborted) await untilTaken(this.#context, event);
      this.#waiting -= 1;
      if (this.#client) this.#holdOrGo(this.#client);
    });
  }

  /** What is not read waits in PostgreSQL's queue. */
  #holdOrGo(client: Client): void {
    const isFull = this.#waiting >= this.#most * 4;
    if (isFull === this.#held) return;
    this.#held = isFull;
    const { stream } = wireOf(client);
    if (isFull) stream.pause();
    else stream.resume();
  }

  async close(): Promise<void> {
    await this.#inFlight.idle();
    await this.#client?.end().catch(() => undefined);
  }
}
