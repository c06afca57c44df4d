/**
 * Several byte streams over one WebSocket: every message begins with its channel. Binary messages carry the number as
 * their first byte, those of the base64 protocols as a digit before base64 text (sheet §12; apimachinery wsstream).
 */
import { Duplex, Readable, Writable } from "node:stream";
import type { RawData, WebSocket } from "ws";

/** Names a channel whose other side has closed, v5 only. */
const closeChannel = 255;

export interface ChannelOptions {
  readonly base64: boolean;
  /** v5: a message on channel 255 half-closes the channel it names. */
  readonly canClose: boolean;
}

/** Unread bytes of a channel at which the client has to wait. */
const highWaterMark = 256 * 1024;

/** The channels of one WebSocket. Channels that are not opened for reading are thrown away. */
export class Channels {
  readonly #webSocket: WebSocket;
  readonly #options: ChannelOptions;
  readonly #readers = new Map<number, Readable>();
  readonly #closed = new Set<number>();
  readonly #gone = new AbortController();

  constructor(webSocket: WebSocket, options: ChannelOptions) {
    this.#webSocket = webSocket;
    this.#options = options;
    webSocket.on("message", (data, isBinary) => this.#take(data, isBinary));
    webSocket.on("close", () => {
      for (const channel of this.#readers.keys()) this.#closeReader(channel);
      this.#gone.abort(new Error("the client has closed the connection"));
    });
  }

  /** Fires when the connection is over, from either side. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  /** What the client sends on a channel; ends when it closes it or goes. */
  reader(channel: number): Readable {
    const reader = new Readable({ highWaterMark, read: () => this.#webSocket.resume() });
    this.#readers.set(channel, reader);
    return reader;
  }

  writer(channel: number): Writable {
    return new Writable({
      decodeStrings: true,
      write: (chunk: Buffer, _encoding, done) => this.send(channel, chunk, done),
    });
  }

  /** A channel read from and written to; what is written after the client has gone is dropped. */
  duplex(channel: number): Duplex {
    const duplex = new Duplex({
      readableHighWaterMark: highWaterMark,
      read: () => this.#webSocket.resume(),
      write: (chunk: Buffer, _encoding, done) => this.send(channel, chunk, done),
    });
    this.#readers.set(channel, duplex);
    return duplex;
  }

  /** Sends one message. A connection that is over takes everything and sends nothing. */
  send(channel: number, data: Uint8Array, done: (error?: Error) => void = () => undefined): void {
    if (this.#webSocket.readyState !== this.#webSocket.OPEN) return done();
    if (this.#options.base64) {
      this.#webSocket.send(`${channel}${Buffer.from(data).toString("base64")}`, () => done());
    } else {
      this.#webSocket.send(Buffer.concat([Buffer.from([channel]), data]), { binary: true }, () => done());
    }
  }

  /** A clean end. */
  close(): void {
    this.#webSocket.close(1000);
  }

  #take(data: RawData, isBinary: boolean): void {
    const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer);
    if (bytes.length === 0) return;
    const asText = this.#options.base64 && !isBinary;
    const channel = asText ? (bytes[0] ?? 0) - 48 : (bytes[0] ?? 0);
    const body = asText ? Buffer.from(bytes.toString("latin1", 1), "base64") : bytes.subarray(1);
    if (channel === closeChannel && this.#options.canClose) {
      return this.#closeReader(body[0] ?? 0);
    }
    const reader = this.#readers.get(channel);
    if (!reader || reader.destroyed || this.#closed.has(channel) || body.length === 0) return;
    if (!reader.push(body)) this.#webSocket.pause();
  }

  #closeReader(channel: number): void {
    if (this.#closed.has(channel)) return;
    this.#closed.add(channel);
    this.#readers.get(channel)?.push(null);
  }
}
