/** Real kubectls against an API server in this process. */
import { execFile } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { builtinDefinitions } from "../../src/api/definitions.ts";
import { servingDefinitions } from "../../src/api/serving/definitions.ts";
import { createApiServer, type ApiServer } from "../../src/apiserver/server.ts";
import type { Logger } from "../../src/telemetry/logger.ts";

/**
 * The kubectls on the PATH that tests run with: the oldest and the newest that must work, by the names CI gives them,
 * or else whatever `kubectl` is.
 */
export function installedKubectls(): readonly string[] {
  const named = ["kubectl-1.20", "kubectl-1.36"].filter(isInstalled);
  return named.length > 0 ? named : ["kubectl"].filter(isInstalled);
}

function isInstalled(name: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return true;
    } catch {
      // Not in this directory.
      return false;
    }
  });
}

export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Fixture {
  readonly server: ApiServer;
  /** Whatever the server logged as an error. */
  readonly errors: readonly unknown[];
  /** Runs kubectl with the server's kubeconfig; `input` goes to its standard input. */
  kubectl(args: readonly string[], input?: string): Promise<Answer>;
  close(): Promise<void>;
}

/** Starts a server that keeps nothing. */
export async function startFixture(program: string): Promise<Fixture> {
  const directory = mkdtempSync(join(tmpdir(), "ebb-kubectl-"));
  const errors: unknown[] = [];
  const log: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (message, fields) => void errors.push({ message, ...fields }),
    with: () => log,
    enabled: () => false,
  };
  const server = createApiServer(
    { dataDir: ":memory:", definitions: [...builtinDefinitions, ...servingDefinitions], freeze: true },
    { log, now: () => Date.now() },
  );
  const port = await server.listen({ host: "127.0.0.1", port: 0 });
  const kubeconfig = join(directory, "kubeconfig");
  writeFileSync(kubeconfig, server.kubeconfig(`https://127.0.0.1:${port}`));
  const common = ["--kubeconfig", kubeconfig, "--cache-dir", join(directory, "cache")];
  return {
    server,
    errors,
    kubectl: (args, input = "") => run(program, [...common, ...args], input),
    close: async () => {
      await server.close();
      rmSync(directory, { recursive: true });
    },
  };
}

function run(program: string, args: readonly string[], input: string): Promise<Answer> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { timeout: 20_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
      resolve({ code, stdout, stderr });
    });
    child.stdin?.end(input);
  });
}
