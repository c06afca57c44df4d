import { Socket, connect, type NetConnectOpts, type SocketConstructorOpts } from "node:net";
import type { InstanceAddress } from "../instance.ts";
import { latin1 } from "./latin1.ts";

/** Bytes of a read. Every idle or chatty connection reads into one shared buffer; a bulky one gets its own. */
const readBytes = 65_536;
/** Up to this many bytes are passed on as a string, which the kernel or libuv copies: no buffer stays lent. */
const copyBytes = 8192;
/** A connection that brings this much at once is bulky. */
const bulkyBytes = 16_384;
/** Own buffers kept for the next bulky connection. */
const keptBuffers = 64;

/** The read buffers of one router (one thread). */
export class ReadBuffers {
  readonly shared: Buffer = Buffer.allocUnsafeSlow(readBytes);
  readonly #free: Buffer[] = [];
  /** Told of an error thrown while handling bytes: a fault of ours, which ends that connection and no other. */
  readonly onFault: (error: unknown) => void;

  constructor(onFault: (error: unknown) => void) {
    this.onFault = onFault;
  }

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(readBytes);
  }

  give(buffer: Buffer): void {
    if (this.#free.length < keptBuffers) this.#free.push(buffer);
  }
}

/** What a connection does with what comes in. Bytes are only there during the call, unless they are passed to send. */
export interface WireEvents {
  bytes(bytes: Buffer, length: number): void;
  /** The other side will send no more. */
  ended(): void;
  /** The connection is gone; called once, also after an orderly end. */
  closed(cause: Error | undefined): void;
}

/** An accepted socket, as far as taking its handle over goes: Node has `onread` only for sockets one makes oneself. */
interface HandleHolder {
  _handle: unknown;
}

/**
 * A TCP connection on the hot path: reads without allocating, passes bytes on without copying where it can, and holds
 * its reads while the connection it feeds is behind (memory per direction: one read buffer).
 */
export class Wire {
  readonly socket: Socket;
  readonly #buffers: ReadBuffers;
  #own: Buffer | undefined;
  /** Where the next read goes, when that changes. */
  #next: Buffer | undefined;
  /** An own buffer given up: returned once it is neither read into nor written from. */
  #retired: { readonly buffer: Buffer; readonly to: Wire | undefined; reading: boolean } | undefined;
  #hasRead = false;
  #held = false;
  #cause: Error | undefined;

  private constructor(buffers: ReadBuffers, events: WireEvents, make: (onread: object) => Socket) {
    this.#buffers = buffers;
    const socket = make({
      buffer: () => this.#nextBuffer(),
      callback: (length: number, bytes: Buffer) => {
        this.#hasRead = true;
        try {
          events.bytes(bytes, length);
        } catch (error) {
          buffers.onFault(error);
          socket.destroy();
        }
        return true;
      },
    });
    this.socket = socket;
    socket.on("end", () => events.ended());
    socket.on("error", (error) => (this.#cause = error));
    socket.on("close", () => {
      this.#letGo();
      events.closed(this.#cause);
    });
  }

  /** Takes over a socket that a server (with `pauseOnConnect`) has just accepted. Reading starts with {@link start}. */
  static accepted(buffers: ReadBuffers, socket: Socket, events: WireEvents): Wire {
    const holder = socket as unknown as HandleHolder;
    const handle = holder._handle;
    holder._handle = null;
    const wire = new Wire(
      buffers,
      events,
      (onread) => new Socket({ handle, onread, allowHalfOpen: true } as SocketConstructorOpts),
    );
    // The server counts the socket it made; that one ends when ours does.
    wire.socket.on("close", () => socket.destroy());
    return wire;
  }

  /**
   * Takes over a socket whose bytes are not the connection's own (TLS): each read is a buffer of its own. Reading starts
   * by itself.
   */
  static over(buffers: ReadBuffers, socket: Socket, events: WireEvents): Wire {
    return new Wire(buffers, events, (onread) => {
      const { callback } = onread as { readonly callback: (length: number, bytes: Buffer) => boolean };
      return socket.on("data", (bytes: Buffer) => callback(bytes.length, bytes));
    });
  }

  static connecting(buffers: ReadBuffers, to: InstanceAddress, events: WireEvents): Wire {
    const where = to.path === undefined ? { host: to.host, port: to.port, noDelay: true } : { path: to.path };
    return new Wire(buffers, events, (onread) => connect({ ...where, allowHalfOpen: true, onread } as NetConnectOpts));
  }

  start(): void {
    this.socket.resume();
  }

  get held(): boolean {
    return this.#held;
  }

  /** Stops reading until {@link release}. */
  hold(): void {
    if (this.#held) return;
    this.#held = true;
    this.socket.pause();
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    if (!this.socket.destroyed) this.socket.resume();
  }

  /** Passes on bytes that were just read here. While `to` is behind, nothing more is read. */
  send(to: Wire, bytes: Buffer, from: number, end: number): void {
    const { socket } = to;
    const length = end - from;
    if (length <= copyBytes) {
      socket.write(latin1(bytes, from, end), "latin1");
      if (socket.writableNeedDrain) this.holdFor(to);
      return;
    }
    const view = bytes.subarray(from, end);
    const written = (): void => this.#written(to);
    if (bytes === this.#own) socket.write(view, written);
    else {
      socket.write(Buffer.from(view), written);
      if (length >= bulkyBytes && bytes === this.#buffers.shared) this.#bulk();
    }
    if (socket.writableLength > 0) this.hold();
  }

  /** Reads no more until `to` has written what it was given. */
  holdFor(to: Wire): void {
    this.hold();
    to.socket.once("drain", () => this.release());
  }

  /** The bulky part is over: back to the shared buffer. `to`: where its last bytes may still be on their way. */
  slim(to: Wire | undefined): void {
    if (this.#own === undefined) return;
    this.#retired = { buffer: this.#own, to, reading: true };
    this.#own = undefined;
    this.#next = this.#buffers.shared;
  }

  #bulk(): void {
    if (this.#own !== undefined) return;
    this.#own = this.#buffers.take();
    this.#next = this.#own;
  }

  #written(to: Wire): void {
    if (to.socket.writableLength > 0) return;
    this.#giveBack();
    this.release();
  }

  #giveBack(): void {
    const retired = this.#retired;
    if (retired === undefined || retired.reading) return;
    if (retired.to !== undefined && retired.to.socket.writableLength > 0 && !retired.to.socket.destroyed) return;
    this.#retired = undefined;
    this.#buffers.give(retired.buffer);
  }

  /** Node asks when the connection is made and after every read; anything but a buffer means the same one again. */
  #nextBuffer(): Buffer | undefined {
    if (!this.#hasRead) return this.#buffers.shared;
    const next = this.#next;
    if (next === undefined) return undefined;
    this.#next = undefined;
    if (this.#retired !== undefined) {
      this.#retired.reading = false;
      this.#giveBack();
    }
    return next;
  }

  #letGo(): void {
    if (this.#own !== undefined) this.#buffers.give(this.#own);
    this.#own = undefined;
  }
}
