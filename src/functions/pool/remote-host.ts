import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type TLSSocket } from "node:tls";
import { claimPort, type PushAnswer, type PushedClaim, type PushedLayer, type PushRefusal } from "../hosts/protocol.ts";
import { HostLoadError, type HostDoors } from "./host-process.ts";

/** Where a waiting host is. */
export interface RemotePlace {
  readonly address: string;
  /** Default {@link claimPort}. */
  readonly port?: number;
}

/** What a host shows of itself, over a connection that only it and we can read. */
export interface ShownHost {
  /** SHA-256 of its certificate, as hexadecimal pairs between colons. */
  readonly fingerprint: string;
  /** What its pod was given for the audience `hostAudience`. */
  readonly token: string;
}

/** Resolves when the host is the one that was meant; rejects with why it is not to be believed. */
export type Believe = (shown: ShownHost) => Promise<void>;

/** Who claims: a certificate that waiting hosts' authority has issued, PEM. */
export interface Claimer {
  readonly certificate: string;
  readonly key: string;
}

export type LayerToPush = PushedLayer & ({ readonly bytes: Uint8Array } | { readonly file: string });

/** A host in a pod that waits for its claim, with the connection that will carry it already open. */
export interface RemoteHost {
  /** `26.10.0`. */
  readonly runtime: string;
  /** Resolves when the connection is gone: claimed by somebody else, ended, or done. */
  readonly closed: Promise<void>;
  /**
   * Hands the function over, once; begins to write in this turn. Resolves when it serves. Rejects with ClaimRefused when
   * the host did not take it, HostLoadError when the function does not load, ClaimLost when the connection broke.
   */
  claim(push: Omit<PushedClaim, "type" | "version" | "layers">, layers: readonly LayerToPush[]): Promise<HostDoors>;
  close(): void;
}

/** The host waits on, for another claim. */
export class ClaimRefused extends Error {
  readonly reason: PushRefusal;

  constructor(reason: PushRefusal, message: string) {
    super(message);
    this.name = "ClaimRefused";
    this.reason = reason;
  }
}

/** The connection broke during the claim. */
export class ClaimLost extends Error {
  /** Whether the host had said that the claim is its own: it may serve, and nobody heard. */
  readonly taken: boolean;
  /** Its machine does not answer. */
  readonly unreachable: boolean;

  constructor(taken: boolean, options?: ErrorOptions & { readonly unreachable?: boolean }) {
    super(`the connection to the host was lost ${taken ? "after" : "before"} it took the claim`, options);
    this.name = "ClaimLost";
    this.taken = taken;
    this.unreachable = options?.unreachable ?? false;
  }
}

const connectMs = 5_000;

/** Whether the machine at an address answers within the time. */
export type KnockAt = (host: string, port: number, withinMs: number) => Promise<boolean>;

/** A host says at once that it has taken a claim; one that says nothing has its machine knocked at. */
const silentMs = 500;
const knockMs = 400;
const knocks = 2;
/** A connection on which nothing travels is asked for a sign of life after this long, and is dead ten seconds later. */
const keepAliveMs = 5_000;

/**
 * Opens the connection over which a host is claimed. Rejects when it is not there, or not who it should be. A host says
 * its token to a proven claimer only, and what a claimer signs binds the connection to the key of the host it speaks
 * to (RFC 8446 §4.4.3): so whoever says a pod's token here is that pod, and no one between. With `knock` a claim is lost
 * as soon as the host's machine is found to be gone, not when its time is up.
 */
