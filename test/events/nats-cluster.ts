/** Three real nats-servers with JetStream that know each other; TLS and logins as a test wants them. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../free-port.ts";
import { endServer } from "./end-server.ts";
import { knowsSync, natsProgram } from "./nats-server.ts";

export interface NatsCluster {
  /** `127.0.0.1:4222,127.0.0.1:4223,…`. */
  readonly hosts: string;
  readonly monitorUrls: readonly string[];
  /** Resolves when all know a leader. */
  start(): Promise<void>;
  startOne(at: number): void;
  /** With SIGKILL. */
  kill(at: number): Promise<void>;
  /** Resolves when this server says that all of its streams are whole. */
  healthy(at: number): Promise<void>;
  remove(): Promise<void>;
}

/** `settings` are more of the configuration file of each, `monitored` who has sync_interval: always. */
export async function makeNatsCluster({
  settings = "",
  syncing = [true, true, true],
}: { readonly settings?: string; readonly syncing?: readonly boolean[] } = {}): Promise<NatsCluster> {
  const dir = mkdtempSync(join(tmpdir(), "ebb-nats-cluster-"));
  const nodes: { readonly port: number; readonly monitor: number; readonly route: number; readonly config: string }[] =
    [];
  for (const at of [0, 1, 2])
    nodes.push({
      port: await freePort(),
      monitor: await freePort(),
      route: await freePort(),
      config: join(dir, `${at}.conf`),
    });
  const routes = nodes.map(({ route }) => `"nats://127.0.0.1:${route}"`).join(", ");
  nodes.forEach(({ port, monitor, route, config }, at) =>
    writeFileSync(
      config,
      [
        `server_name: n${at}`,
        `listen: 127.0.0.1:${port}`,
        `http: 127.0.0.1:${monitor}`,
        `jetstream { store_dir: ${JSON.stringify(join(dir, String(at)))}${syncing[at] && knowsSync ? ", sync_interval: always" : ""} }`,
        `cluster { name: c, listen: 127.0.0.1:${route}, routes: [${routes}] }`,
        settings,
      ].join("\n"),
    ),
  );
  const children: (ChildProcess | undefined)[] = [];
  const monitorUrls = nodes.map(({ monitor }) => `http://127.0.0.1:${monitor}`);
  const cluster: NatsCluster = {
    hosts: nodes.map(({ port }) => `127.0.0.1:${port}`).join(","),
    monitorUrls,
    async start() {
      for (const at of nodes.keys()) cluster.startOne(at);
      for (const at of nodes.keys()) await cluster.healthy(at);
      await until("a leader", async () => {
        const told = await Promise.all(monitorUrls.map((url) => json<Jsz>(`${url}/jsz`)));
        return told.every(({ meta_cluster: meta }) => (meta?.leader ?? "") !== "" && meta?.cluster_size === 3);
      });
    },
    startOne(at) {
      children[at] = spawn(natsProgram, ["-c", nodes[at]?.config ?? ""], { stdio: "ignore" });
    },
    async kill(at) {
      const ending = children[at];
      children[at] = undefined;
      await endServer(ending, "SIGKILL");
    },
    healthy: (at) =>
      until(
        `server ${at} to be healthy`,
        async () => (await json<Healthz>(`${monitorUrls[at]}/healthz`)).status === "ok",
      ),
    async remove() {
      for (const at of nodes.keys()) await cluster.kill(at);
      rmSync(dir, { recursive: true });
    },
  };
  return cluster;
}

interface Jsz {
  readonly meta_cluster?: { readonly leader?: string; readonly cluster_size?: number };
}

interface Healthz {
  readonly status?: string;
}

const json = async <T>(url: string): Promise<T> => (await (await fetch(url)).json()) as T;

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 60_000; ;) {
    if (await holds().catch(() => false)) return;
    if (Date.now() > deadline) throw new Error(`waited a minute for ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
