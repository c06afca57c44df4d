/** A whole API server on a free port for tests, driven by HTTPS requests and by a real kubectl. */
import { execFile, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtinDefinitions } from "../api/definitions.ts";
import type { KindDefinition } from "../api/meta/definition.ts";
import type { Logger } from "../telemetry/logger.ts";
import { createApiServer, type ApiServer, type ApiServerOptions } from "./server.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The parsed body, `{}` when it is no JSON. */
  // Tests look at whatever came back.
  readonly json: Loose;
}

/** JSON of unknown shape that tests walk without a cast at each step. */
export interface Loose {
  readonly [key: string]: Loose & string;
}

export const listOf = (value: Loose | undefined): readonly Loose[] => value as unknown as readonly Loose[];

export interface Ask {
  readonly body?: unknown;
  readonly type?: string;
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** `none`: anonymous; default: the certificate of the kubeconfig. */
  readonly token?: string;
}

export interface TestServer {
  readonly server: ApiServer;
  readonly url: string;
  /** Where the kubeconfig is. */
  readonly directory: string;
  /** What the server logged as errors. */
  readonly errors: readonly unknown[];
  ask(method: string, path: string, options?: Ask): Promise<Answer>;
  /** Lines of a streamed answer as they come, until the server ends it or the iteration is left. */
  lines(path: string, accept?: string): AsyncGenerator<Loose>;
  /** Output of a command of the newest kubectl; throws with what it printed on stderr. */
  kubectl(...args: readonly string[]): Promise<string>;
  /** The same of a kubectl chosen by name. */
  run(command: string, ...args: readonly string[]): Promise<string>;
  /** A kubectl that keeps running. */
  spawnKubectl(...args: readonly string[]): ChildProcess;
  close(): Promise<void>;
}

const isInstalled = (command: string): boolean =>
  spawnSync(command, ["version", "--client", "-o", "json"], { stdio: "ignore" }).status === 0;

/** The oldest and newest kubectl that are supported, or whatever is there; tests without any are skipped and say so. */
const named = ["kubectl-1.20", "kubectl-1.36"].filter(isInstalled);
export const kubectls: readonly string[] = named.length > 0 ? named : ["kubectl"].filter(isInstalled);
export const hasKubectl: boolean = kubectls.length > 0;

const plain = (base64: string): string => Buffer.from(base64, "base64").toString();

export interface TestOptions extends Partial<ApiServerOptions> {
  readonly definitions?: readonly KindDefinition[];
  readonly now?: () => number;
}

export async function startTestServer({ now = Date.now, ...options }: TestOptions = {}): Promise<TestServer> {
  const errors: unknown[] = [];
  const log = collectingLog(errors);
  const directory = mkdtempSync(join(tmpdir(), "ebb-apiserver-"));
  const server = createApiServer(
    { dataDir: ":memory:", definitions: builtinDefinitions, freeze: true, ...options },
    { log, now },
  );
  const port = await server.listen({ host: "127.0.0.1", port: 0 });
  const url = `https://127.0.0.1:${port}`;
  const kubeconfig = server.kubeconfig(url);
  writeFileSync(join(directory, "kubeconfig"), kubeconfig);
  const user = JSON.parse(kubeconfig).users[0].user;
  const ca = server.caCertificate;
  const admin = new Agent({
    ca,
    cert: plain(user["client-certificate-data"]),
    key: plain(user["client-key-data"]),
    keepAlive: true,
  });
  const nobody = new Agent({ ca, keepAlive: true });
  const newest = kubectls.at(-1) ?? "kubectl";
  const argsOf = (command: string): string[] => [
    `--kubeconfig=${join(directory, "kubeconfig")}`,
    `--cache-dir=${join(directory, `cache-${command}`)}`,
  ];
  return {
    server,
    url,
    directory,
    errors,
    ask: (method, path, ask = {}) =>
      sendRequest({ url, agent: ask.token === undefined ? admin : nobody, method, path, ask }),
    lines: (path, accept = "application/json") => readLines(url, admin, path, accept),
    kubectl: (...args) => runKubectl(newest, [...argsOf(newest), ...args]),
    run: (command, ...args) => runKubectl(command, [...argsOf(command), ...args]),
    spawnKubectl: (...args) => spawn(newest, [...argsOf(newest), ...args], { stdio: ["ignore", "pipe", "pipe"] }),
    close: async () => {
      admin.destroy();
      nobody.destroy();
      await server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function collectingLog(errors: unknown[]): Logger {
  const log: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (message, fields) => void errors.push({ message, ...fields }),
    with: () => log,
    enabled: () => false,
  };
  return log;
}

interface Sending {
  readonly url: string;
  readonly agent: Agent;
  readonly method: string;
  readonly path: string;
  readonly ask: Ask;
}

async function sendRequest({ url, agent, method, path, ask }: Sending): Promise<Answer> {
  const { body, type = "application/json", accept = "application/json", headers = {}, token } = ask;
  const bytes =
    body === undefined ? undefined : typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  return await new Promise((resolve, reject) => {
    const request = httpsRequest(
      `${url}${path}`,
      {
        method,
        agent,
        headers: {
          accept,
          ...(bytes === undefined ? {} : { "content-type": type, "content-length": String(Buffer.byteLength(bytes)) }),
          ...(token && token !== "none" ? { authorization: `Bearer ${token}` } : {}),
          ...headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          const isJson = (response.headers["content-type"] ?? "").includes("json");
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            json: (isJson ? JSON.parse(text) : {}) as Loose,
          });
        });
        response.on("error", reject);
      },
    );
    request.on("error", reject);
    request.end(bytes);
  });
}

async function* readLines(url: string, agent: Agent, path: string, accept: string): AsyncGenerator<Loose> {
  const request = httpsRequest(`${url}${path}`, { agent, headers: { accept } });
  const response = await new Promise<import("node:http").IncomingMessage>((resolve, reject) => {
    request.on("response", resolve);
    request.on("error", reject);
    request.end();
  });
  let rest = "";
  try {
    for await (const chunk of response) {
      const parts = (rest + String(chunk)).split("\n");
      rest = parts.pop() ?? "";
      for (const line of parts) if (line !== "") yield JSON.parse(line) as Loose;
    }
  } finally {
    request.destroy();
  }
}

async function runKubectl(command: string, args: readonly string[]): Promise<string> {
  return await new Promise((resolve, reject) => {
    const child = execFile(command, args, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${command} ${args.slice(2).join(" ")}: ${stderr}${stdout}`));
      else resolve(stdout);
    });
    child.stdin?.end();
  });
}
