import type { AddressInfo } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { maxHeadBytes, parsePush } from "../parse-push.ts";
import { claimerName, pushVersion, type ClaimMessage, type PushAnswer, type PushedClaim } from "../protocol.ts";
import { readBytes } from "./byte-reader.ts";
import { clearApp, Refusal, takeLayers, type LayerPlace } from "./take-layers.ts";

export interface ClaimDoorOptions extends LayerPlace {
  /** This host's own, PEM. */
  readonly key: string;
  readonly certificate: string;
  /** What tells a claimer which pod this is, as it is now. */
  readonly token: () => string;
  /** Who vouches for claimers, PEM: one or more certificates. */
  readonly ca: string;
  /** 0: any. */
  readonly port: number;
  /** All addresses when absent. */
  readonly host?: string;
  /** `26.10.0`. */
  readonly runtime: string;
  /** Of all layers of a claim. */
  readonly maxBytes: number;
  /** A claim that brings nothing for this long is given up. */
  readonly stallMs: number;
}

export interface TakenClaim {
  readonly message: ClaimMessage;
  /** Sends the last word to the claimer; calls back when it is out, or cannot be delivered. */
  answer(last: PushAnswer, done: () => void): void;
}

export interface ClaimDoor {
  readonly port: number;
  close(): void;
}

/** Connections that may be open at once: a claimer keeps one. */
const maxConnections = 64;

/**
 * Takes one claim, ever, over mutually authenticated TLS. A claim is taken when all of it has arrived and is what its
 * digests say; until then it may be refused or break off, and leaves nothing behind. While one is on its way others
 * are refused, not kept waiting: whoever claims has other hosts to ask. With the taken claim the door closes, with all
 * its connections but the claimer's.
 */
export async function openClaimDoor(
  options: ClaimDoorOptions,
  onTaken: (taken: TakenClaim) => void,
): Promise<ClaimDoor> {
  const { key, certificate, ca } = options;
  const sockets = new Set<TLSSocket>();
  let holder: TLSSocket | undefined;
  let taken = false;
  const server = createServer({
    key,
    cert: certificate,
    ca,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: "TLSv1.3",
    handshakeTimeout: 5_000,
    noDelay: true,
  });
  server.maxConnections = maxConnections;
  const close = (): void => {
    server.close();
    for (const socket of sockets) if (socket !== holder) socket.destroy();
  };

  const receive = async (socket: TLSSocket): Promise<void> => {
    const bytes = readBytes(socket);
    const line = await bytes.line(maxHeadBytes);
    if (line === undefined) return;
    const push = acceptable(line, options);
    if (holder || taken) throw new Refusal("Taken", "another claim for this host came first");
    holder = socket;
    let whole = false;
    try {
      socket.setTimeout(options.stallMs, () => socket.destroy(tooSlow(options.stallMs)));
      whole = await takeLayers(bytes, push.layers, options);
      // The sender may be gone: what it would do with the host nobody knows.
      whole &&= !socket.destroyed;
    } finally {
      if (!whole) {
        await clearApp(options);
        holder = undefined;
      }
    }
    if (!whole) return;
    taken = true;
    socket.setTimeout(0);
    close();
    send(socket, { type: "taken" });
    onTaken({
      message: { type: "claim", ...push.claim },
      answer(last, done) {
        if (socket.destroyed) return done();
        socket.once("close", done);
        socket.end(`${JSON.stringify(last)}\n`, () => socket.destroy());
      },
    });
  };

  server.on("secureConnection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    if (socket.getPeerX509Certificate()?.subject !== `CN=${claimerName}`) return void socket.destroy();
    // To nobody but a claimer: who stands between the two has the key of neither, and could use it as this host.
    const token = options.token();
    send(socket, { type: "waiting", version: pushVersion, host: "node", runtime: options.runtime, token });
    receive(socket).catch((error: unknown) => {
      if (!(error instanceof Refusal)) return void socket.destroy();
      const { reason, message } = error;
      socket.end(`${JSON.stringify({ type: "refused", reason, message } satisfies PushAnswer)}\n`);
    });
  });
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    const { port, host } = options;
    server.listen({ port, ...(host === undefined ? {} : { host }) }, resolve);
  });
  return { port: (server.address() as AddressInfo).port, close };
}

function acceptable(line: string, { maxBytes, runtime }: ClaimDoorOptions): PushedClaim {
  if (line === "too-long") throw new Refusal("TooLarge", `the head of a claim may have ${maxHeadBytes} bytes`);
  const push = parsePush(line);
  if (!("claim" in push)) throw new Refusal(push.reason, push.message);
  if (push.host !== "node") throw new Refusal("WrongHost", `this is a host for node, not for ${push.host}`);
  const [major] = runtime.split(".");
  if (push.runtime !== undefined && push.runtime !== major)
    throw new Refusal("WrongRuntime", `this host runs Node ${runtime}; the function is built for ${push.runtime}`);
  const bytes = push.layers.reduce((sum, { size }) => sum + size, 0);
  if (bytes > maxBytes)
    throw new Refusal("TooLarge", `the function's layers have ${bytes} bytes, of ${maxBytes} that this host takes`);
  return push;
}

const send = (socket: TLSSocket, message: PushAnswer): void => void socket.write(`${JSON.stringify(message)}\n`);

const tooSlow = (ms: number): Error => new Error(`the claim brought nothing for ${ms} ms`);
