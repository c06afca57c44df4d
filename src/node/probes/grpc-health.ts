import { connect, constants } from "node:http2";
import type { NetAddress } from "../runtime.ts";
import type { ProbeResult } from "./probe-once.ts";

/** HealthCheckResponse.ServingStatus of grpc.health.v1. */
const statusNames = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

/** Calls grpc.health.v1.Health/Check over cleartext HTTP/2; only SERVING is success. */
export async function grpcHealth(
  { host, port }: NetAddress,
  service: string,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const session = connect(`http://${host}:${port}`);
  const stop = (): void => session.destroy();
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await check(session, service, signal, `${host}:${port}`);
  } finally {
    signal.removeEventListener("abort", stop);
    session.destroy();
  }
}

function check(
  session: ReturnType<typeof connect>,
  service: string,
  signal: AbortSignal,
  address: string,
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const fail = (why: string): void =>
      resolve({
        ok: false,
        message: signal.aborted ? `timeout: failed to connect service "${address}" within the time given` : why,
      });
    session.once("error", (error) => fail(`error: ${error.message}`));
    session.once("close", () => fail("connection closed"));
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_PATH]: "/grpc.health.v1.Health/Check",
      [constants.HTTP2_HEADER_CONTENT_TYPE]: "application/grpc",
      te: "trailers",
      "user-agent": "kube-probe/1.36",
    });
    const chunks: Buffer[] = [];
    let grpcStatus = "";
    stream.on("response", (headers) => (grpcStatus = String(headers["grpc-status"] ?? "")));
    stream.on("trailers", (headers) => (grpcStatus = String(headers["grpc-status"] ?? grpcStatus)));
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.once("error", (error) => fail(`error: ${error.message}`));
    stream.once("end", () => {
      if (grpcStatus === "12")
        return fail("error: this server does not implement the grpc health protocol (grpc.health.v1.Health)");
      if (grpcStatus !== "0") return fail(`error: health rpc failed with grpc-status ${grpcStatus || "missing"}`);
      const status = servingStatus(Buffer.concat(chunks));
      if (status === 1) resolve({ ok: true });
      else fail(`service unhealthy (responded with "${statusNames[status] ?? status}")`);
    });
    stream.end(frame(service));
  });
}

/** A gRPC message frame holding HealthCheckRequest { service = 1 }. */
function frame(service: string): Buffer {
  const name = Buffer.from(service);
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** HealthCheckResponse { status = 1 } of the first frame; an empty message means 0, UNKNOWN. */
const servingStatus = (body: Buffer): number => (body[5] === 0x08 ? (body[6] ?? 0) : 0);
