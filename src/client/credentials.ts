/** Bearer tokens that change: files that are rewritten, and programs that give them out. */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";

export interface Token {
  readonly value: string;
  /** Milliseconds since the epoch; absent: good until refused. */
  readonly expiresAtMs?: number;
}

/** How to get a token anew. */
export interface TokenRenewal {
  /** Ask again this long after the last time, whatever the token says; absent: only by its expiry. */
  readonly afterMs?: number;
  readonly renew: () => Promise<Token>;
}

/** Projected service account tokens are rewritten long before they end; client-go reads them each minute. */
const fileAgeMs = 60_000;

export const fileToken = (path: string): TokenRenewal => ({
  afterMs: fileAgeMs,
  renew: async () => ({ value: (await readFile(path, "utf8")).trim() }),
});

export interface ExecPlugin {
  readonly apiVersion?: string;
  readonly command: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly installHint?: string;
  readonly provideClusterInfo?: boolean;
  readonly interactiveMode?: "Never" | "IfAvailable" | "Always";
}

/** The cluster as a plugin sees it (client.authentication.k8s.io/v1 Cluster). */
export interface ExecCluster {
  readonly server: string;
  readonly config?: unknown;
  readonly [field: string]: unknown;
}

export interface ExecPlace {
  readonly cluster?: ExecCluster;
  /** Whether there is somebody to answer questions on standard input. */
  readonly terminal?: boolean;
}

export interface ExecCredential {
  readonly token?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  /** Milliseconds since the epoch; absent: good until refused. */
  readonly expiresAtMs?: number;
}

const defaultExecVersion = "client.authentication.k8s.io/v1";

/**
 * Runs a credential plugin once. In a terminal, what it writes to standard error is passed on as it comes: some ask
 * there to open a page. Throws an Error that names the program, its last words, and how to install it if the config says.
 */
export async function runExecPlugin(
  plugin: ExecPlugin,
  environment: Readonly<Record<string, string | undefined>>,
  { cluster, terminal = false }: ExecPlace = {},
): Promise<ExecCredential> {
  const { command, args = [], interactiveMode = "IfAvailable" } = plugin;
  const own = Object.fromEntries((plugin.env ?? []).map(({ name, value }) => [name, value]));
  const interactive = terminal && interactiveMode !== "Never";
  if (interactiveMode === "Always" && !terminal)
    throw new Error(`the credential plugin "${command}" asks questions: run this in a terminal`);
  const info = {
    apiVersion: plugin.apiVersion ?? defaultExecVersion,
    kind: "ExecCredential",
    spec: { interactive, ...(plugin.provideClusterInfo === true && cluster ? { cluster } : {}) },
  };
  const env = { ...environment, ...own, KUBERNETES_EXEC_INFO: JSON.stringify(info) };
  try {
    return toCredential(JSON.parse(await outputOf(command, args, env, interactive)));
  } catch (error) {
    const why = error instanceof Error ? error.message.trim() : String(error);
    const hint = isMissingProgram(error) && plugin.installHint ? `; ${plugin.installHint.trim()}` : "";
    throw new Error(`the credential plugin "${command}" failed: ${why}${hint}`, { cause: error });
  }
}

async function outputOf(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  interactive: boolean,
): Promise<string> {
  const child = spawn(command, [...args], {
    env: { ...env },
    stdio: [interactive ? "inherit" : "ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number | string>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? signal ?? "unknown"));
  });
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString("utf8")).slice(-2000);
    if (interactive) process.stderr.write(chunk);
  });
  const [code, output] = await Promise.all([ended, child.stdout ? text(child.stdout) : ""]);
  if (code !== 0) throw new Error(`it ended with ${code}${said.trim() === "" ? "" : `: ${said.trim()}`}`);
  return output;
}

const isMissingProgram = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "code" in error && error.code === "ENOENT";

interface ExecAnswer {
  readonly status?: {
    readonly token?: string;
    readonly clientCertificateData?: string;
    readonly clientKeyData?: string;
    readonly expirationTimestamp?: string;
  };
}

function toCredential({ status }: ExecAnswer): ExecCredential {
  if (!status?.token && !status?.clientCertificateData) {
    throw new Error("its answer has neither a token nor a certificate");
  }
  const expiresAtMs = status.expirationTimestamp ? Date.parse(status.expirationTimestamp) : Number.NaN;
  return {
    ...(status.token ? { token: status.token } : {}),
    ...(status.clientCertificateData ? { clientCertificate: status.clientCertificateData } : {}),
    ...(status.clientKeyData ? { clientKey: status.clientKeyData } : {}),
    ...(Number.isNaN(expiresAtMs) ? {} : { expiresAtMs }),
  };
}
