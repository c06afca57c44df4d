import { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { HttpClient } from "./http-client.ts";

export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

const dataChannel = 0;
const errorChannel = 1;

/**
 * A connection to a port of a pod through the API server, by the WebSocket form of port-forward that every version has
 * (`v4.channel.k8s.io`: channel 0 data, 1 errors, each beginning with the port as u16). It has no half-close: ending it
 * waits for the pod to end. Throws ApiError; a port nobody listens on destroys the stream with what the node says.
 */
export async function connectToPod(client: HttpClient, to: PodPort, signal?: AbortSignal): Promise<Duplex> {
  const socket = await client.webSocket({
    path: `/api/v1/namespaces/${to.namespace}/pods/${to.pod}/portforward?ports=${to.port}`,
    protocols: ["v4.channel.k8s.io"],
    ...(signal ? { signal } : {}),
  });
  return podStream(socket, to);
}

function podStream(socket: WebSocket, to: PodPort): Duplex {
  const begun = new Set<number>();
  const stream = new Duplex({
    allowHalfOpen: true,
    read: () => void socket.resume(),
    write(chunk: Buffer, _encoding, done) {
      socket.send(Buffer.concat([Buffer.of(dataChannel), chunk]), (error) => done(error));
    },
    final: (done) => done(),
    destroy(error, done) {
      socket.terminate();
      done(error);
    },
  });
  socket.on("message", (data: Buffer) => {
    const channel = data[0] ?? 0;
    let bytes = data.subarray(1);
    if (!begun.has(channel)) {
      begun.add(channel);
      bytes = bytes.subarray(2);
    }
    if (bytes.byteLength === 0) return;
    if (channel === errorChannel)
      stream.destroy(new Error(`port ${to.port} of pod ${to.pod}: ${bytes.toString("utf8").trim()}`));
    else if (!stream.push(bytes)) socket.pause();
  });
  socket.on("error", (error) => stream.destroy(error));
  socket.once("close", () => {
    if (!stream.destroyed) stream.push(null);
  });
  socket.resume();
  return stream;
}
