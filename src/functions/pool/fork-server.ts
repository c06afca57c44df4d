import { randomBytes } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import { constants } from "node:os";
import type { Duplex } from "node:stream";
import { hostOver, startHost, type HostDeps, type HostExit, type HostProcess } from "./host-process.ts";

/** A host program that is up and gives off copies of itself, each a waiting host. */
export interface ForkServer {
  /** A copy that takes a claim, either to wait for one or to be claimed at once. Rejects when the server is gone. */
  fork(purpose: "warm" | "direct"): Promise<HostProcess>;
  /** False once its process has ended. */
  readonly alive: boolean;
  /** Ends it; hosts that wait end by themselves, claimed ones stay. */
  close(): void;
}

/** What the server says of its copies (fork_server.py). */
type ForkMessage =
  | { readonly forked: string; readonly pid: number }
  /** Negative: ended by that signal. */
  | { readonly exited: string; readonly code: number };

/** One copy on its way: its process id and its three connections arrive in any order. */
interface Birth {
  pid?: number;
  readonly channels: Map<string, Socket>;
  readonly exited: PromiseWithResolvers<HostExit>;
  readonly born: PromiseWithResolvers<HostProcess>;
}

/** Length of the id that a copy says first on each connection, before one letter for the channel. */
const idLength = 32;
const channels = ["c", "o", "e"] as const;

/** Starts a fork server; resolves when it is up. Linux only: copies call back over an abstract socket. */
export async function startForkServer(deps: HostDeps): Promise<ForkServer> {
  const births = new Map<string, Birth>();
  // No other user's process can guess an id of a copy that is awaited, so the door needs no lock.
  const door = `\0ebb-forks-${process.pid}-${randomBytes(8).toString("hex")}`;
  const listener = await listen(door, (socket) => greet(socket, births, deps));
  const host = startHost(deps, "fork-server");
  let alive = true;
  void host.exited.then(
    () => fail(new Error("the fork server ended")),
    (error: Error) => fail(error),
  );
  function fail(error: Error): void {
    alive = false;
    listener.close();
    for (const birth of births.values()) {
      birth.born.reject(error);
      // Nobody tells any more how a copy ends: that its socket closes, or has closed, says that it did.
      const control = birth.channels.get("c");
      const ended = (): void => birth.exited.resolve({ code: 255, signal: undefined });
      if (!control || control.closed) ended();
      else control.once("close", ended);
    }
  }
  for (const pipe of [host.stdout, host.stderr]) pipe.resume();
  onLines(host.control, (message) => take(message as ForkMessage, births, deps));
  await host.idle;
  return {
    get alive() {
      return alive;
    },
    fork(purpose) {
      const id = randomBytes(idLength / 2).toString("hex");
      const birth = {
        channels: new Map(),
        exited: Promise.withResolvers<HostExit>(),
        born: Promise.withResolvers<HostProcess>(),
      };
      if (!alive) return Promise.reject(new Error("the fork server has ended"));
      births.set(id, birth);
      host.control.write(`${JSON.stringify({ fork: id, door, warm: purpose === "warm" })}\n`);
      return birth.born.promise;
    },
    close() {
      host.control.destroy();
      listener.close();
    },
  };
}

async function listen(path: string, onSocket: (socket: Socket) => void): Promise<Server> {
  const server = createServer(onSocket);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ path, backlog: 1024 }, resolve);
  });
  server.unref();
  return server;
}

/** Reads whose connection it is, and which; strangers are hung up on. */
function greet(socket: Socket, births: Map<string, Birth>, deps: HostDeps): void {
  socket.on("error", () => undefined);
  const read = (): void => {
    const hello = socket.read(idLength + 1) as Buffer | null;
    if (hello === null) {
      socket.once("readable", read);
      return;
    }
    const text = hello.toString("latin1");
    const birth = births.get(text.slice(0, idLength));
    const channel = channels.find((one) => one === text[idLength]);
    if (!birth || !channel || birth.channels.has(channel)) {
      socket.destroy();
      return;
    }
    birth.channels.set(channel, socket);
    deliver(birth, deps);
  };
  socket.once("readable", read);
}

function take(message: ForkMessage, births: Map<string, Birth>, deps: HostDeps): void {
  if ("forked" in message) {
    const birth = births.get(message.forked);
    if (!birth) return;
    birth.pid = message.pid;
    deps.spawned(message.pid);
    deliver(birth, deps);
  } else if ("exited" in message) {
    const birth = births.get(message.exited);
    births.delete(message.exited);
    birth?.exited.resolve(toExit(message.code));
    birth?.born.reject(new Error("the host ended before it was up"));
  }
}

function toExit(code: number): HostExit {
  if (code >= 0) return { code, signal: undefined };
  const name = Object.entries(constants.signals).find(([, number]) => number === -code)?.[0] as
    | NodeJS.Signals
    | undefined;
  return { code: undefined, signal: name ?? "SIGKILL" };
}

function deliver(birth: Birth, deps: HostDeps): void {
  const [control, stdout, stderr] = channels.map((channel) => birth.channels.get(channel));
  if (birth.pid === undefined || !control || !stdout || !stderr) return;
  for (const socket of [stdout, stderr]) socket.end();
  birth.born.resolve(
    hostOver({ pid: birth.pid, startedAtMs: deps.now(), stdout, stderr, control, exited: birth.exited.promise }),
  );
}

function onLines(control: Duplex, take: (message: unknown) => void): void {
  let text = "";
  control.on("data", (chunk: string) => {
    text += chunk;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      take(JSON.parse(text.slice(0, end)));
      text = text.slice(end + 1);
    }
  });
}
