import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Logger } from "../../telemetry/logger.ts";
import type { PeerDoor } from "../relays.ts";
import {
  type Challenge,
  type Hello,
  isProof,
  makeNonce,
  proveHello,
  proveWelcome,
  relayWord,
  type Welcome,
} from "./handshake.ts";
import { readLines, writeLine } from "./lines.ts";
import type { PeerStatement } from "./membership.ts";

export interface PeerLinksOptions {
  /** Of this process, unlike any other's, also before and after a restart. */
  readonly id: string;
  /** As the EndpointSlice names this router. */
  readonly name: string;
  /** Address under which the others find this router. */
  readonly host: string;
  /** Known to all routers of the cluster and nobody else. */
  readonly key: Buffer;
  /** Where this router takes the requests of others. */
  readonly relayPort: () => number;
  readonly log: Logger;
}

export interface PeerLinksEvents {
  /** This router can tell the peer things, and send it requests. */
  onLinked(id: string): void;
  onUnlinked(id: string): void;
  onStatement(id: string, statement: PeerStatement): void;
  /** The process has ended: nobody listens where it did, or another process does. */
  onEnded(id: string): void;
  /** A router this one has not heard of wants to be dialled back. */
  onStranger(name: string, address: PeerAddress): void;
  /** Nobody listens there, or (`refused` false) nobody answers. */
  onNobody(name: string, refused: boolean): void;
}

export interface PeerAddress {
  readonly host: string;
  readonly port: number;
}

const redialMs = 200;
const dialTimeoutMs = 2000;
/** An app hears of the end of a killed router's connections about when the others do: they wait this much longer. */
const graceMs = 250;
/** Requests of a peer whose link broke may still be on their way. */
const wordMs = 60_000;

/** The links of one router: it dials each of the others and tells it what it has to say; they dial it. */
export class PeerLinks {
  readonly #options: PeerLinksOptions;
  readonly #events: PeerLinksEvents;
  readonly #outgoing = new Map<string, Outgoing>();
  /** Peer process → its link to here. */
  readonly #incoming = new Map<string, Socket>();
  readonly #words = new Map<string, string>();
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;
  #closed = false;

  constructor(options: PeerLinksOptions, events: PeerLinksEvents) {
    this.#options = options;
    this.#events = events;
  }

