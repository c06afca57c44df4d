/**
 * `kubectl port-forward`: TCP connections to a pod's ports as pairs of SPDY streams, on a SPDY upgrade (kubectl before
 * 1.31) or inside WebSocket messages (since), or as numbered channels of a plain WebSocket (JavaScript clients).
 */
import type { Duplex } from "node:stream";
import { createWebSocketStream } from "ws";
import { badRequest } from "../../api/meta/errors.ts";
import { Channels } from "./channels.ts";
import type { NodeConnection, PodReference } from "../../api/node-connection.ts";
import { findPod, requireNode, type PodPlace, type StreamDeps } from "./pod-target.ts";
import { SpdyConnection, type SpdyStream } from "./spdy-connection.ts";
import { acceptSpdy, acceptWebSocket, chooseSubprotocol, isSpdy, isWebSocket, type UpgradeRequest } from "./upgrade.ts";

const spdyVersion = "portforward.k8s.io";
const tunnel = "SPDY/3.1+portforward.k8s.io";
const subprotocols = [tunnel, "v4.channel.k8s.io", "v4.base64.channel.k8s.io", ""] as const;

interface Forwarding {
  readonly node: NodeConnection;
  readonly reference: PodReference;
}

export async function servePortForward(
  deps: StreamDeps,
  place: PodPlace,
  upgrade: UpgradeRequest & { readonly query: URLSearchParams },
): Promise<void> {
  const { pod, reference } = findPod(deps, place);
  const forwarding = { node: requireNode(deps, pod), reference };
  if (isSpdy(upgrade.request)) {
    acceptSpdy(upgrade, [spdyVersion]);
    return overSpdy(forwarding, upgrade.socket, upgrade.head);
  }
  if (!isWebSocket(upgrade.request))
    throw badRequest("Upgrade request required: port-forward speaks WebSocket or SPDY/3.1");
  const protocol = chooseSubprotocol(upgrade.request, subprotocols);
  const ports = protocol === tunnel ? [] : portsOf(upgrade.query);
  const webSocket = await acceptWebSocket(upgrade, protocol);
  if (protocol === tunnel) return overSpdy(forwarding, createWebSocketStream(webSocket), Buffer.alloc(0));
  await overChannels(
    forwarding,
    new Channels(webSocket, { base64: protocol.includes("base64"), canClose: false }),
    ports,
  );
}

function portsOf(query: URLSearchParams): readonly number[] {
  const ports = query
    .getAll("ports")
    .flatMap((text) => text.split(","))
    .map(parsePort);
  if (ports.length === 0) throw badRequest('query parameter "ports" is required');
  return ports;
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw badRequest(`port "${text}" is not a number from 1 to 65535`);
  return port;
}

interface Pair {
  data?: SpdyStream;
  error?: SpdyStream;
}

async function overSpdy(forwarding: Forwarding, transport: Duplex, head: Buffer): Promise<void> {
  const pairs = new Map<string, Pair>();
  const gone = new AbortController();
  const connection = new SpdyConnection(transport, (stream) => {
    const type = stream.headers.get("streamtype");
    if (type !== "data" && type !== "error") return void stream.destroy();
    const key = requestOf(stream, type);
    const pair = pairs.get(key) ?? {};
    pair[type] = stream;
    pairs.set(key, pair);
    if (!pair.data || !pair.error) return;
    pairs.delete(key);
    void forwardPair(forwarding, pair.data, pair.error, gone.signal);
  });
  try {
    await connection.serve(head);
  } catch {
    // The client broke off or spoke no SPDY: the connection is gone either way.
  } finally {
    gone.abort(new Error("the client has closed the connection"));
  }
}

/** Old clients name no request: their error stream comes first, its data stream next. */
function requestOf({ id, headers }: SpdyStream, type: "data" | "error"): string {
  return headers.get("requestid") ?? `stream ${type === "error" ? id : id - 2}`;
}

async function forwardPair(
  { node, reference }: Forwarding,
  data: SpdyStream,
  error: SpdyStream,
  signal: AbortSignal,
): Promise<void> {
  const port = data.headers.get("port") ?? "";
  try {
    await node.portForward(reference, parsePort(port), data, signal);
    error.end();
    if (!data.writableEnded) data.end();
  } catch (failure) {
    error.end(failureText(reference, port, failure));
    data.destroy();
  }
}

function failureText({ name, uid }: PodReference, port: string | number, failure: unknown): string {
  const why = failure instanceof Error ? failure.message : String(failure);
  return `error forwarding port ${port} to pod ${name}, uid ${uid}: ${why}`;
}

/** Channel 2i carries the data of port i, 2i+1 its errors; each begins with the port, two bytes little-endian. */
async function overChannels(forwarding: Forwarding, channels: Channels, ports: readonly number[]): Promise<void> {
  await Promise.all(
    ports.map(async (port, i) => {
      const head = Buffer.from([port & 0xff, port >> 8]);
      const [data, error] = [2 * i, 2 * i + 1];
      const connection = channels.duplex(data);
      connection.on("error", () => connection.destroy());
      channels.send(data, head);
      channels.send(error, head);
      try {
        await forwarding.node.portForward(forwarding.reference, port, connection, channels.signal);
      } catch (failure) {
        const text = failureText(forwarding.reference, port, failure);
        await new Promise<void>((sent) => channels.send(error, Buffer.from(text), () => sent()));
      }
    }),
  );
  channels.close();
}
