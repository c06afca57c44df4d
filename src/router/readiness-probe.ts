import { connect as connectHttp2, constants } from "node:http2";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Probe } from "../api/core/types.gen.ts";

/** One look at an instance: true when it may take requests. Never rejects. */
export type ProbeOnce = (host: string, probe: Probe) => Promise<boolean>;

/** A pod that is up accepts or refuses within a round trip; one that is not swallows the packet. */
const connectMs = 100;
/** What a kubelet says it is: apps that tell probes from requests go by it. */
const userAgent = "kube-probe/1.36";
/** The first line of an answer is all that is read. */
const statusLineBytes = 64;

/** Probes the router can make itself: an `exec` is the kubelet's alone, and the router asks nobody but the pod. */
export const canProbe = ({ exec, httpGet, tcpSocket }: Probe): boolean =>
  exec === undefined && !httpGet?.host && !tcpSocket?.host;

/**
 * Probes as a kubelet would (pkg/probe): HTTP 200 to 399 (certificates are not checked), a TCP connection, or gRPC health
 * SERVING. Takes no longer than the probe's own time-out, a second when it names none.
 */
export const probeOnce: ProbeOnce = (host, probe) => {
  const timeoutMs = (probe.timeoutSeconds || 1) * 1000;
  if (probe.httpGet !== undefined) return probeHttp(host, probe, timeoutMs);
  if (probe.grpc !== undefined) return probeGrpc(host, probe, timeoutMs);
  return probeTcp(host, probe);
};

const portOf = (port: number | string | undefined): number => Number(port ?? 0);

function probeTcp(host: string, { tcpSocket }: Probe): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: portOf(tcpSocket?.port) });
    const end = (ok: boolean): void => {
      socket.destroy();
      resolve(ok);
    };
    socket.setTimeout(connectMs, () => end(false));
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
  });
}

function probeHttp(host: string, { httpGet = { port: 0 } }: Probe, timeoutMs: number): Promise<boolean> {
  const to = { host, port: portOf(httpGet.port) };
  return new Promise((resolve) => {
    const isTls = httpGet.scheme?.toUpperCase() === "HTTPS";
    const socket: Socket = isTls ? connectTls({ ...to, rejectUnauthorized: false }) : connect(to);
    let answer = "";
    const end = (ok: boolean): void => {
      socket.destroy();
      resolve(ok);
    };
    socket.setTimeout(connectMs, () => end(false));
    socket.once(isTls ? "secureConnect" : "connect", () => {
      socket.setTimeout(timeoutMs, () => end(false));
      socket.write(requestText(httpGet, to), "latin1");
    });
    socket.on("data", (bytes: Buffer) => {
      answer += bytes.toString("latin1", 0, statusLineBytes);
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(answer)?.[1];
      if (status !== undefined) end(status >= "200" && status < "400");
      else if (answer.length >= statusLineBytes) end(false);
    });
    socket.once("error", () => end(false));
    socket.once("end", () => end(false));
  });
}

function requestText(
  { path = "/", httpHeaders = [] }: NonNullable<Probe["httpGet"]>,
  { host, port }: { readonly host: string; readonly port: number },
): string {
  const given = new Map(httpHeaders.map(({ name, value }) => [name.toLowerCase(), `${name}: ${value ?? ""}`]));
  const headers = new Map([
    ["host", `Host: ${host.includes(":") ? `[${host}]` : host}:${port}`],
    ["user-agent", `User-Agent: ${userAgent}`],
    ["accept", "Accept: */*"],
    ...given,
    ["connection", "Connection: close"],
  ]);
  const target = path.startsWith("/") ? path : `/${path}`;
  return `GET ${target} HTTP/1.1\r\n${[...headers.values()].join("\r\n")}\r\n\r\n`;
}

const serving = 1;

function probeGrpc(host: string, { grpc = { port: 0 } }: Probe, timeoutMs: number): Promise<boolean> {
  const authority = host.includes(":") ? `[${host}]` : host;
  return new Promise((resolve) => {
    const session = connectHttp2(`http://${authority}:${portOf(grpc.port)}`);
    const parts: Buffer[] = [];
    const end = (ok: boolean): void => {
      session.destroy();
      resolve(ok);
    };
    session.setTimeout(connectMs, () => end(false));
    session.once("error", () => end(false));
    session.once("connect", () => session.setTimeout(timeoutMs, () => end(false)));
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_PATH]: "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      "user-agent": userAgent,
      te: "trailers",
    });
    stream.once("error", () => end(false));
    stream.on("data", (bytes: Buffer) => parts.push(bytes));
    stream.once("end", () => end(healthOf(Buffer.concat(parts)) === serving));
    stream.end(healthRequest(grpc.service ?? ""));
  });
}

/** HealthCheckRequest{1 service} behind gRPC's five bytes: not compressed, length. */
function healthRequest(service: string): Buffer {
  const name = Buffer.from(service, "utf8");
  const length = name.length < 128 ? [name.length] : [(name.length & 0x7f) | 0x80, name.length >> 7];
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, ...length]), name]);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}

/** HealthCheckResponse{1 status}; 0 for an answer without one. */
const healthOf = (frame: Buffer): number => (frame.length >= 7 && frame[5] === 0x08 ? (frame[6] as number) : 0);
