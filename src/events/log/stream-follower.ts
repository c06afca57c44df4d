import type { ConsumerMessages, JetStreamClient, JsMsg } from "@nats-io/jetstream";
import type { Clock } from "../../client/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";

export interface FollowerDeps {
  readonly js: JetStreamClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** JetStream's name. */
  readonly stream: string;
  /** Newest record that is known. */
  last(): number;
  /** Called in order and without gaps, also with records that are known. */
  take(message: JsMsg): void;
}

const lookMs = 100;
/** Appended by this process from one look to the next: from here on following rests, below that it goes on. */
const [much, little] = [100, 10];
/** Somebody else appends too: following goes on for so long at least. */
const foreignMs = 10_000;
const againMs = 200;
/** What was acknowledged to this process has not come round for so long: the consumer went with its server. */
const stuckMs = 2000;
/** The server shows that often that it is there; the client gives up after two that did not come. */
const heartbeatMs = 2000;

/**
 * Gets what is appended to a stream, by whomever. While this process appends much and nobody else does, that would be
 * its own events coming round, at a third of the cost of an append: then it rests. The numbers that JetStream gives to
 * this process's events have a gap as soon as somebody else appends.
 */
export class StreamFollower {
  readonly #deps: FollowerDeps;
  #messages: ConsumerMessages | undefined;
  #own = 0;
  #resting: { readonly over: Promise<void>; end(): void } | undefined;
  #notBeforeMs = 0;
  #awaited: { readonly seq: number; readonly sinceMs: number } | undefined;
  #cancelLook: (() => void) | undefined;
  #ended = false;

  constructor(deps: FollowerDeps) {
    this.#deps = deps;
  }

  start(): void {
    void this.#run();
  }

  /** This process appended something, right behind what is known. */
  appended(): void {
    this.#own += 1;
    this.#lookLater();
  }

  /** This process's event got that number, and one before it is not known: somebody else appended. */
  skippedTo(seq: number): void {
    const now = this.#deps.clock.now();
    this.#notBeforeMs = now + foreignMs;
    if (this.#resting) this.#goOn();
    this.#awaited ??= { seq, sinceMs: now };
    this.#lookLater();
  }

  end(): void {
    this.#ended = true;
    this.#cancelLook?.();
    this.#messages?.stop();
    this.#goOn();
  }

  #lookLater(): void {
    if (this.#ended) return;
    this.#cancelLook ??= this.#deps.clock.after(lookMs, () => this.#look());
  }

  #look(): void {
    this.#cancelLook = undefined;
    const own = this.#own;
    this.#own = 0;
    if (this.#resting && own < little) this.#goOn();
    else if (!this.#resting && own >= much && this.#deps.clock.now() >= this.#notBeforeMs) this.#rest();
    this.#checkAwaited();
    if (this.#resting || this.#awaited) this.#lookLater();
  }

  #checkAwaited(): void {
    if (!this.#awaited) return;
    const now = this.#deps.clock.now();
    if (this.#awaited.seq <= this.#deps.last()) this.#awaited = undefined;
    else if (now - this.#awaited.sinceMs > stuckMs) {
      this.#awaited = { seq: this.#awaited.seq, sinceMs: now };
      this.#messages?.stop();
    }
  }

  #rest(): void {
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    this.#resting = { over, end };
    this.#messages?.stop();
  }

  #goOn(): void {
    this.#resting?.end();
    this.#resting = undefined;
  }

  async #run(): Promise<void> {
    const { stream, clock, log } = this.#deps;
    while (!this.#ended) {
      await this.#resting?.over;
      try {
        await this.#follow();
      } catch (err) {
        if (this.#ended) return;
        log.warn("a stream of events is not followed, and is tried again", { stream, err });
      }
      if (!this.#ended && !this.#resting) await new Promise<void>((resolve) => clock.after(againMs, resolve));
    }
  }

  async #follow(): Promise<void> {
    const { js, stream, last, take } = this.#deps;
    const consumer = await js.consumers.get(stream, {
      deliver_policy: "by_start_sequence",
      opt_start_seq: last() + 1,
    });
    try {
      if (this.#ended || this.#resting) return;
      const messages = (this.#messages = await consumer.consume({ max_messages: 500, idle_heartbeat: heartbeatMs }));
      void endWhenSilent(messages);
      for await (const message of messages) take(message);
    } finally {
      this.#messages = undefined;
      // The server would end it by itself five minutes later.
      consumer.delete().catch(() => undefined);
    }
  }
}

/** The client would ask after the consumer every half a minute; another one can be had at once. */
async function endWhenSilent(messages: ConsumerMessages): Promise<void> {
  for await (const { type } of messages.status()) if (type === "heartbeats_missed") messages.stop();
}
