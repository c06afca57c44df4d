/** Bearer tokens that change: files that are rewritten, and programs that give them out. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

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
}

export interface ExecCredential {
  readonly token?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  /** Milliseconds since the epoch; absent: good until refused. */
  readonly expiresAtMs?: number;
}

const defaultExecVersion = "client.authentication.k8s.io/v1";

/** Runs a credential plugin once. Throws an Error that names the program, and how to install it if the config says. */
export async function runExecPlugin(
  plugin: ExecPlugin,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ExecCredential> {
  const own = Object.fromEntries((plugin.env ?? []).map(({ name, value }) => [name, value]));
  const info = {
    apiVersion: plugin.apiVersion ?? defaultExecVersion,
    kind: "ExecCredential",
    spec: { interactive: false },
  };
  const env = { ...environment, ...own, KUBERNETES_EXEC_INFO: JSON.stringify(info) };
  try {
    const { stdout } = await promisify(execFile)(plugin.command, [...(plugin.args ?? [])], { env });
    return toCredential(JSON.parse(stdout));
  } catch (error) {
    const why = error instanceof Error ? error.message.trim() : String(error);
    const hint = isMissingProgram(error) && plugin.installHint ? `; ${plugin.installHint.trim()}` : "";
    throw new Error(`the credential plugin "${plugin.command}" failed: ${why}${hint}`, { cause: error });
  }
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
