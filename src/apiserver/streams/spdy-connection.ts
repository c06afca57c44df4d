/**
 * The server's end of a SPDY/3.1 connection as kubectl uses it: the client opens streams, each is a duplex here. Like
 * the Go library on the other end it knows no flow control; SETTINGS and WINDOW_UPDATE are passed over.
 */
import { Duplex } from "node:stream";
import { controlFrame, dataFrame, FrameReader, frameType, words, type SpdyFrame } from "./spdy-frames.ts";
import { HeaderReader, HeaderWriter, type SpdyHeaders } from "./spdy-headers.ts";

/** Unread bytes over all streams of a connection at which the client has to wait. */
const maxUnreadBytes = 8 * 1024 * 1024;
const maxDataBytes = 0xffffff;
const maxStreams = 1000;
/** RST_STREAM status codes. */
const refusedStream = 3;
const cancel = 5;

const noHeaders: SpdyHeaders = new Map();

/** One stream: ends when the client half-closes it, half-closes when it is ended. */
export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: SpdyHeaders;
  readonly #connection: SpdyConnection;
  #isReset = false;
  #clientEnded = false;

  constructor(connection: SpdyConnection, id: number, headers: SpdyHeaders) {
    super({ allowHalfOpen: true });
    this.#connection = connection;
    this.id = id;
    this.headers = headers;
  }

  /** Called by the connection; what comes after the client's end is passed over. */
  fromClient(data: Buffer, fin: boolean): void {
    if (this.destroyed || this.#clientEnded) return;
    if (data.length > 0) this.push(data);
    if (!fin) return;
    this.#clientEnded = true;
    this.push(null);
  }

  /** Called by the connection. */
  reset(): void {
    this.#isReset = true;
    this.destroy();
  }

  override _read(): void {
    this.#connection.wasRead();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const last = chunk.length - (chunk.length % maxDataBytes || maxDataBytes);
    for (let at = 0; at < last; at += maxDataBytes) {
      this.#connection.send(dataFrame(this.id, chunk.subarray(at, at + maxDataBytes), false));
    }
    this.#connection.send(dataFrame(this.id, chunk.subarray(Math.max(0, last)), false), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#connection.send(dataFrame(this.id, Buffer.alloc(0), true), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const isOver = this.readableEnded && this.writableFinished;
    if (!isOver && !this.#isReset) this.#connection.send(controlFrame(frameType.rstStream, words(this.id, cancel)));
    this.#connection.forget(this.id);
    done(error);
  }
}

/** Opened by `serve`, which ends with the transport; `close` ends it from here. */
export class SpdyConnection {
  readonly #transport: Duplex;
  readonly #streams = new Map<number, SpdyStream>();
  readonly #frames = new FrameReader();
  readonly #headerReader = new HeaderReader();
  readonly #headerWriter = new HeaderWriter();
  readonly #onStream: (stream: SpdyStream) => void;
  #lastStreamId = 0;
  #resume: (() => void) | undefined;

  constructor(transport: Duplex, onStream: (stream: SpdyStream) => void) {
    this.#transport = transport;
    this.#onStream = onStream;
  }

  /** Reads frames until the client is gone or the connection is closed; every stream has ended then. */
  async serve(head: Buffer): Promise<void> {
    try {
      for (const frame of this.#frames.read(head)) await this.#take(frame);
      for await (const chunk of this.#transport) {
        for (const frame of this.#frames.read(chunk as Buffer)) await this.#take(frame);
        if (this.#unreadBytes() > maxUnreadBytes) await new Promise<void>((resolve) => (this.#resume = resolve));
      }
    } finally {
      this.#headerReader.close();
      for (const stream of this.#streams.values()) stream.reset();
      this.#transport.destroy();
    }
  }

  /** Says goodbye and ends the transport once everything written is out. */
  close(): void {
    if (this.#transport.writableEnded || this.#transport.destroyed) return;
    this.#transport.end(controlFrame(frameType.goAway, words(this.#lastStreamId, 0)));
  }

  send(frame: Buffer, done: (error?: Error | null) => void = () => undefined): void {
    if (this.#transport.writableEnded || this.#transport.destroyed) return done();
    if (this.#transport.write(frame)) return done();
    const proceed = (): void => {
      this.#transport.off("drain", proceed);
      this.#transport.off("close", proceed);
      done();
    };
    this.#transport.on("drain", proceed);
    this.#transport.on("close", proceed);
  }

  forget(streamId: number): void {
    this.#streams.delete(streamId);
    this.wasRead();
  }

  wasRead(): void {
    if (!this.#resume || this.#unreadBytes() > maxUnreadBytes) return;
    this.#resume();
    this.#resume = undefined;
  }

  #unreadBytes(): number {
    let bytes = 0;
    for (const stream of this.#streams.values()) bytes += stream.readableLength;
    return bytes;
  }

  async #take(frame: SpdyFrame): Promise<void> {
    if (frame.kind === "data") return this.#streams.get(frame.streamId)?.fromClient(frame.data, frame.fin);
    const { type, body, fin } = frame;
    switch (type) {
      case frameType.synStream:
        return this.#open(body, fin);
      case frameType.headers:
      case frameType.synReply:
        // Nothing here asks for them, but the header stream goes on through every block.
        await this.#headerReader.read(body.subarray(4));
        return;
      case frameType.rstStream:
        this.#streams.get(body.readUInt32BE(0) & 0x7fffffff)?.reset();
        return;
      case frameType.ping:
        this.send(controlFrame(frameType.ping, body));
        return;
      default:
        // GOAWAY comes before the client hangs up; the rest is flow control.
        return;
    }
  }

  async #open(body: Buffer, fin: boolean): Promise<void> {
    const id = body.readUInt32BE(0) & 0x7fffffff;
    const headers = await this.#headerReader.read(body.subarray(10));
    if (this.#streams.size >= maxStreams) {
      this.send(controlFrame(frameType.rstStream, words(id, refusedStream)));
      return;
    }
    this.#lastStreamId = id;
    const stream = new SpdyStream(this, id, headers);
    // A stream that breaks is its user's to notice; without a listener it would take the process down.
    stream.on("error", () => stream.destroy());
    this.#streams.set(id, stream);
    const reply = Buffer.concat([words(id), this.#headerWriter.write(noHeaders)]);
    this.send(controlFrame(frameType.synReply, reply));
    if (fin) stream.fromClient(Buffer.alloc(0), true);
    this.#onStream(stream);
  }
}
