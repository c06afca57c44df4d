/** A real mosquitto on a free port that keeps its sessions in a directory of its own. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt, { type IClientOptions, type IClientPublishOptions } from "mqtt";
import { freePort } from "../../free-port.ts";
import type { ServerCertificates } from "./server-certificates.ts";
import { endServer } from "../end-server.ts";

/** Debian installs it where no path of a user leads. */
const program = ["mosquitto", "/usr/sbin/mosquitto"].find((name) => spawnSync(name, ["-h"]).error === undefined);

/** Why there is none; undefined when there is. */
export const noMosquitto = program === undefined ? "mosquitto is not installed (apt-get install mosquitto)" : undefined;

export interface Mosquitto {
  readonly port: number;
  start(): Promise<void>;
  stop(signal?: "SIGKILL" | "SIGTERM"): Promise<void>;
  /** As somebody else; resolves when the broker has it. */
  publish(topic: string, body: string | Buffer, options?: IClientPublishOptions): Promise<void>;
  remove(): Promise<void>;
}

export interface MosquittoOptions {
  /** Speaks TLS with these. */
  readonly certificates?: ServerCertificates;
  /** Whom it lets in; everybody without. */
  readonly user?: { readonly name: string; readonly password: string };
}

export async function makeMosquitto({ certificates, user }: MosquittoOptions = {}): Promise<Mosquitto> {
  const dir = mkdtempSync(join(tmpdir(), "ebb-mosquitto-"));
  const port = await freePort();
  const passwords = join(dir, "passwords");
  if (user) {
    writeFileSync(passwords, `${user.name}:${user.password}\n`, { mode: 0o600 });
    spawnSync("mosquitto_passwd", ["-U", passwords]);
  }
  const lines = [
    `listener ${port} 127.0.0.1`,
    ...(process.getuid?.() === 0 ? ["user root"] : []),
    "persistence true",
    `persistence_location ${dir}/`,
    // To disk after every change: what it has acknowledged survives it.
    "autosave_interval 1",
    "autosave_on_changes true",
    ...(user ? [`password_file ${passwords}`] : ["allow_anonymous true"]),
    ...(certificates ? [`certfile ${certificates.certFile}`, `keyfile ${certificates.keyFile}`] : []),
  ];
  const config = join(dir, "mosquitto.conf");
  writeFileSync(config, `${lines.join("\n")}\n`);
  let child: ChildProcess | undefined;
  const options: IClientOptions = {
    reconnectPeriod: 0,
    ...(user ? { username: user.name, password: user.password } : {}),
    ...(certificates ? { ca: certificates.ca } : {}),
  };
  const server: Mosquitto = {
    port,
    async start() {
      child = spawn(program ?? "mosquitto", ["-c", config, "-v"], { stdio: ["ignore", "ignore", "pipe"] });
      let said = "";
      child.stderr?.on("data", (chunk) => (said += String(chunk)));
      for (const deadline = Date.now() + 10_000; !/mosquitto version .* running/.test(said);) {
        if (Date.now() > deadline || child.exitCode !== null) throw new Error(`mosquitto did not start: ${said}`);
        await new Promise((done) => setTimeout(done, 10));
      }
    },
    async stop(signal = "SIGTERM") {
      const ending = child;
      child = undefined;
      await endServer(ending, signal);
    },
    async publish(topic, body, more = {}) {
      const scheme = certificates ? "mqtts" : "mqtt";
      const protocolVersion = more.properties ? 5 : 4;
      const client = await mqtt.connectAsync(`${scheme}://127.0.0.1:${port}`, { ...options, protocolVersion }, false);
      await client.publishAsync(topic, body, { qos: 1, ...more });
      await client.endAsync();
    },
    async remove() {
      await server.stop("SIGKILL");
      rmSync(dir, { recursive: true });
    },
  };
  return server;
}
