/** `kubectl exec` and `attach`: a command's streams over a WebSocket or SPDY connection. */
import type { Readable, Writable } from "node:stream";
import { badRequest } from "../../api/meta/errors.ts";
import { acceptSpdy, acceptWebSocket, chooseSubprotocol, isSpdy, isWebSocket, type UpgradeRequest } from "./upgrade.ts";
import { Channels } from "./channels.ts";
import { statusOf, textOf, type Ending } from "./exit-status.ts";
import type { ExecStreams, NodeConnection, PodReference } from "../../api/node-connection.ts";
import { containerOf, findPod, flag, requireNode, type PodPlace, type StreamDeps } from "./pod-target.ts";
import { SpdyConnection, type SpdyStream } from "./spdy-connection.ts";
import { terminalSizes } from "./terminal-sizes.ts";

export type RemoteCommandKind = "exec" | "attach";

interface Wanted {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

type Run = (streams: ExecStreams, signal: AbortSignal) => Promise<Ending>;

/** Serves one upgrade request for `pods/exec` or `pods/attach`; resolves when the connection is over. */
export async function serveRemoteCommand(
  deps: StreamDeps,
  kind: RemoteCommandKind,
  place: PodPlace,
  upgrade: UpgradeRequest & { readonly query: URLSearchParams },
): Promise<void> {
  const { query, request } = upgrade;
  const wanted = wantedStreams(query);
  const command = query.getAll("command");
  if (kind === "exec" && command.length === 0)
    throw badRequest("you must specify at least one command for the container");
  const { pod, reference } = findPod(deps, place);
  const container = containerOf(pod, query.get("container"));
  const node = requireNode(deps, pod);
  const run: Run = (streams, signal) =>
    endingOf(
      kind === "exec"
        ? node.exec(reference, container, command, streams, signal)
        : attach(node, { reference, container }, streams, signal),
    );
  if (isWebSocket(request)) return overWebSocket(upgrade, wanted, run);
  if (isSpdy(request)) return overSpdy(upgrade, wanted, run);
  throw badRequest(`Upgrade request required: ${kind} speaks WebSocket or SPDY/3.1`);
}

async function attach(
  node: NodeConnection,
  at: { readonly reference: PodReference; readonly container: string },
  streams: ExecStreams,
  signal: AbortSignal,
): Promise<number> {
  await node.attach(at.reference, at.container, streams, signal);
  return 0;
}

function wantedStreams(query: URLSearchParams): Wanted {
  const tty = flag(query, "tty");
  const wanted = { stdin: flag(query, "stdin"), stdout: flag(query, "stdout"), stderr: flag(query, "stderr"), tty };
  if (!wanted.stdin && !wanted.stdout && !wanted.stderr)
    throw badRequest("you must specify at least 1 of stdin, stdout, stderr");
  // A terminal has one output only.
  return tty ? { ...wanted, stderr: false } : wanted;
}

async function endingOf(running: Promise<number>): Promise<Ending> {
  try {
    return { kind: "exited", code: await running };
  } catch (error) {
    return { kind: "failed", error };
  }
}

const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;

const subprotocols = [
  "v5.channel.k8s.io",
  "v4.channel.k8s.io",
  "v4.base64.channel.k8s.io",
  "channel.k8s.io",
  "base64.channel.k8s.io",
  "",
] as const;

async function overWebSocket(upgrade: UpgradeRequest, wanted: Wanted, run: Run): Promise<void> {
  const protocol = chooseSubprotocol(upgrade.request, subprotocols);
  const webSocket = await acceptWebSocket(upgrade, protocol);
  const hasStatus = protocol.startsWith("v");
  const channels = new Channels(webSocket, {
    base64: protocol.includes("base64"),
    canClose: protocol === "v5.channel.k8s.io",
  });
  const streams: ExecStreams = {
    tty: wanted.tty,
    ...(wanted.stdin ? { stdin: channels.reader(channel.stdin) } : {}),
    ...(wanted.stdout ? { stdout: channels.writer(channel.stdout) } : {}),
    ...(wanted.stderr ? { stderr: channels.writer(channel.stderr) } : {}),
    ...(wanted.tty ? { resize: terminalSizes(channels.reader(channel.resize)) } : {}),
  };
  // An empty message tells the client that its streams are there.
  const first = wanted.stdout ? channel.stdout : wanted.stderr ? channel.stderr : channel.error;
  channels.send(first, Buffer.alloc(0));
  const ending = await run(streams, channels.signal);
  await flushed([streams.stdout, streams.stderr]);
  const text = hasStatus ? statusOf(ending) : textOf(ending);
  if (text !== "") await new Promise<void>((sent) => channels.send(channel.error, Buffer.from(text), () => sent()));
  channels.close();
}

const spdyVersions = ["v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"] as const;
const streamsWithinMs = 30_000;

async function overSpdy(upgrade: UpgradeRequest, wanted: Wanted, run: Run): Promise<void> {
  const version = acceptSpdy(upgrade, spdyVersions);
  const canResize = wanted.tty && (version === "v4.channel.k8s.io" || version === "v3.channel.k8s.io");
  const types = ["error", ...(["stdin", "stdout", "stderr"] as const).filter((name) => wanted[name])];
  if (canResize) types.push("resize");
  const streams = new Map<string, SpdyStream>();
  const complete = Promise.withResolvers<void>();
  const gone = new AbortController();
  const connection = new SpdyConnection(upgrade.socket, (stream) => {
    streams.set(stream.headers.get("streamtype") ?? "", stream);
    if (types.every((type) => streams.has(type))) complete.resolve();
  });
  const timeout = setTimeout(
    () => complete.reject(new Error(`not all of ${types.join(", ")} were opened in time`)),
    streamsWithinMs,
  );
  // A connection that breaks, or speaks no SPDY, is a client that went away.
  const over = (): void => {
    const reason = new Error("the client has closed the connection");
    gone.abort(reason);
    complete.reject(reason);
  };
  const served = connection.serve(upgrade.head).then(over, over);
  const worked = complete.promise.then(async () => {
    clearTimeout(timeout);
    const resize = streams.get("resize");
    const ending = await run(
      {
        tty: wanted.tty,
        ...pick(streams, wanted),
        ...(resize ? { resize: terminalSizes(resize) } : {}),
      },
      gone.signal,
    );
    await flushed([streams.get("stdout"), streams.get("stderr")]);
    await ended(streams.get("error"), version === "v4.channel.k8s.io" ? statusOf(ending) : textOf(ending));
  });
  await worked.catch(() => undefined);
  clearTimeout(timeout);
  connection.close();
  await served;
}

function pick(streams: ReadonlyMap<string, SpdyStream>, wanted: Wanted): Partial<ExecStreams> {
  const [stdin, stdout, stderr] = ["stdin", "stdout", "stderr"].map((name) => streams.get(name));
  return {
    ...(wanted.stdin && stdin ? { stdin: stdin satisfies Readable } : {}),
    ...(wanted.stdout && stdout ? { stdout: stdout satisfies Writable } : {}),
    ...(wanted.stderr && stderr ? { stderr: stderr satisfies Writable } : {}),
  };
}

/** Ends streams and waits until what was written to them is on its way. */
async function flushed(streams: readonly (Writable | undefined)[]): Promise<void> {
  await Promise.all(streams.map((stream) => ended(stream)));
}

async function ended(stream: Writable | undefined, last?: string): Promise<void> {
  if (!stream || stream.destroyed || stream.writableFinished) return;
  await new Promise<void>((resolve) => {
    stream.once("close", resolve);
    if (last === undefined || last === "") stream.end(() => resolve());
    else stream.end(last, () => resolve());
  });
}
