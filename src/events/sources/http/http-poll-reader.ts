/** HttpPollSource: asks again and again, and sends what is new. What was sent and where the server was are remembered. */
import { createHash } from "node:crypto";
import type { CloudEvent } from "../../../api/cloudevents/cloud-event.ts";
import { parseDuration } from "../../../api/meta/duration.ts";
import { sleep } from "../../../client/clock.ts";
import { createJsonataPool, type JsonataPool } from "../../transform/jsonata-pool.ts";
import { contentTypeOf } from "../plain-body.ts";
import { pullLoop } from "../pull-loop.ts";
import type { SourceContext, SourceReader } from "../source-reader.ts";
import { untilTaken } from "../until-taken.ts";
import { createAsker, type Asker, type Fetched, type PollSettings } from "./http-ask.ts";

const defaultIntervalMs = 60_000;
/** A server that asks for patience gets no more than this. */
const longestWaitMs = 3_600_000;
/** What is remembered is written anew, lest it be taken for something that nobody wants any more. */
const renewMs = 24 * 3_600_000;
/** Ids of items that are no longer in the answer. */
const mostRemembered = 5000;

/** As it is kept; `seen` has the newest at its end. */
interface Memory {
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
  /** Of the last body that was sent, and how many were. */
  readonly bodyHash?: string | undefined;
  readonly count: number;
  readonly seen: readonly string[];
}

export const httpPollReader: SourceReader = {
  kind: "HttpPollSource",
  leavesNothing: true,
  async open(given, context) {
    const settings = given as PollSettings;
    const asker = createAsker(settings);
    const pool = settings.items ? createJsonataPool({ threads: 1 }, context) : undefined;
    const poll = new Poll(settings, context, { asker, pool });
    const end = async (): Promise<void> => {
      await asker.close();
      await pool?.close();
    };
    try {
      await poll.begin();
    } catch (error) {
      await end();
      throw error;
    }
    const ended = poll.follow();
    ended.catch((error: unknown) => context.signal.aborted || context.failed(error));
    return {
      async close() {
        await ended.catch(() => undefined);
        await end();
      },
    };
  },
};

interface Parts {
  readonly asker: Asker;
  readonly pool: JsonataPool | undefined;
}

class Poll {
  readonly #settings: PollSettings;
  readonly #context: SourceContext;
  readonly #asker: Asker;
  readonly #pool: JsonataPool | undefined;
  readonly #intervalMs: number;
  #memory: Memory = { count: 0, seen: [] };
  #isFirst = true;
  #writtenMs = 0;
  /** What the first question brought. */
  #fetched: Fetched | undefined;

  constructor(settings: PollSettings, context: SourceContext, { asker, pool }: Parts) {
    this.#settings = settings;
    this.#context = context;
    this.#asker = asker;
    this.#pool = pool;
    this.#intervalMs = parseDuration(settings.interval ?? "") ?? defaultIntervalMs;
  }

  /** Asks for the first time: an address that does not answer is told as one that cannot be opened. */
  async begin(): Promise<void> {
    const text = await this.#context.memory.read();
    if (text !== undefined) [this.#memory, this.#isFirst] = [JSON.parse(text) as Memory, false];
    this.#fetched = await this.#ask();
  }

  async #ask(): Promise<Fetched> {
    const { etag, lastModified } = this.#memory;
    return this.#asker.ask({ etag, lastModified }, this.#context.signal);
  }

  async follow(): Promise<void> {
    const { signal, clock } = this.#context;
    while (!signal.aborted) {
      let waitMs = this.#intervalMs;
      try {
        const fetched = this.#fetched ?? (await this.#ask());
        this.#fetched = undefined;
        if (fetched.kind === "wait") waitMs = Math.min(Math.max(waitMs, fetched.waitMs ?? 0), longestWaitMs);
        if (fetched.kind === "new") await this.#take(fetched);
        else if (clock.steadyMs() - this.#writtenMs > renewMs) await this.#remember(this.#memory);
        if (!signal.aborted)
          this.#context.report(
            fetched.kind === "wait" ? { connected: false, trouble: fetched.reason } : { connected: true },
          );
      } catch (error) {
        if (signal.aborted) return;
        this.#context.report({ connected: false, trouble: error instanceof Error ? error.message : String(error) });
      }
      await sleep(clock, waitMs, signal).catch(() => undefined);
    }
  }

