import { request } from "node:http";
import { request as requestTls } from "node:https";
import { connect } from "node:net";
import type { HTTPGetAction, Probe } from "../../api/core/types.gen.ts";
import type { NetAddress, RunningContainer } from "../runtime.ts";
import { grpcHealth } from "./grpc-health.ts";

/** `message` says what was seen, in the kubelet's words: it goes into the Unhealthy event. */
export type ProbeResult = { readonly ok: true } | { readonly ok: false; readonly message: string };

export interface ProbeTarget {
  readonly running: Pick<RunningContainer, "exec">;
  /** Where a port of the pod's spec, number or name, is really found; undefined when no container has it. */
  readonly locate: (port: number | string) => NetAddress | undefined;
}

const ok: ProbeResult = { ok: true };

/** Runs one probe once. Never throws; the signal carries the timeout as well as the end of probing. */
export async function probeOnce(probe: Probe, target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  try {
    if (probe.httpGet) return await probeHttp(probe.httpGet, target, signal);
    if (probe.tcpSocket) return await probeTcp(at(target, probe.tcpSocket.port, probe.tcpSocket.host), signal);
    if (probe.grpc) return await grpcHealth(at(target, probe.grpc.port), probe.grpc.service ?? "", signal);
    if (probe.exec) return await probeExec(probe.exec.command ?? [], target, signal);
    return ok;
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

function at(target: ProbeTarget, port: number | string, host?: string): NetAddress {
  if (host !== undefined && host !== "") return { host, port: Number(port) };
  const found = target.locate(port);
  if (!found) throw new Error(`no container has a port "${port}"`);
  return found;
}

function probeHttp(action: HTTPGetAction, target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  const { host, port } = at(target, action.port, action.host);
  const path = action.path ?? "/";
  const headers: Record<string, string> = { "user-agent": "kube-probe/1.36", accept: "*/*", connection: "close" };
  for (const { name, value } of action.httpHeaders ?? []) headers[name.toLowerCase()] = value ?? "";
  const secure = action.scheme?.toUpperCase() === "HTTPS";
  const options = { host, port, path: path.startsWith("/") ? path : `/${path}`, headers, signal, agent: false };
  return new Promise((resolve) => {
    const req = secure ? requestTls({ ...options, rejectUnauthorized: false }) : request(options);
    req.once("response", (res) => {
      const status = res.statusCode ?? 0;
      res.resume();
      res.once("error", () => undefined);
      resolve(
        status >= 200 && status < 400 ? ok : { ok: false, message: `HTTP probe failed with statuscode: ${status}` },
      );
      req.destroy();
    });
    req.on("error", (error) => {
      const url = `${secure ? "https" : "http"}://${host}:${port}${options.path}`;
      resolve({ ok: false, message: `Get "${url}": ${reasonOf(error, signal)}` });
    });
    req.end();
  });
}

function probeTcp({ host, port }: NetAddress, signal: AbortSignal): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (result: ProbeResult): void => {
      signal.removeEventListener("abort", onAbort);
      socket.destroy();
      resolve(result);
    };
    const onAbort = (): void => finish({ ok: false, message: `dial tcp ${host}:${port}: i/o timeout` });
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once("connect", () => finish(ok));
    socket.once("error", (error) =>
      finish({ ok: false, message: `dial tcp ${host}:${port}: ${reasonOf(error, signal)}` }),
    );
  });
}

async function probeExec(command: readonly string[], target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  const { Writable } = await import("node:stream");
  let output = "";
  const keep = new Writable({
    write(chunk: Buffer, _, done) {
      if (output.length < 4096) output += chunk.toString("utf8");
      done();
    },
  });
  const exitCode = await target.running.exec(command, { stdout: keep, stderr: keep, tty: false, signal });
  if (signal.aborted) return { ok: false, message: `command timed out: ${JSON.stringify(command)}` };
  return exitCode === 0
    ? ok
    : { ok: false, message: output.slice(0, 4096).trim() || `command exited with ${exitCode}` };
}

function reasonOf(error: NodeJS.ErrnoException, signal: AbortSignal): string {
  if (signal.aborted) return "context deadline exceeded";
  if (error.code === "ECONNREFUSED") return "connect: connection refused";
  return error.message;
}
