import { createInbox, type Msg, type MsgHdrs, type NatsConnection } from "@nats-io/transport-node";
import type { Clock } from "../../client/clock.ts";
import { StoreFailure } from "./event-store.ts";

export interface PublishedMessage {
  readonly subject: string;
  /** As they go over the wire: `NATS/1.0`, a line each, an empty one. */
  readonly headers: Uint8Array;
  readonly payload: Uint8Array;
  /** Sending it twice stores it once. */
  readonly once: boolean;
}

export interface Acknowledged {
  readonly seq: number;
  readonly duplicate: boolean;
}

interface Pending extends PublishedMessage {
  readonly sinceMs: number;
  sent: boolean;
  sentMs: number;
  readonly resolve: (answer: Acknowledged) => void;
  readonly reject: (error: unknown) => void;
}

const timeoutMs = 5000;
const sweepMs = 500;
/** Unanswered for so long, it may have gone to a leader that died: sent again where that stores it once. */
const resendMs = 1500;
/** Nobody answered for the stream: its leader is being elected. */
const againMs = 100;

/**
 * Publishes to JetStream and hands out its acknowledgements. All of them come to one subscription, and what is published
 * in one turn of the event loop goes out in one write: the client's own requests cost four times as much. What was under
 * way when the connection broke is sent again on the next one, in its order.
 */
export class JetStreamPublisher {
  readonly #connection: NatsConnection;
  readonly #clock: Clock;
  readonly #inbox = `${createInbox()}.`;
  /** By the end of the subject that their answers go to; oldest first. */
  readonly #pending = new Map<string, Pending>();
  readonly #subscription: { unsubscribe(): void };
  #queue: string[] = [];
  #count = 0;
  #away = false;
  #closed = false;
  #cancelSweep: (() => void) | undefined;
  #cancelAgain: (() => void) | undefined;

  constructor(connection: NatsConnection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
    this.#subscription = connection.subscribe(`${this.#inbox}*`, {
      callback: (error, message) => {
        if (error) this.#failAll(error);
        else this.#answered(message);
      },
    });
    void this.#watch();
  }

  /** Rejects with what JetStream says, `code` being its own; or when it says nothing within five seconds. */
  publish(message: PublishedMessage): Promise<Acknowledged> {
    if (this.#closed) return Promise.reject(new StoreFailure("unavailable", "the event log is closed"));
    const most = this.#connection.info?.max_payload ?? Infinity;
    const size = message.headers.length + message.payload.length;
    if (size > most)
      return Promise.reject(new StoreFailure("large", `it has ${size} bytes; NATS takes ${most} (max_payload)`));
    return new Promise((resolve, reject) => {
      const token = (this.#count += 1).toString(36);
      const sinceMs = this.#clock.now();
      this.#pending.set(token, { ...message, sinceMs, sentMs: sinceMs, sent: false, resolve, reject });
      this.#queue.push(token);
      if (this.#queue.length === 1) setImmediate(() => this.#send());
      this.#sweepLater();
    });
  }

  #send(): void {
    const tokens = this.#queue;
    this.#queue = [];
    // All that is pending is sent when it is back.
    if (this.#away) return;
    for (const token of tokens) this.#sendOne(token);
  }

  #sendOne(token: string): void {
    const message = this.#pending.get(token);
    if (!message) return;
    try {
      message.sent = true;
      message.sentMs = this.#clock.now();
      this.#connection.publish(message.subject, message.payload, {
        reply: this.#inbox + token,
        headers: encoded(message.headers),
      });
    } catch (error) {
      this.#pending.delete(token);
      message.reject(error);
    }
  }

  #answered(message: Msg): void {
    const token = message.subject.slice(this.#inbox.length);
    const pending = this.#pending.get(token);
    if (!pending) return;
    // Nobody took it, so it may be sent again whatever it is.
    if (message.headers?.code === 503) {
      pending.sent = false;
      this.#cancelAgain ??= this.#clock.after(againMs, () => this.#sendUnsent());
      return;
    }
    this.#pending.delete(token);
    const answer = parseAnswer(message);
    if (answer instanceof Error) pending.reject(answer);
    else pending.resolve(answer);
  }

  #sendUnsent(): void {
    this.#cancelAgain = undefined;
    if (this.#away) return;
    for (const [token, { sent }] of this.#pending) if (!sent) this.#sendOne(token);
  }

  async #watch(): Promise<void> {
    for await (const { type } of this.#connection.status()) {
      if (type === "disconnect") this.#away = true;
      else if (type === "reconnect") this.#back();
    }
  }

  /** What was sent and not answered may be stored or not: only what can be sent twice is. */
  #back(): void {
    this.#away = false;
    for (const [token, message] of this.#pending) {
      if (!message.sent || message.once) this.#sendOne(token);
      else {
        this.#pending.delete(token);
        message.reject(new Error("the connection was lost before it answered"));
      }
    }
  }

  #sweepLater(): void {
    this.#cancelSweep ??= this.#clock.after(sweepMs, () => {
      this.#cancelSweep = undefined;
      const now = this.#clock.now();
      for (const [token, { sinceMs, sentMs, once, sent, reject }] of this.#pending) {
        if (now - sinceMs < resendMs) break;
        if (now - sinceMs >= timeoutMs) {
          this.#pending.delete(token);
          reject(new Error(`no answer within ${timeoutMs / 1000} s`));
        } else if (once && sent && !this.#away && now - sentMs >= resendMs) this.#sendOne(token);
      }
      if (this.#pending.size > 0) this.#sweepLater();
    });
  }

  #failAll(error: unknown): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelSweep?.();
    this.#cancelAgain?.();
    this.#failAll(new StoreFailure("unavailable", "the event log is closed"));
    if (!this.#connection.isClosed()) this.#subscription.unsubscribe();
  }
}

/** The client asks its headers for nothing but their bytes. */
const encoded = (bytes: Uint8Array): MsgHdrs => ({ encode: () => bytes }) as unknown as MsgHdrs;

interface Answer {
  readonly seq?: number;
  readonly duplicate?: boolean;
  readonly error?: { readonly err_code?: number; readonly description?: string };
}

function parseAnswer(message: Msg): Acknowledged | Error {
  let answer: Answer;
  try {
    answer = message.json<Answer>();
  } catch (error) {
    return new Error("its answer was not understood", { cause: error });
  }
  const { seq, duplicate = false, error } = answer;
  if (error) return Object.assign(new Error(error.description ?? "it refused"), { code: error.err_code });
  return seq === undefined ? new Error("its answer names no sequence number") : { seq, duplicate };
}
