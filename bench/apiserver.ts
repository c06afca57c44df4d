/**
 * The API server over HTTPS with client certificates: creates, gets and merge patches of 500-byte objects on 16
 * connections; delay of a change to 100 watchers; start-up on an empty directory and with 10,000 objects.
 *
 *     node bench/apiserver.ts [seconds per measurement, default 3]
 */
import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { ConfigMapKind } from "../src/api/core/kinds.ts";
import { builtinDefinitions } from "../src/api/definitions.ts";
import { createApiServer, type ApiServer } from "../src/apiserver/server.ts";
import type { Logger } from "../src/telemetry/logger.ts";
import { percentile, report, type BenchRow } from "./report.ts";

const connections = 16;
const log: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: console.warn,
  error: console.error,
  with: () => log,
  enabled: () => false,
};

interface Credentials {
  readonly port: number;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** One keep-alive HTTP/1.1 connection that sends the next request when the last is answered. */
class Connection {
  readonly #socket: TLSSocket;
  #answered: (() => void) | undefined;
  #rest: Buffer = Buffer.alloc(0);
  status = "";

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
  }

  static async open({ port, ca, cert, key }: Credentials): Promise<Connection> {
    return await new Promise((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1", servername: "localhost", ca, cert, key }, () =>
        resolve(new Connection(socket)),
      );
      socket.on("error", reject);
      socket.setNoDelay(true);
    });
  }

  async send(text: string): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#answered = resolve;
      this.#socket.write(text);
    });
  }

  #read(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const end = this.#rest.indexOf("\r\n\r\n");
    if (end < 0) return;
    const head = this.#rest.toString("latin1", 0, end);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (this.#rest.length < end + 4 + length) return;
    this.status = head.slice(9, 12);
    this.#rest = this.#rest.subarray(end + 4 + length);
    this.#answered?.();
  }

  close(): void {
    this.#socket.destroy();
  }
}

const filler = "x".repeat(300);
const path = "/api/v1/namespaces/default/configmaps";

function requestText(kind: string, i: number): string {
  const head = (method: string, url: string, body: string, type = "application/json"): string =>
    `${method} ${url} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench/1\r\nAccept: application/json\r\n${body === "" ? "" : `Content-Type: ${type}\r\nContent-Length: ${body.length}\r\n`}\r\n${body}`;
  switch (kind) {
    case "create":
      return head(
        "POST",
        path,
        JSON.stringify({
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: { name: `c-${process.pid}-${i}` },
          data: { filler },
        }),
      );
    case "get":
      return head("GET", `${path}/known-${i % 1000}`, "");
    default:
      return head("PATCH", `${path}/known-${i % 1000}`, `{"data":{"n":"${i}"}}`, "application/merge-patch+json");
  }
}

/** In the child process: as many requests as the time allows; answers with the rate. */
async function drive(kind: string, seconds: number, credentials: Credentials): Promise<number> {
  const open = await Promise.all(Array.from({ length: connections }, () => Connection.open(credentials)));
  const until = performance.now() + seconds * 1000;
  let sent = 0;
  await Promise.all(
    open.map(async (connection) => {
      while (performance.now() < until) {
        await connection.send(requestText(kind, sent++));
        if (!connection.status.startsWith("2")) throw new Error(`${kind} answered ${connection.status}`);
      }
    }),
  );
  open.forEach((connection) => connection.close());
  return sent / seconds;
}

async function measureRate(kind: string, seconds: number, credentials: Credentials): Promise<number> {
  const child = fork(import.meta.filename, ["drive", kind, String(seconds), JSON.stringify(credentials)]);
  return await new Promise((resolve, reject) => {
    child.on("message", (rate) => resolve(Number(rate)));
    child.on("exit", (code) => code && reject(new Error(`the load generator ended with ${code}`)));
  });
}

/** Opens 100 watches in the child process and tells how old each change is when it arrives. */
async function watchDelays(credentials: Credentials, changes: number): Promise<number[]> {
  const delays: number[] = [];
  let arrived = 0;
  await new Promise<void>((done) => {
    for (let w = 0; w < 100; w += 1) {
      const { port, ca, cert, key } = credentials;
      const socket = connect({ port, host: "127.0.0.1", servername: "localhost", ca, cert, key }, () =>
        socket.write(
          `GET ${path}?watch=true&resourceVersion=${"0"}&labelSelector=bench HTTP/1.1\r\nHost: localhost\r\n\r\n`,
        ),
      );
      socket.on("data", (chunk: Buffer) => {
        const at = Date.now();
        for (const match of chunk.toString().matchAll(/"sent":"(\d+)"/g)) {
          delays.push(at - Number(match[1]));
          arrived += 1;
        }
        if (arrived >= changes * 100) done();
      });
    }
    setTimeout(() => process.send?.("ready"), 1500);
  });
  return delays;
}

