/**
 * RedisStreamSource: one consumer of a group, whose position is Redis's. An entry is acknowledged when the sink has it;
 * what was under way when a reader died is read again, by itself or, in a group of several, by another (XAUTOCLAIM).
 */
import { isUtf8 } from "node:buffer";
import type { CloudEvent } from "../../../api/cloudevents/cloud-event.ts";
import type { RedisStreamSourceSpec } from "../../../api/sources/types-stores.gen.ts";
import { pullLoop } from "../pull-loop.ts";
import type { Resolved } from "../resolved-settings.ts";
import type { SourceContext, SourceReader } from "../source-reader.ts";
import { untilTaken } from "../until-taken.ts";
import { openRedis } from "./open-redis.ts";
import { blockMs, redisComplaint, type RedisConnection, type Reply } from "./redis-connection.ts";

type Settings = Resolved<RedisStreamSourceSpec> & { readonly address: string; readonly stream: string };

const eventType = "dev.knative.sources.redisstream";
/** An entry that a consumer has not settled or asked for again in so long belongs to whoever claims it. */
const abandonedMs = 60_000;

export const redisStreamReader: SourceReader = {
  kind: "RedisStreamSource",
  leftBehind(given, uid) {
    const { stream, group } = given as Settings;
    return group
      ? `redis-cli XGROUP DELCONSUMER ${stream} ${group} ebb-${uid}`
      : `redis-cli XGROUP DESTROY ${stream} ebb-${uid}`;
  },
  open(given, context) {
    const settings = given as Settings;
    return openRedis(settings, context, async (commands) => {
      const group = new GroupReader(settings, context, commands);
      await group.bring("$");
      const { consumers = 1 } = settings;
      return {
        // Told to read with nobody, it keeps the group: Redis keeps what comes.
        ...(consumers === 0 ? {} : { read: (blocking) => group.read(blocking, consumers) }),
        forget: () => group.forget(),
      };
    });
  },
};

interface Entry {
  readonly id: string;
  /** Names and values in turn; undefined: it was deleted or trimmed before it was delivered. */
  readonly fields: readonly Buffer[] | undefined;
}

class GroupReader {
  readonly #settings: Settings;
  readonly #context: SourceContext;
  readonly #commands: RedisConnection;
  readonly #group: string;
  readonly #consumer: string;
  readonly #underWay = new Set<string>();
  /** Behind which id own pending entries are read; undefined: all of them are under way. */
  #own: string | undefined = "0";
  #claimedMs: number;

  constructor(settings: Settings, context: SourceContext, commands: RedisConnection) {
    this.#settings = settings;
    this.#context = context;
    this.#commands = commands;
    this.#group = settings.group || `ebb-${context.uid}`;
    this.#consumer = `ebb-${context.uid}`;
    this.#claimedMs = context.clock.steadyMs();
  }

  /** Makes the group, and the stream with it, where they are missing; it begins with what comes after `from`. */
  async bring(from: "$" | "0"): Promise<void> {
    const { stream } = this.#settings;
    try {
      await this.#commands.run("XGROUP", "CREATE", stream, this.#group, from, "MKSTREAM");
    } catch (error) {
      if (error instanceof Error && error.message.startsWith("BUSYGROUP")) return;
      throw redisComplaint(error, `the stream "${stream}" cannot be read by group "${this.#group}"`);
    }
  }

