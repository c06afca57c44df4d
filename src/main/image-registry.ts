import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FindCredentials } from "../images/registry/credentials.ts";
import type { ImageStore } from "../images/store.ts";
import type { Logger } from "../telemetry/logger.ts";

/** `any` is the usual port where it is free, else one that is; `off` serves no registry. */
export type RegistryPort = number | "any" | "off";

const usualPort = 5050;

export interface ImageRegistryDeps {
  readonly store: ImageStore;
  readonly dataDir: string;
  readonly log: Logger;
  readonly closers: AsyncDisposableStack;
}

/**
 * Serves the store as a registry. Where others than this machine can reach it, it asks for the token that is kept in
 * the data directory. Resolves to its address, `http://127.0.0.1:5050`.
 */
export async function startImageRegistry(
  { store, dataDir, log, closers }: ImageRegistryDeps,
  where: { readonly host: string; readonly port: RegistryPort },
): Promise<string | undefined> {
  const { host, port } = where;
  if (port === "off") return undefined;
  const { createRegistryServer } = await import("../images/server/registry-server.ts");
  const guarded = !/^(127(\.\d+){3}|::1|localhost)$/.test(host);
  const make = () =>
    createRegistryServer({ store, log, ...(guarded ? { token: tokenIn(join(dataDir, "registry-token")) } : {}) });
  let server = make();
  let taken: number;
  try {
    taken = await server.listen({ host, port: port === "any" ? usualPort : port });
  } catch (error) {
    if (port !== "any" || (error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    server = make();
    taken = await server.listen({ host, port: 0 });
  }
  closers.defer(() => server.close());
  return `http://127.0.0.1:${taken}`;
}

/** The logins of docker and podman, and the token of ebb's own registry for itself: its Services name images there too. */
export function registryLogins(
  dataDir: string,
  others: FindCredentials,
  ownUrl: () => string | undefined,
): FindCredentials {
  const file = join(dataDir, "registry-token");
  return async (registry) => {
    const own = ownUrl();
    const port = own === undefined ? undefined : new URL(own).port;
    const isOwn = registry === `127.0.0.1:${port}` || registry === `localhost:${port}`;
    if (isOwn && existsSync(file)) return { kind: "password", username: "ebb", password: tokenIn(file) };
    return await others(registry);
  };
}

function tokenIn(file: string): string {
  if (!existsSync(file)) writeFileSync(file, randomBytes(24).toString("base64url"), { mode: 0o600 });
  return readFileSync(file, "utf8").trim();
}
