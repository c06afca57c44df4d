import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRegistryServer, type RegistryServerOptions } from "../../src/images/server/registry-server.ts";
import { openImageStore, type ImageStore } from "../../src/images/store.ts";
import type { Logger } from "../../src/telemetry/logger.ts";
import { freePort } from "../free-port.ts";

export interface RunningRegistry {
  /** `127.0.0.1:40123`. */
  readonly host: string;
  close(): Promise<void>;
}

/** Whether a program is installed. */
export function has(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}

/** Throws what the registry logs as an error when it closes: a test must not overlook it. */
export async function startOurs(
  store: ImageStore,
  options: Partial<RegistryServerOptions> = {},
): Promise<RunningRegistry> {
  const errors: unknown[] = [];
  const log: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (message, fields) => void errors.push([message, fields]),
    with: () => log,
    enabled: () => true,
  };
  const server = createRegistryServer({ store, log, ...options });
  const port = await server.listen({ host: "127.0.0.1", port: 0 });
  return {
    host: `127.0.0.1:${port}`,
    async close() {
      await server.close();
      if (errors.length > 0) throw new Error("the registry logged errors", { cause: errors });
    },
  };
}

export function temporaryStore(): { readonly store: ImageStore; readonly dir: string; remove(): void } {
  const dir = mkdtempSync(join(tmpdir(), "ebb-registry-"));
  const store = openImageStore(join(dir, "images"));
  return {
    store,
    dir,
    remove() {
      store.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Debian's docker-registry: the distribution project's own server. */
export async function startDistribution(): Promise<RunningRegistry> {
  const dir = mkdtempSync(join(tmpdir(), "ebb-distribution-"));
  const host = `127.0.0.1:${await freePort()}`;
  const file = join(dir, "config.yml");
  writeFileSync(
    file,
    JSON.stringify({
      version: 0.1,
      log: { level: "error", accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(dir, "data") }, delete: { enabled: true } },
      http: { addr: host, secret: "test" },
    }),
  );
  const child = spawn("docker-registry", ["serve", file], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
  });
  const deadline = Date.now() + 20_000;
  while (!(await answers(host))) {
    if (Date.now() > deadline || child.exitCode !== null) throw new Error(`docker-registry does not answer at ${host}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
  return {
    host,
    async close() {
      // TERM would wait for the connections that clients keep.
      child.kill("SIGKILL");
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function answers(host: string): Promise<boolean> {
  try {
    return (await fetch(`http://${host}/v2/`)).ok;
  } catch {
    return false;
  }
}