  async read(blocking: RedisConnection, most: number): Promise<void> {
    const { signal, clock } = this.#context;
    let cancel = (): void => undefined;
    const keep = (): void => {
      cancel = clock.after(abandonedMs / 3, keep);
      void this.#keepUnderWay();
    };
    cancel = clock.after(abandonedMs / 3, keep);
    try {
      const next = (room: number): Promise<readonly Entry[]> => this.#next(blocking, room);
      await pullLoop<Entry>({ most, signal, next, carry: (entry) => this.#carry(entry) });
    } finally {
      cancel();
    }
  }

  /** First what this consumer had under way when it died, then now and then what others left, else what is new. */
  async #next(blocking: RedisConnection, room: number): Promise<readonly Entry[]> {
    try {
      if (this.#own !== undefined) return this.#news(await this.#pending(room));
      const { clock } = this.#context;
      if (clock.steadyMs() - this.#claimedMs > abandonedMs / 2) {
        this.#claimedMs = clock.steadyMs();
        const claimed = await this.#claim(room);
        if (claimed.length > 0) return claimed;
      }
      return this.#news(await this.#readGroup(blocking, room, ["BLOCK", blockMs], ">"));
    } catch (error) {
      if (this.#context.signal.aborted) return [];
      // The stream was deleted, and its group with it: all that comes is new.
      if (!(error instanceof Error) || !/^(NOGROUP|UNBLOCKED)/.test(error.message)) throw error;
      await this.bring("0");
      return [];
    }
  }

  /** What is not yet under way; it is from here on. */
  #news(entries: readonly Entry[]): readonly Entry[] {
    const fresh = entries.filter(({ id }) => !this.#underWay.has(id));
    for (const { id } of fresh) this.#underWay.add(id);
    return fresh;
  }

  async #pending(room: number): Promise<readonly Entry[]> {
    const entries = await this.#readGroup(this.#commands, room, [], this.#own ?? "0");
    this.#own = entries.at(-1)?.id;
    return entries;
  }

  async #readGroup(
    connection: RedisConnection,
    count: number,
    options: readonly (string | number)[],
    after: string,
  ): Promise<readonly Entry[]> {
    const { stream } = this.#settings;
    const group = ["GROUP", this.#group, this.#consumer, "COUNT", count, ...options];
    const reply = await connection.run("XREADGROUP", ...group, "STREAMS", stream, after);
    return listOf(reply).flatMap((one) => listOf(listOf(one)[1] ?? null).map(entryOf));
  }

  async #claim(room: number): Promise<readonly Entry[]> {
    const { stream } = this.#settings;
    const [, entries = null, deleted = null] = listOf(
      await this.#commands.run("XAUTOCLAIM", stream, this.#group, this.#consumer, abandonedMs, "0", "COUNT", room),
    );
    for (const id of listOf(deleted)) await this.#acknowledge(String(id));
    // Redis 6 has nothing in place of what was deleted.
    return this.#news(
      listOf(entries)
        .filter((entry) => entry !== null)
        .map(entryOf),
    );
  }

  /** Whoever else reads in this group is not to take them for abandoned. */
  async #keepUnderWay(): Promise<void> {
    if (this.#underWay.size === 0) return;
    const { stream } = this.#settings;
    try {
      await this.#commands.run("XCLAIM", stream, this.#group, this.#consumer, 0, ...this.#underWay, "JUSTID");
    } catch (error) {
      this.#context.log.debug("entries that are under way could not be kept", { err: error });
    }
  }

  async #carry({ id, fields }: Entry): Promise<void> {
    try {
      if (!fields || (await untilTaken(this.#context, this.#eventOf(id, fields)))) await this.#acknowledge(id);
    } finally {
      this.#underWay.delete(id);
    }
  }

  async #acknowledge(id: string): Promise<void> {
    await this.#commands.run("XACK", this.#settings.stream, this.#group, id);
  }

  #eventOf(id: string, fields: readonly Buffer[]): CloudEvent {
    const texts = fields.map((field) => field.toString("utf8"));
    const isText = fields.every((field) => isUtf8(field));
    const time = Number(id.split("-")[0]);
    return {
      specversion: "1.0",
      id,
      source: this.#context.sourceOf(),
      type: eventType,
      datacontenttype: "application/json",
      ...(time > 0 && time < 8.64e15 ? { time: new Date(time).toISOString() } : {}),
      // What is no text would not come back as it was.
      ...(isText ? {} : { redisencoding: "base64" }),
      data: Buffer.from(JSON.stringify(isText ? texts : fields.map((field) => field.toString("base64")))),
    };
  }

  /** A group of the source's own goes with it; of another one only the consumer, if it has nothing pending. */
  async forget(): Promise<void> {
    const { stream, group } = this.#settings;
    if (!group) return void (await this.#commands.run("XGROUP", "DESTROY", stream, this.#group));
    const pending = await this.#commands.run("XPENDING", stream, group, "-", "+", 1, this.#consumer);
    if (listOf(pending).length === 0) await this.#commands.run("XGROUP", "DELCONSUMER", stream, group, this.#consumer);
  }
}

const listOf = (reply: Reply): readonly Reply[] => (Array.isArray(reply) ? reply : []);

function entryOf(reply: Reply): Entry {
  const [id = null, fields = null] = listOf(reply);
  const values = listOf(fields).filter((value): value is Buffer => Buffer.isBuffer(value));
  return { id: String(id), fields: fields === null ? undefined : values };
}
