import { spawn, type ChildProcess } from "node:child_process";
import type { Duplex, Readable } from "node:stream";
import type { ClaimMessage, HostFailure, HostMessage } from "../hosts/protocol.ts";

/** How the process ended. Exactly one of code and signal is set. */
export interface HostExit {
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

/** A function that could not be loaded: `reason` is CamelCase for a pod's status, the message for its owner. */
export class HostLoadError extends Error {
  readonly reason: HostFailure["reason"] | "HostExited";

  constructor(reason: HostFailure["reason"] | "HostExited", message: string) {
    super(message);
    this.name = "HostLoadError";
    this.reason = reason;
  }
}

/** A running host program; it serves one function at most, and is never given to a second one. */
export interface HostProcess {
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when the host waits for a claim; rejects when it ends before. */
  readonly idle: Promise<void>;
  readonly exited: Promise<HostExit>;
  /** While it waits: where connections may be made before it has been claimed, if anywhere. */
  readonly path?: () => string | undefined;
  /** Hands the function over, once. Resolves with where it serves; rejects with HostLoadError. */
  claim(claim: Omit<ClaimMessage, "type">): Promise<HostDoors>;
}

/** Where a claimed host takes requests: a port of 127.0.0.1, and perhaps a socket of the Unix domain. */
export interface HostDoors {
  readonly port: number;
  readonly path?: string;
}

export interface HostDeps {
  /** The words that run the host program (hosts/host-command.ts). */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Called in the turn of the spawn, so that the process is on record before anything else happens. */
  readonly spawned: (pid: number) => void;
  readonly now: () => number;
}

/** `warm` waits in a pool, `direct` is claimed at once, `fork-server` only gives off copies of itself. */
export type HostPurpose = "warm" | "direct" | "fork-server";

/** A process that becomes a host when it is told to, in a moment and without the cost of a spawn. */
export interface PreparedHost {
  readonly pid: number;
  readonly exited: Promise<HostExit>;
  /** Once. The host is to be claimed at once, as one started `direct`. */
  begin(): HostProcess;
}

/** Waits for a line and becomes the host; ends when whoever would write it has. */
const untilTold = 'read -r _ && exec "$@" </dev/null';

/**
 * Prepares a host: a shell of 0.1 MB that waits. Spawning copies the page tables of the process that does it, and
 * blocks it until the child has begun; a burst has no time for that.
 */
export function prepareHost(deps: HostDeps): PreparedHost {
  const child = spawn("/bin/sh", ["-c", untilTold, "ebb-host", ...deps.command], {
    detached: true,
    env: deps.env,
    cwd: "/",
    stdio: ["pipe", "pipe", "pipe", "pipe"],
  });
  child.stdin.on("error", () => undefined);
  const host = followHost(deps, child);
  return {
    pid: host.pid,
    exited: host.exited,
    begin() {
      child.stdin.end("\n");
      return { ...host, startedAtMs: deps.now() };
    },
  };
}

/**
 * Starts a host in a process group of its own: `warm` to wait in a pool, `direct` to be claimed at once, in which case
 * the claim is read when the host is up and `idle` never resolves. The launcher's words, if any, go before its
 * command: they set limits and mounts and then become it.
 */
export function startHost(
  deps: HostDeps,
  purpose: HostPurpose,
  launcher: readonly string[] = [],
): HostProcess & { readonly control: Duplex } {
  const words = [...launcher, ...deps.command, ...(purpose === "direct" ? [] : [`--${purpose}`])];
  const [file = "", ...args] = words;
  const child = spawn(file, args, {
    detached: true,
    env: deps.env,
    cwd: "/",
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  return followHost(deps, child);
}

function followHost(deps: HostDeps, child: ChildProcess): HostProcess & { readonly control: Duplex } {
  const [, stdout, stderr, control] = child.stdio as unknown as [unknown, Readable, Readable, Duplex];
  if (child.pid !== undefined) deps.spawned(child.pid);
  const exited = new Promise<HostExit>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve({ code: code ?? undefined, signal: signal ?? undefined }));
  });
  const pid = child.pid ?? -1;
  return { ...hostOver({ pid, startedAtMs: deps.now(), stdout, stderr, control, exited }), control };
}

/** What is known of a host's process, however it came to be. */
export interface HostParts extends Pick<HostProcess, "pid" | "startedAtMs" | "stdout" | "stderr" | "exited"> {
  /** The socket over which it is claimed. */
  readonly control: Duplex;
}

/** A host that speaks the protocol over a socket. */
export function hostOver({ control, ...parts }: HostParts): HostProcess {
  const messages = readMessages(control, parts.exited);
  parts.exited.catch(() => undefined);
  return {
    ...parts,
    idle: messages.idle,
    path: messages.path,
    claim(claim) {
      control.write(`${JSON.stringify({ type: "claim", ...claim })}\n`);
      return messages.ready;
    },
  };
}

interface HostMessages {
  readonly idle: Promise<void>;
  readonly ready: Promise<HostDoors>;
  readonly path: () => string | undefined;
}

function readMessages(control: Duplex, exited: Promise<HostExit>): HostMessages {
  const idle = Promise.withResolvers<void>();
  const ready = Promise.withResolvers<HostDoors>();
  const refuse = (error: Error): void => {
    idle.reject(error);
    ready.reject(error);
  };
  // Whoever does not ask must not make the process fail.
  idle.promise.catch(() => undefined);
  ready.promise.catch(() => undefined);
  let path: string | undefined;
  let text = "";
  control.setEncoding("utf8");
  control.on("error", () => undefined);
  control.on("data", (chunk: string) => {
    text += chunk;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      const message = JSON.parse(text.slice(0, end)) as HostMessage;
      text = text.slice(end + 1);
      if (message.type === "idle") {
        path = message.path;
        idle.resolve();
      } else if (message.type === "ready") ready.resolve(message);
      else if (message.type === "failed") refuse(new HostLoadError(message.reason, message.message));
    }
  });
  // The failure message, if any, is read before the socket ends; only then does the exit count as the reason.
  const ended = new Promise<void>((resolve) => control.once("close", resolve));
  exited.then(
    ({ code, signal }) =>
      void ended.then(() =>
        refuse(new HostLoadError("HostExited", `the process ended by ${signal ?? `exit code ${code}`} while loading`)),
      ),
    refuse,
  );
  return { idle: idle.promise, ready: ready.promise, path: () => path };
}