export async function connectHost(
  place: RemotePlace,
  claimer: Claimer,
  believe: Believe,
  knock?: KnockAt,
): Promise<RemoteHost> {
  const socket = await secured(place, claimer);
  socket.setKeepAlive(true, keepAliveMs);
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const waiting = Promise.withResolvers<Extract<PushAnswer, { type: "waiting" }>>();
  const ready = Promise.withResolvers<HostDoors>();
  for (const { promise } of [waiting, ready]) promise.catch(() => undefined);
  let taken = false;
  let unreachable = false;
  /** Something was said since the last look. */
  let heard = false;
  let failure: Error | undefined;
  const hear = (answer: PushAnswer): void => {
    heard = answer.type !== "waiting";
    if (answer.type === "waiting") waiting.resolve(answer);
    else if (answer.type === "taken") taken = true;
    else if (answer.type === "ready") ready.resolve({ port: answer.port });
    else if (answer.type === "refused") ready.reject(new ClaimRefused(answer.reason, answer.message));
    else ready.reject(new HostLoadError(answer.reason, answer.message));
  };
  readLines(socket, hear);
  socket.on("error", (error) => (failure = error));
  void closed.then(() => {
    const lost = new ClaimLost(taken, { unreachable, ...(failure ? { cause: failure } : {}) });
    waiting.reject(lost);
    ready.reject(lost);
  });
  const over = Promise.race([closed, ready.promise.catch(() => undefined)]);
  const late = setTimeout(() => socket.destroy(), connectMs);
  const { runtime, token } = await waiting.promise.finally(() => clearTimeout(late));
  try {
    await believe({ fingerprint: socket.getPeerX509Certificate()?.fingerprint256 ?? "", token });
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return {
    runtime,
    closed,
    claim(push, layers) {
      const head: PushedClaim = {
        type: "claim",
        version: 1,
        ...push,
        layers: layers.map(({ digest, size }) => ({ digest, size })),
      };
      sendClaim(socket, head, layers).catch((error: Error) => socket.destroy(error));
      const { address, port = claimPort } = place;
      const isThere = (): boolean | Promise<boolean> => {
        const said = heard;
        heard = false;
        return said || (knock?.(address, port, knockMs) ?? true);
      };
      void whenGone(isThere, over).then((gone) => {
        unreachable = gone;
        if (gone) socket.destroy();
      });
      return ready.promise;
    },
    close: () => socket.destroy(),
  };
}

/** Whether a machine was found to be gone before it is `over`. */
async function whenGone(isThere: () => boolean | Promise<boolean>, over: Promise<unknown>): Promise<boolean> {
  for (let missed = 0; missed < knocks;) {
    const pauseMs = missed === 0 ? silentMs : 0;
    const isOver = await Promise.race([over.then(() => true), sleep(pauseMs, false, { ref: false })]);
    if (isOver) return false;
    missed = (await isThere()) ? 0 : missed + 1;
  }
  return true;
}

async function secured({ address, port = claimPort }: RemotePlace, claimer: Claimer): Promise<TLSSocket> {
  const { certificate, key } = claimer;
  // Whom the host's certificate was issued by says nothing: it made it itself.
  const socket = connect({
    host: address,
    port,
    cert: certificate,
    key,
    rejectUnauthorized: false,
    minVersion: "TLSv1.3",
  });
  socket.setNoDelay(true);
  socket.setTimeout(connectMs, () => socket.destroy(new Error(`${address}:${port} did not answer in ${connectMs} ms`)));
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      socket.off("error", reject);
      resolve();
    });
  });
  socket.setTimeout(0);
  return socket;
}

/** Small claims leave in one turn, as one write. */
async function sendClaim(socket: TLSSocket, head: PushedClaim, layers: readonly LayerToPush[]): Promise<void> {
  socket.cork();
  socket.write(`${JSON.stringify(head)}\n`);
  for (const layer of layers) {
    if ("bytes" in layer) {
      if (!socket.write(layer.bytes)) socket.uncork();
    } else {
      socket.uncork();
      await pipeline(createReadStream(layer.file, { highWaterMark: 1 << 18 }), socket, { end: false });
    }
  }
  socket.uncork();
}

function readLines(socket: TLSSocket, hear: (answer: PushAnswer) => void): void {
  let text = "";
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    text += chunk;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      try {
        hear(JSON.parse(line) as PushAnswer);
      } catch (error) {
        return void socket.destroy(error as Error);
      }
    }
  });
}
