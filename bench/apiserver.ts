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

async function main(seconds: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "ebb-bench-"));
  const options = { dataDir: directory, definitions: builtinDefinitions };
  const deps = { log, now: () => Date.now() };
  const started = performance.now();
  const server = createApiServer(options, deps);
  const port = await server.listen({ host: "127.0.0.1", port: 0 });
  console.log(`start on an empty directory   ${(performance.now() - started).toFixed(0)} ms`);
  const config = JSON.parse(server.kubeconfig(`https://localhost:${port}`));
  const plain = (text: string): string => Buffer.from(text, "base64").toString();
  const user = config.users[0].user;
  const credentials: Credentials = {
    port,
    ca: server.caCertificate,
    cert: plain(user["client-certificate-data"]),
    key: plain(user["client-key-data"]),
  };
  for (let i = 0; i < 1000; i += 1)
    await server.api.create(ConfigMapKind, {
      metadata: { name: `known-${i}`, namespace: "default" },
      data: { filler },
    });
  for (const kind of ["create", "get", "merge-patch"])
    console.log(`${kind.padEnd(30)}${(await measureRate(kind, seconds, credentials)).toFixed(0)} /s`);
  const delays = (await measureWatchers(server, credentials)).sort((a, b) => a - b);
  const at = (share: number): number => delays[Math.floor(delays.length * share)] ?? Number.NaN;
  console.log(`a change to 100 watchers      p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms`);
  console.log(`memory                        ${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB RSS`);
  await server.close();
  await measureRestart(deps);
  rmSync(directory, { recursive: true });
}

async function measureRestart(deps: { readonly log: Logger; readonly now: () => number }): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "ebb-bench-"));
  const options = { dataDir: directory, definitions: builtinDefinitions };
  const first = createApiServer(options, deps);
  for (let i = 0; i < 10_000; i += 1)
    await first.api.create(ConfigMapKind, { metadata: { name: `known-${i}`, namespace: "default" }, data: { filler } });
  await first.close();
  const started = performance.now();
  const again = createApiServer(options, deps);
  console.log(`start with 10,000 objects     ${(performance.now() - started).toFixed(0)} ms`);
  await again.close();
  rmSync(directory, { recursive: true });
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