  async listen(host: string, port: number): Promise<AddressInfo> {
    const server = createServer((socket) => this.#accept(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port }, resolve);
    });
    const address = server.address() as AddressInfo;
    this.#port = address.port;
    return address;
  }

  /** Keeps a link to the router of this name until {@link forget}. */
  dial(name: string, address: PeerAddress): void {
    const known = this.#outgoing.get(name);
    if (known !== undefined && known.address.host === address.host && known.address.port === address.port) return;
    known?.close();
    const outgoing = new Outgoing(name, address, this.#dialing);
    this.#outgoing.set(name, outgoing);
    if (!this.#closed) outgoing.open();
  }

  forget(name: string): void {
    this.#outgoing.get(name)?.close();
    this.#outgoing.delete(name);
  }

  /** The process that answers under a name. */
  idOf(name: string): string | undefined {
    return this.#outgoing.get(name)?.id;
  }

  isDialling(name: string): boolean {
    return this.#outgoing.has(name);
  }

  tell(id: string, statement: PeerStatement): void {
    this.#byId(id)?.say(statement);
  }

  door(id: string): PeerDoor | undefined {
    return this.#byId(id)?.door;
  }

  admits(word: string): boolean {
    return this.#words.has(word);
  }

  /** Breaks the link, to make it anew. */
  redial(id: string): void {
    this.#byId(id)?.reset();
  }

  #byId(id: string): Outgoing | undefined {
    for (const outgoing of this.#outgoing.values()) if (outgoing.id === id) return outgoing;
    return undefined;
  }

  readonly #dialing: Dialing = {
    hello: (challenge) => {
      const { id, name, host, key } = this.#options;
      const hello = { id, name, host, port: this.#port, nonce: makeNonce() };
      return { ...hello, proof: proveHello(key, challenge, hello) };
    },
    check: (welcome, nonce) => isProof(welcome.proof, proveWelcome(this.#options.key, nonce, welcome)),
    word: (challenge, nonce) => relayWord(this.#options.key, challenge, nonce),
    onLinked: (id) => this.#events.onLinked(id),
    onUnlinked: (id) => this.#events.onUnlinked(id),
    onEnded: (id) => this.#events.onEnded(id),
    onNobody: (name, refused) => this.#events.onNobody(name, refused),
    log: (message, fields) => this.#options.log.warn(message, fields),
  };

  #accept(socket: Socket): void {
    if (this.#closed) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.setNoDelay(true).setKeepAlive(true, 5000);
    const { key, id, relayPort } = this.#options;
    const challenge = makeNonce();
    let peer: string | undefined;
    socket.setTimeout(dialTimeoutMs, () => peer === undefined && socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#sockets.delete(socket);
      if (peer !== undefined && this.#incoming.get(peer) === socket) this.#incoming.delete(peer);
    });
    writeLine(socket, { nonce: challenge } satisfies Challenge);
    readLines(socket, (value) => {
      if (peer !== undefined) {
        if (this.#incoming.get(peer) === socket) this.#events.onStatement(peer, value as PeerStatement);
        return;
      }
      const hello = value as Hello;
      if (typeof hello.proof !== "string" || !isProof(hello.proof, proveHello(key, challenge, hello))) {
        this.#options.log.warn("somebody without the key tried to be a router", { address: socket.remoteAddress });
        socket.destroy();
        return;
      }
      peer = hello.id;
      // What an older link of the same process still has to say has been said anew on this one.
      this.#incoming.get(peer)?.destroy();
      this.#incoming.set(peer, socket);
      this.#admit(socket, relayWord(key, challenge, hello.nonce), peer);
      const welcome = { id, relayPort: relayPort() };
      writeLine(socket, { ...welcome, proof: proveWelcome(key, hello.nonce, welcome) } satisfies Welcome);
      if (!this.#outgoing.has(hello.name)) this.#events.onStranger(hello.name, { host: hello.host, port: hello.port });
    });
  }

  #admit(socket: Socket, word: string, peer: string): void {
    this.#words.set(word, peer);
    socket.once("close", () => setTimeout(() => this.#words.delete(word), wordMs).unref());
  }

  close(): void {
    this.#closed = true;
    this.#server?.close();
    for (const outgoing of this.#outgoing.values()) outgoing.close();
    for (const socket of this.#sockets) socket.end('{"bye":true}\n');
  }
}

interface Dialing {
  readonly hello: (challenge: string) => Hello;
  readonly check: (welcome: Welcome, nonce: string) => boolean;
  readonly word: (challenge: string, nonce: string) => string;
  readonly onLinked: (id: string) => void;
  readonly onUnlinked: (id: string) => void;
  readonly onEnded: (id: string) => void;
  readonly onNobody: (name: string, refused: boolean) => void;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** The link to one router, made again as often as it breaks. */
class Outgoing {
  readonly address: PeerAddress;
  id: string | undefined;
  door: PeerDoor | undefined;
  readonly #name: string;
  readonly #dialing: Dialing;
  #socket: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(name: string, address: PeerAddress, dialing: Dialing) {
    this.#name = name;
    this.address = address;
    this.#dialing = dialing;
  }

  open(): void {
    const socket = connect({ ...this.address, noDelay: true });
    this.#socket = socket;
    let challenge: string | undefined;
    let hello: Hello | undefined;
    let linked = false;
    socket.setTimeout(dialTimeoutMs, () => !linked && socket.destroy(new Error("no answer")));
    readLines(socket, (value) => {
      if (challenge === undefined || hello === undefined) {
        challenge = String((value as Challenge).nonce);
        hello = this.#dialing.hello(challenge);
        writeLine(socket, hello);
        return;
      }
      if (linked) {
        this.#onBye();
        return;
      }
      const welcome = value as Welcome;
      if (typeof welcome.proof !== "string" || !this.#dialing.check(welcome, hello.nonce)) {
        socket.destroy(new Error("it does not know the key of this cluster's routers"));
        return;
      }
      linked = true;
      this.#onWelcome(welcome, this.#dialing.word(challenge, hello.nonce));
    });
    let cause: NodeJS.ErrnoException | undefined;
    socket.on("error", (error) => (cause = error));
    socket.on("close", () => this.#onClose(linked, cause));
  }

  #onWelcome({ id, relayPort }: Welcome, word: string): void {
    // Another process has taken the place of the one that was here.
    if (this.id !== undefined && this.id !== id) this.#dialing.onEnded(this.id);
    this.id = id;
    this.door = { address: { host: this.address.host, port: relayPort }, word };
    this.#dialing.onLinked(id);
  }

  /** The one thing a listener says later: that it has ended, with nothing left to do. */
  #onBye(): void {
    const { id } = this;
    this.id = undefined;
    this.door = undefined;
    if (id !== undefined) this.#dialing.onEnded(id);
  }

  #onClose(wasLinked: boolean, cause: NodeJS.ErrnoException | undefined): void {
    this.#socket = undefined;
    if (wasLinked) {
      this.door = undefined;
      if (this.id !== undefined) this.#dialing.onUnlinked(this.id);
    }
    if (this.#closed) return;
    if (cause?.code === "ECONNREFUSED") {
      const { id } = this;
      this.id = undefined;
      if (id !== undefined) this.#dialing.onEnded(id);
      this.#dialing.onNobody(this.#name, true);
    } else if (!wasLinked && cause !== undefined) {
      this.#dialing.log("cannot reach another router", { err: cause, router: this.#name });
      this.#dialing.onNobody(this.#name, false);
    }
    this.#timer = setTimeout(() => this.open(), wasLinked ? graceMs : redialMs);
    this.#timer.unref();
  }

  say(statement: PeerStatement): void {
    if (this.#socket !== undefined && this.door !== undefined) writeLine(this.#socket, statement);
  }

  reset(): void {
    this.#socket?.destroy();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.destroy();
    this.#socket = undefined;
  }
}