  /** The place of the server is kept only when all of its answer was sent: after a crash it is asked for it again. */
  async #take(fetched: Extract<Fetched, { kind: "new" }>): Promise<void> {
    const isDone = this.#settings.items ? await this.#takeItems(fetched) : await this.#takeBody(fetched);
    if (!isDone) return;
    const { etag, lastModified } = fetched;
    await this.#remember({ ...this.#memory, etag, lastModified });
    this.#isFirst = false;
  }

  async #takeBody({ body, contentType }: Extract<Fetched, { kind: "new" }>): Promise<boolean> {
    const bodyHash = hashOf(body);
    const { count } = this.#memory;
    if (bodyHash === this.#memory.bodyHash) return true;
    const isSkipped = this.#isFirst && this.#settings.existing === "skip";
    const event = this.#eventOf(`${this.#context.uid}-${count + 1}`, body, contentType ?? contentTypeOf(body));
    if (!isSkipped && !(await untilTaken(this.#context, event))) return false;
    this.#memory = { ...this.#memory, bodyHash, count: count + 1 };
    return true;
  }

  async #takeItems({ body }: Extract<Fetched, { kind: "new" }>): Promise<boolean> {
    const items = await this.#itemsIn(body);
    const known = new Set(this.#memory.seen);
    const fresh = items.filter(({ id }) => !known.has(id));
    const isSkipped = this.#isFirst && this.#settings.existing === "skip";
    const sent = new Set(isSkipped ? fresh.map(({ id }) => id) : []);
    const queue = isSkipped ? [] : [...new Map(fresh.map((item) => [item.id, item])).values()];
    const ending = new AbortController();
    await pullLoop({
      most: this.#settings.maxInFlight ?? 1,
      signal: AbortSignal.any([this.#context.signal, ending.signal]),
      next: (room) => {
        if (queue.length === 0) ending.abort();
        return Promise.resolve(queue.splice(0, room));
      },
      carry: async ({ id, text }) => {
        const event = this.#eventOf(id, Buffer.from(text), "application/json");
        if (await untilTaken(this.#context, event)) sent.add(id);
      },
    });
    // What is still in the answer is kept whatever its number; the oldest of the rest are forgotten.
    const current = new Set(items.map(({ id }) => id).filter((id) => known.has(id) || sent.has(id)));
    const rest = this.#memory.seen.filter((id) => !current.has(id)).slice(-mostRemembered);
    await this.#remember({ ...this.#memory, seen: [...rest, ...current] });
    return queue.length === 0 && fresh.every(({ id }) => sent.has(id));
  }

  async #itemsIn(body: Buffer): Promise<readonly { readonly id: string; readonly text: string }[]> {
    const answer = body.toString("utf8");
    try {
      JSON.parse(answer);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`the answer of ${this.#settings.url} is not JSON, which spec.items needs: ${why}`, {
        cause: error,
      });
    }
    const { items = "", itemId } = this.#settings;
    const list = await this.#evaluate("items", `[(${items})]`, answer);
    const input = JSON.stringify({ list });
    const ids = itemId ? await this.#evaluate("itemId", `[$.list.{"id": (${itemId})}]`, input) : [];
    return list.map((item, at) => {
      const text = JSON.stringify(item);
      const id = (ids[at] as { readonly id?: unknown } | undefined)?.id;
      return { id: id === undefined || id === null || id === "" ? hashOf(Buffer.from(text)) : textOf(id), text };
    });
  }

  async #evaluate(field: string, expression: string, input: string): Promise<readonly unknown[]> {
    const result = await this.#pool?.evaluate(this.#context.uid, { expression, input });
    if (result?.kind === "failed") throw new Error(`spec.${field} cannot be evaluated: ${result.reason}`);
    const value: unknown = result?.json === undefined ? [] : JSON.parse(result.json);
    return Array.isArray(value) ? value : [];
  }

  #eventOf(id: string, data: Buffer, datacontenttype: string): CloudEvent {
    return {
      specversion: "1.0",
      id,
      source: this.#context.sourceOf(),
      type: this.#settings.eventType || "dev.ebb.sources.httppoll",
      time: new Date(this.#context.clock.now()).toISOString(),
      datacontenttype,
      data,
    };
  }

  async #remember(memory: Memory): Promise<void> {
    this.#memory = memory;
    this.#writtenMs = this.#context.clock.steadyMs();
    await this.#context.memory.write(JSON.stringify(memory));
  }
}

const hashOf = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex").slice(0, 32);
const textOf = (id: unknown): string => (typeof id === "string" ? id : JSON.stringify(id));
