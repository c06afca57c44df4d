/**
 * RedisListSource: an item moves to a list of its own while it is delivered (BLMOVE) and leaves that one when the sink has
 * it, so that none is lost whoever dies when.
 */
import { randomUUID } from "node:crypto";
import type { CloudEvent } from "../../../api/cloudevents/cloud-event.ts";
import type { RedisListSourceSpec } from "../../../api/sources/types-stores.gen.ts";
import { contentTypeOf, structuredEventIn } from "../plain-body.ts";
import { pullLoop } from "../pull-loop.ts";
import type { Resolved } from "../resolved-settings.ts";
import type { SourceContext, SourceReader } from "../source-reader.ts";
import { untilTaken } from "../until-taken.ts";
import { openRedis } from "./open-redis.ts";
import { blockMs, redisComplaint, type RedisConnection, type Reply } from "./redis-connection.ts";

type Settings = Resolved<RedisListSourceSpec> & { readonly address: string; readonly list: string };

const eventType = "dev.ebb.sources.redislist";
const defaultInFlight = 16;

export const redisListReader: SourceReader = {
  kind: "RedisListSource",
  leftBehind(given, uid) {
    const { list, processingList } = given as Settings;
    return `redis-cli LMOVE ${processingList || `${list}:ebb:${uid}`} ${list} LEFT RIGHT, until it answers (nil)`;
  },
  open(given, context) {
    const settings = given as Settings;
    return openRedis(settings, context, async (commands) => {
      const list = new ListReader(settings, context, commands);
      await list.takeLeft();
      return { read: (blocking) => list.read(blocking), forget: () => list.giveBack() };
    });
  },
};

class ListReader {
  readonly #settings: Settings;
  readonly #context: SourceContext;
  readonly #commands: RedisConnection;
  readonly #processing: string;
  /** The end that items are taken from. */
  readonly #end: "LEFT" | "RIGHT";
  /** What was under way when a reader died, the oldest first. */
  #left: Buffer[] = [];

  constructor(settings: Settings, context: SourceContext, commands: RedisConnection) {
    this.#settings = settings;
    this.#context = context;
    this.#commands = commands;
    this.#processing = settings.processingList || `${settings.list}:ebb:${context.uid}`;
    this.#end = settings.end === "left" ? "LEFT" : "RIGHT";
  }

  async takeLeft(): Promise<void> {
    const { list } = this.#settings;
    try {
      const [left] = [
        await this.#commands.run("LRANGE", this.#processing, 0, -1),
        await this.#commands.run("LLEN", list),
      ];
      this.#left = buffersOf(left).toReversed();
    } catch (error) {
      throw redisComplaint(error, `the list "${list}" or "${this.#processing}" cannot be read`);
    }
  }

  async read(blocking: RedisConnection): Promise<void> {
    const { list, maxInFlight = defaultInFlight } = this.#settings;
    const { signal } = this.#context;
    await pullLoop<Buffer>({
      most: maxInFlight,
      signal,
      next: async (room) => {
        if (this.#left.length > 0) return this.#left.splice(0, room);
        const move = [list, this.#processing, this.#end, "LEFT"] as const;
        try {
          return buffersOf([await blocking.run("BLMOVE", ...move, blockMs / 1000)]);
        } catch (error) {
          if (signal.aborted) return [];
          throw error;
        }
      },
      carry: (item) => this.#carry(item),
    });
  }

  async #carry(item: Buffer): Promise<void> {
    if (!(await untilTaken(this.#context, this.#eventOf(item)))) return;
    await this.#commands.run("LREM", this.#processing, -1, item);
  }

  /** An item that is an event in JSON is that event. Others get an id that is theirs until the reader dies. */
  #eventOf(item: Buffer): CloudEvent {
    return (
      structuredEventIn(item) ?? {
        specversion: "1.0",
        id: randomUUID(),
        source: this.#context.sourceOf(),
        type: eventType,
        datacontenttype: contentTypeOf(item),
        data: item,
      }
    );
  }

  /** Items that were not delivered go back to where they were taken. */
  async giveBack(): Promise<void> {
    const { list } = this.#settings;
    while ((await this.#commands.run("LMOVE", this.#processing, list, "LEFT", this.#end)) !== null);
  }
}

const buffersOf = (reply: Reply): Buffer[] =>
  Array.isArray(reply) ? reply.filter((value): value is Buffer => Buffer.isBuffer(value)) : [];
