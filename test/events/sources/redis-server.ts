/** A real redis-server on a free port and a directory of its own, which it keeps its data in. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@redis/client";
import { freePort } from "../../free-port.ts";
import { endServer } from "../end-server.ts";

/** Why there is none; undefined when there is. */
export const noRedis =
  spawnSync("redis-server", ["--version"]).status === 0
    ? undefined
    : "redis-server is not installed (apt-get install redis-server)";

export interface RedisServer {
  readonly port: number;
  readonly address: string;
  start(): Promise<void>;
  stop(signal?: "SIGKILL" | "SIGTERM"): Promise<void>;
  /** Runs a command as somebody else who uses it. */
  run(...words: readonly (string | Buffer)[]): Promise<unknown>;
  remove(): Promise<void>;
}

/** `options`: further ones of redis-server's command line; `connect`: how {@link RedisServer.run} gets in. */
export async function makeRedis(
  options: (port: number) => readonly string[] = () => [],
  connect: Parameters<typeof createClient>[0] = {},
): Promise<RedisServer> {
  const dir = mkdtempSync(join(tmpdir(), "ebb-redis-"));
  const port = await freePort();
  let child: ChildProcess | undefined;
  const client = async () =>
    createClient({ socket: { host: "127.0.0.1", port, reconnectStrategy: false }, RESP: 2, ...connect })
      .on("error", () => undefined)
      .connect();
  const server: RedisServer = {
    port,
    address: `redis://127.0.0.1:${port}`,
    async start() {
      const own = ["--port", String(port), "--dir", dir, "--appendonly", "yes", "--appendfsync", "always"];
      child = spawn("redis-server", [...own, "--save", "", "--bind", "127.0.0.1", ...options(port)], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let said = "";
      child.stdout?.on("data", (chunk) => (said += String(chunk)));
      for (const deadline = Date.now() + 10_000; !said.includes("Ready to accept connections");) {
        if (Date.now() > deadline || child.exitCode !== null) throw new Error(`redis-server did not start: ${said}`);
        await new Promise((done) => setTimeout(done, 10));
      }
    },
    async stop(signal = "SIGTERM") {
      const ending = child;
      child = undefined;
      await endServer(ending, signal);
    },
    async run(...words) {
      const connection = await client();
      try {
        return await connection.sendCommand(words);
      } finally {
        connection.destroy();
      }
    },
    async remove() {
      await server.stop("SIGKILL");
      rmSync(dir, { recursive: true });
    },
  };
  return server;
}
