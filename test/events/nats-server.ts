/** A real nats-server with JetStream on a directory of its own; `nats-server` on the path, or NATS_SERVER. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../free-port.ts";
import { endServer } from "./end-server.ts";

/** Where servers are: Debian installs one in a directory that is not on every path. */
const program = ["nats-server", "/usr/sbin/nats-server"].find((name) => spawnSync(name, ["--version"]).status === 0);

const chosen = process.env["NATS_SERVER"] ?? program;
/** The one that is used. */
export const natsProgram = chosen ?? "nats-server";
const version = chosen === undefined ? "" : spawnSync(chosen, ["--version"]).stdout.toString();
/** `v2.12.2`. */
export const natsVersion = /v[\d.]+/.exec(version)?.[0] ?? "";
/** Whether it can be told to sync to disk before it acknowledges: since 2.10. */
export const knowsSync = !/v2\.[0-9]\.|v2\.[0-9]$/m.test(version);

/** Why there is none; undefined when there is. */
export const noNats = chosen === undefined ? "nats-server is not installed (apt-get install nats-server)" : undefined;

export interface NatsServer {
  readonly url: string;
  readonly monitorUrl: string;
  start(): Promise<void>;
  /** SIGKILL, or SIGTERM. */
  stop(signal?: "SIGKILL" | "SIGTERM"): Promise<void>;
  /** Stops it and removes its directory. */
  remove(): Promise<void>;
}

export async function makeNats({
  syncAlways = true,
  settings = "",
  maxFileStore,
}: {
  readonly syncAlways?: boolean;
  /** Bytes it stores at most. */
  readonly maxFileStore?: number;
  /** More of the configuration file. */
  readonly settings?: string;
} = {}): Promise<NatsServer> {
  const dir = mkdtempSync(join(tmpdir(), "ebb-nats-"));
  const [port, monitor] = [await freePort(), await freePort()];
  const config = join(dir, "nats.conf");
  writeFileSync(
    config,
    `listen: 127.0.0.1:${port}\nhttp: 127.0.0.1:${monitor}\njetstream { store_dir: ${JSON.stringify(dir)}${syncAlways && knowsSync ? ", sync_interval: always" : ""}${maxFileStore === undefined ? "" : `, max_file_store: ${maxFileStore}`} }\n${settings}\n`,
  );
  let child: ChildProcess | undefined;
  const monitorUrl = `http://127.0.0.1:${monitor}`;
  const server: NatsServer = {
    url: `nats://127.0.0.1:${port}`,
    monitorUrl,
    async start() {
      child = spawn(chosen ?? "nats-server", ["-c", config], {
        stdio: ["ignore", "ignore", "pipe"],
      });
      let said = "";
      child.stderr?.on("data", (chunk) => (said += String(chunk)));
      for (const deadline = Date.now() + 10_000; ;) {
        const healthy = await fetch(`${monitorUrl}/healthz`).then(
          (response) => response.ok,
          () => false,
        );
        if (healthy) return;
        if (Date.now() > deadline || child.exitCode !== null) throw new Error(`nats-server did not start: ${said}`);
        await new Promise((done) => setTimeout(done, 20));
      }
    },
    async stop(signal = "SIGTERM") {
      const ending = child;
      child = undefined;
      await endServer(ending, signal);
    },
    async remove() {
      await server.stop("SIGKILL");
      rmSync(dir, { recursive: true });
    },
  };
  return server;
}
