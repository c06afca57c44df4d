import type { Readable, Writable } from "node:stream";
import type { WebSocket } from "ws";
import { ApiError } from "../api/meta/errors.ts";
import type { Status } from "../api/meta/types.gen.ts";
import type { HttpClient } from "./http-client.ts";

export interface ExecRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly command: readonly string[];
  readonly stdin?: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** A terminal: standard error comes with standard output; sizes are columns and rows as they change. */
  readonly terminal?: { readonly sizes: AsyncIterable<{ readonly width: number; readonly height: number }> };
  readonly signal?: AbortSignal;
}

const channels = { stdin: 0, stdout: 1, stderr: 2, status: 3, resize: 4, close: 255 } as const;

/**
 * Runs a command in a container and resolves to its exit code (remote command protocol v5, or v4 of API servers before
 * 1.30, which cannot be told that the input has ended). Throws ApiError when it could not be run.
 */
export async function execInPod(client: HttpClient, wanted: ExecRequest): Promise<number> {
  const query = new URLSearchParams([
    ["container", wanted.container],
    ["stdout", "true"],
    ...(wanted.terminal ? [["tty", "true"]] : [["stderr", "true"]]),
    ...(wanted.stdin ? [["stdin", "true"]] : []),
    ...wanted.command.map((word) => ["command", word]),
  ] as [string, string][]);
  const socket = await client.webSocket({
    path: `/api/v1/namespaces/${wanted.namespace}/pods/${wanted.pod}/exec?${query}`,
    protocols: ["v5.channel.k8s.io", "v4.channel.k8s.io"],
    ...(wanted.signal ? { signal: wanted.signal } : {}),
  });
  const ended = new AbortController();
  const onAbort = (): void => socket.terminate();
  wanted.signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const status = readOutput(socket, wanted);
    if (wanted.stdin) void sendInput(socket, wanted.stdin, ended.signal);
    if (wanted.terminal) void sendSizes(socket, wanted.terminal.sizes, ended.signal);
    return exitCodeOf(await status);
  } finally {
    ended.abort();
    wanted.signal?.removeEventListener("abort", onAbort);
    socket.terminate();
  }
}

/** Copies output until the status has come; a connection that breaks off before is an error. */
async function readOutput(socket: WebSocket, { stdout, stderr, signal }: ExecRequest): Promise<Status> {
  return await new Promise<Status>((resolve, reject) => {
    let status = "";
    const write = (to: Writable, bytes: Buffer): void => {
      if (bytes.byteLength === 0 || to.write(bytes)) return;
      socket.pause();
      to.once("drain", () => socket.resume());
    };
    socket.on("message", (message: Buffer) => {
      const bytes = message.subarray(1);
      if (message[0] === channels.stdout) write(stdout, bytes);
      else if (message[0] === channels.stderr) write(stderr, bytes);
      else if (message[0] === channels.status) status += bytes.toString("utf8");
    });
    socket.once("error", reject);
    socket.once("close", () => {
      if (status !== "") resolve(JSON.parse(status) as Status);
      else reject(signal?.aborted ? signal.reason : new Error("the connection broke off before the command ended"));
    });
    socket.resume();
  });
}

async function sendInput(socket: WebSocket, stdin: Readable, ended: AbortSignal): Promise<void> {
  try {
    for await (const chunk of stdin) {
      if (ended.aborted) return;
      await sent(socket, Buffer.concat([Buffer.of(channels.stdin), Buffer.from(chunk as Uint8Array)]));
    }
    if (socket.protocol === "v5.channel.k8s.io") await sent(socket, Buffer.of(channels.close, channels.stdin));
  } catch {
    // The command has ended, or the connection: its reader knows which.
  }
}

async function sendSizes(
  socket: WebSocket,
  sizes: AsyncIterable<{ readonly width: number; readonly height: number }>,
  ended: AbortSignal,
): Promise<void> {
  try {
    for await (const { width, height } of sizes) {
      if (ended.aborted) return;
      const text = JSON.stringify({ Width: width, Height: height });
      await sent(socket, Buffer.concat([Buffer.of(channels.resize), Buffer.from(text)]));
    }
  } catch {
    // As with the input.
  }
}

const sent = (socket: WebSocket, bytes: Buffer): Promise<void> =>
  new Promise((resolve, reject) => socket.send(bytes, (error) => (error ? reject(error) : resolve())));

/** A Status as the node sends it: Success, NonZeroExitCode with the code as a cause, or why it could not be run. */
function exitCodeOf(status: Status): number {
  if (status.status === "Success") return 0;
  const cause = status.details?.causes?.find(({ reason }) => reason === "ExitCode");
  const code = Number(cause?.message);
  if (status.reason === "NonZeroExitCode" && Number.isInteger(code)) return code;
  throw new ApiError(status);
}
