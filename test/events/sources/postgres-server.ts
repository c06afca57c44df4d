/** A real PostgreSQL on a free port and a directory of its own, with logical replication; never as root, who may not. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Client, type QueryResult } from "pg";
import { freePort } from "../../free-port.ts";
import type { ServerCertificates } from "./server-certificates.ts";
import { endServer } from "../end-server.ts";

/** Debian keeps the programs where no path leads. */
const debian = "/usr/lib/postgresql";
const folders = [
  ...(existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, "bin")) : []),
  ...(process.env["PATH"] ?? "").split(delimiter),
];
const bin = folders.find((folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")));
const isRoot = process.getuid?.() === 0;
const idOf = (flag: string): number => Number(spawnSync("id", [flag, "postgres"]).stdout.toString());

/** Why there is none; undefined when there is. */
export const noPostgres =
  bin === undefined
    ? "PostgreSQL is not installed (apt-get install postgresql)"
    : isRoot && spawnSync("id", ["postgres"]).status !== 0
      ? "there is no user postgres to run PostgreSQL as"
      : undefined;

export interface PostgresServer {
  readonly port: number;
  readonly url: string;
  start(): Promise<void>;
  stop(signal?: "SIGKILL" | "SIGINT"): Promise<void>;
  /** As somebody else who uses it. */
  query(text: string, ...values: readonly unknown[]): Promise<QueryResult["rows"]>;
  remove(): Promise<void>;
}

export const password = "hush";

/** The user `ebb` has all rights and a password. Without `logical` there is no logical replication. */
export async function makePostgres({
  certificates,
  logical = true,
}: { readonly certificates?: ServerCertificates; readonly logical?: boolean } = {}): Promise<PostgresServer> {
  const dir = mkdtempSync(join(tmpdir(), "ebb-postgres-"));
  const who = isRoot ? { uid: idOf("-u"), gid: idOf("-g") } : {};
  const own = (path: string): void => {
    if (who.uid !== undefined) chownSync(path, who.uid, who.gid);
  };
  own(dir);
  const data = join(dir, "data");
  const secret = join(dir, "password");
  writeFileSync(secret, password);
  own(secret);
  const init = ["-D", data, "-U", "ebb", "--auth=scram-sha-256", `--pwfile=${secret}`, "--no-sync", "-E", "UTF8"];
  const made = spawnSync(join(bin ?? "", "initdb"), [...init, "--locale=C"], { ...who, cwd: dir });
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr.toString()}`);
  const port = await freePort();
  const settings = [`wal_level=${logical ? "logical" : "replica"}`, "listen_addresses=127.0.0.1", `port=${port}`];
  settings.push(`unix_socket_directories=${dir}`, "max_wal_senders=10", "max_replication_slots=10");
  if (certificates) {
    for (const [from, name] of [
      [certificates.certFile, "server.crt"],
      [certificates.keyFile, "server.key"],
    ] as const) {
      copyFileSync(from, join(data, name));
      chmodSync(join(data, name), 0o600);
      own(join(data, name));
    }
    settings.push("ssl=on");
    writeFileSync(join(data, "pg_hba.conf"), "hostssl all all 127.0.0.1/32 scram-sha-256\n");
  } else
    writeFileSync(
      join(data, "pg_hba.conf"),
      "host all all 127.0.0.1/32 scram-sha-256\nhost replication all 127.0.0.1/32 scram-sha-256\n",
    );
  let child: ChildProcess | undefined;
  const connect = async (): Promise<Client> => {
    const ssl = certificates ? { ca: certificates.ca } : false;
    const client = new Client({ host: "127.0.0.1", port, user: "ebb", password, database: "postgres", ssl });
    client.on("error", () => undefined);
    await client.connect();
    return client;
  };
  const server: PostgresServer = {
    port,
    url: `postgres://ebb@127.0.0.1:${port}/postgres`,
    async start() {
      child = spawn(join(bin ?? "", "postgres"), ["-D", data, ...settings.flatMap((one) => ["-c", one])], {
        ...who,
        cwd: dir,
        stdio: ["ignore", "ignore", "pipe"],
      });
      let said = "";
      child.stderr?.on("data", (chunk) => (said += String(chunk)));
      for (const deadline = Date.now() + 20_000; ;) {
        try {
          return await (await connect()).end();
        } catch (error) {
          if (Date.now() > deadline || child.exitCode !== null)
            throw new Error(`PostgreSQL did not start: ${said}`, { cause: error });
        }
        await new Promise((done) => setTimeout(done, 30));
      }
    },
    async stop(signal = "SIGINT") {
      const ending = child;
      child = undefined;
      // Its children end when they see that it is gone.
      await endServer(ending, signal);
    },
    async query(text, ...values) {
      const client = await connect();
      try {
        return (await client.query(text, [...values])).rows;
      } finally {
        await client.end();
      }
    },
    async remove() {
      await server.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  return server;
}