async function measureWatchers(server: ApiServer, credentials: Credentials): Promise<number[]> {
  const changes = 200;
  const child = fork(import.meta.filename, ["watch", String(changes), JSON.stringify(credentials)]);
  return await new Promise((resolve) => {
    child.on("message", (message) => {
      if (message !== "ready") return resolve(message as number[]);
      let sent = 0;
      const timer = setInterval(() => {
        const data = { sent: String(Date.now()) };
        const metadata = { name: "watched", namespace: "default", labels: { bench: "true" } };
        void server.api.patch(ConfigMapKind, metadata, {
          type: "apply",
          body: { apiVersion: "v1", kind: "ConfigMap", metadata, data },
        });
        if (++sent === changes) clearInterval(timer);
      }, 10);
    });
  });
}

const targets: Readonly<Record<string, number>> = { create: 3000, get: 8000, "merge-patch": 3000 };

async function main(seconds: number): Promise<void> {
  const rows: BenchRow[] = [];
  const directory = mkdtempSync(join(tmpdir(), "ebb-bench-"));
  const deps = { log, now: () => Date.now() };
  const started = performance.now();
  const server = createApiServer({ dataDir: directory, definitions: builtinDefinitions }, deps);
  const port = await server.listen({ host: "127.0.0.1", port: 0 });
  rows.push(startRow("API server on an empty directory, ready in", performance.now() - started, 600));
  const credentials = credentialsOf(server, port);
  for (let i = 0; i < 1000; i += 1) await server.api.create(ConfigMapKind, known(i));
  for (const [kind, target] of Object.entries(targets)) {
    const rate = await measureRate(kind, seconds, credentials);
    const measured = `${Math.round(rate)} /s`;
    rows.push({
      what: `${kind}, ${connections} connections, 500 bytes`,
      measured,
      target: `≥ ${target} /s`,
      met: rate >= target,
    });
  }
  rows.push(await watcherRow(server, credentials));
  await server.close();
  rmSync(directory, { recursive: true });
  rows.push(await restartRow(deps));
  report("apiserver", rows);
}

const known = (i: number): { metadata: { name: string; namespace: string }; data: { filler: string } } => ({
  metadata: { name: `known-${i}`, namespace: "default" },
  data: { filler },
});

const startRow = (what: string, ms: number, target: number): BenchRow => ({
  what,
  measured: `${ms.toFixed(0)} ms`,
  target: `≤ ${target} ms, all of ebb`,
  met: ms <= target,
});

function credentialsOf(server: ApiServer, port: number): Credentials {
  const { user } = JSON.parse(server.kubeconfig(`https://localhost:${port}`)).users[0];
  const plain = (text: string): string => Buffer.from(text, "base64").toString();
  return {
    port,
    ca: server.caCertificate,
    cert: plain(user["client-certificate-data"]),
    key: plain(user["client-key-data"]),
  };
}

async function watcherRow(server: ApiServer, credentials: Credentials): Promise<BenchRow> {
  const delays = await measureWatchers(server, credentials);
  const [p50, p95, p99] = [50, 95, 99].map((p) => percentile(delays, p));
  return {
    what: "a change to each of 100 watchers, at 100 changes/s",
    measured: `p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms`,
    target: "p95 ≤ 20 ms",
    met: (p95 ?? Number.NaN) <= 20,
  };
}

async function restartRow(deps: { readonly log: Logger; readonly now: () => number }): Promise<BenchRow> {
  const directory = mkdtempSync(join(tmpdir(), "ebb-bench-"));
  const options = { dataDir: directory, definitions: builtinDefinitions };
  const first = createApiServer(options, deps);
  for (let i = 0; i < 10_000; i += 1) await first.api.create(ConfigMapKind, known(i));
  await first.close();
  const started = performance.now();
  const again = createApiServer(options, deps);
  const row = startRow("API server with 10,000 objects, ready in", performance.now() - started, 1500);
  await again.close();
  rmSync(directory, { recursive: true });
  return row;
}

const [mode = "", ...rest] = process.argv.slice(2);
if (mode === "drive") {
  const [kind = "", seconds, credentials = ""] = rest;
  process.send?.(await drive(kind, Number(seconds), JSON.parse(credentials)));
  process.exit(0);
} else if (mode === "watch") {
  const delays = await watchDelays(JSON.parse(rest[1] ?? ""), Number(rest[0]));
  process.send?.(delays, () => process.exit(0));
} else await main(Number(mode || 3));
