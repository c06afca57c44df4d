/** A real RabbitMQ on directories, ports and an epmd of its own; user ada has the password secret. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "amqplib";
import { freePort } from "../../free-port.ts";

/** Debian's `rabbitmq-server` on the path wants to be another user; this is the one it runs. */
const program = "/usr/lib/rabbitmq/bin/rabbitmq-server";
const epmd = spawnSync("which", ["epmd"], { encoding: "utf8" }).stdout.trim();

/** Why there is none; undefined when there is. */
export const noRabbitmq =
  existsSync(program) && epmd !== "" ? undefined : "rabbitmq-server is not installed (apt-get install rabbitmq-server)";

export interface RabbitmqServer {
  /** `127.0.0.1:port`. */
  readonly plain: string;
  readonly tls: string;
  start(): Promise<void>;
  stop(signal?: "SIGKILL" | "SIGTERM"): Promise<void>;
  remove(): Promise<void>;
}

interface Certificates {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export async function makeRabbitmq(certificates?: Certificates): Promise<RabbitmqServer> {
  const dir = mkdtempSync(join(tmpdir(), "ebb-rabbitmq-"));
  const [port, tls, dist, epmdPort] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const lines = [
    `listeners.tcp.1 = 127.0.0.1:${port}`,
    "default_user = ada",
    "default_pass = secret",
    ...(certificates
      ? [
          `listeners.ssl.1 = 127.0.0.1:${tls}`,
          `ssl_options.cacertfile = ${certificates.caFile}`,
          `ssl_options.certfile = ${certificates.certFile}`,
          `ssl_options.keyfile = ${certificates.keyFile}`,
        ]
      : []),
  ];
  writeFileSync(join(dir, "rabbitmq.conf"), `${lines.join("\n")}\n`);
  writeFileSync(join(dir, "plugins"), "[].\n");
  const env = {
    PATH: process.env["PATH"],
    HOME: dir,
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: "127.0.0.1",
    RABBITMQ_NODENAME: `ebb${port}@localhost`,
    RABBITMQ_DIST_PORT: String(dist),
    RABBITMQ_MNESIA_BASE: join(dir, "data"),
    RABBITMQ_LOG_BASE: join(dir, "log"),
    RABBITMQ_CONFIG_FILE: join(dir, "rabbitmq.conf"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(dir, "plugins"),
    RABBITMQ_PID_FILE: join(dir, "pid"),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "+S 1:1 +sbwt none",
  };
  const names = spawn(epmd, [], { env, stdio: "ignore" });
  let child: ChildProcess | undefined;
  const server: RabbitmqServer = {
    plain: `127.0.0.1:${port}`,
    tls: `127.0.0.1:${tls}`,
    async start() {
      // A group of its own: the program is a shell script around the server.
      child = spawn(program, [], { env, stdio: ["ignore", "pipe", "pipe"], detached: true });
      let said = "";
      for (const stream of [child.stdout, child.stderr])
        stream?.on("data", (chunk) => (said = `${said}${String(chunk)}`.slice(-4000)));
      for (const deadline = Date.now() + 60_000; ;) {
        const connection = await connect(`amqp://ada:secret@127.0.0.1:${port}`).catch(() => undefined);
        await connection?.close();
        if (connection) return;
        if (Date.now() > deadline || child.exitCode !== null) throw new Error(`RabbitMQ did not start: ${said}`);
        await new Promise((done) => setTimeout(done, 100));
      }
    },
    async stop(signal = "SIGTERM") {
      const ending = child;
      child = undefined;
      if (!ending?.pid || ending.exitCode !== null) return;
      const ended = new Promise((done) => void ending.once("exit", done));
      process.kill(-ending.pid, signal);
      await ended;
    },
    async remove() {
      await server.stop("SIGKILL");
      names.kill("SIGKILL");
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  return server;
}
