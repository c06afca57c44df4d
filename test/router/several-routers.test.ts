/** Several routers in front of the same revisions: hard limits hold for all of them together, whoever comes and goes. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { Agent, createServer, get, request, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { KIngressKind } from "../../src/api/networking-internal/kinds.ts";
import type { ClusterRouter } from "../../src/main/cluster-router.ts";
import { freePort } from "../free-port.ts";
import {
  ask,
  namespace,
  peered,
  readyStatus,
  routeTo,
  startRouterCluster,
  until,
  untilReady,
  type RouterCluster,
} from "./cluster-harness.ts";

// A busy machine takes its time to start routers.
vi.setConfig({ testTimeout: 60_000 });

let cluster: RouterCluster;
beforeEach(async () => void (cluster = await startRouterCluster()));
afterEach(() => cluster.close());

const host = "hello.default.example.com";

/** An app that knows how many requests are in it. */
class CountingApp {
  inFlight = 0;
  most = 0;
  served = 0;
  port = 0;
  readonly #server: Server;

  constructor(serveMs: () => number) {
    this.#server = createServer((_, response) => {
      this.inFlight++;
      this.most = Math.max(this.most, this.inFlight);
      response.once("close", () => this.inFlight--);
      setTimeout(() => {
        this.served++;
        response.end("ok");
      }, serveMs());
    });
  }

  async listen(): Promise<this> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** Asks a router again and again on a few connections until it is told to stop. */
class Load {
  ok = 0;
  readonly failures: string[] = [];
  #stopped = false;
  readonly #running: Promise<void>[];
  readonly #agent: Agent;

  constructor(port: number, connections: number) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
    this.#running = Array.from({ length: connections }, () => this.#run(port));
  }

  async #run(port: number): Promise<void> {
    while (!this.#stopped) {
      try {
        const status = await new Promise<number>((resolve, reject) => {
          const asked = get({ port, host: "127.0.0.1", headers: { host }, agent: this.#agent }, (answer) => {
            answer.resume().on("end", () => resolve(answer.statusCode ?? 0));
            answer.on("error", reject);
          });
          asked.on("error", reject);
        });
        if (status === 200) this.ok++;
        else this.failures.push(String(status));
      } catch (error) {
        this.failures.push(String(error));
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
    this.#agent.destroy();
  }
}

const apps: CountingApp[] = [];
const loads: Load[] = [];
afterEach(async () => {
  await Promise.all(loads.splice(0).map((load) => load.stop()));
  for (const app of apps.splice(0)) app.close();
});

const limit = 2;

function post(
  port: number,
  path: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number }> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: "127.0.0.1", path, method: "POST", headers: { host, ...headers } }, (answer) =>
      answer.resume().on("end", () => resolve({ status: answer.statusCode ?? 0 })),
    );
    asked.on("error", reject).end(body);
  });
}

/** A revision with a hard limit on two pods. */
async function limited(serveMs: () => number = () => 1 + Math.random() * 10): Promise<readonly CountingApp[]> {
  await cluster.revision("hello-00001", { containerConcurrency: limit, timeoutSeconds: 60 });
  await cluster.route("hello", routeTo(host, "hello-00001"));
  for (const name of ["one", "two"]) {
    const app = await new CountingApp(serveMs).listen();
    apps.push(app);
    await cluster.pod(name, { revision: "hello-00001", port: app.port, status: readyStatus(true) });
  }
  return apps;
}

async function startRouter(name: string): Promise<ClusterRouter> {
  const router = await cluster.launchRouter(peered(name));
  await cluster.listRouter(name, router.peerPort);
  await untilReady(router.healthPort);
  return router;
}

function load(port: number, connections = 6): Load {
  const made = new Load(port, connections);
  loads.push(made);
  return made;
}

const served = (): number => apps.reduce((sum, app) => sum + app.served, 0);
const more = (): Promise<number> => {
  const before = served();
  return until(served, (now) => now > before + 200, "200 more requests to be served");
};

test("a limit holds for three routers together, and while one comes and one goes", async () => {
  await limited();
  const [a, b] = [await startRouter("a"), await startRouter("b")];
  const all = [load(a.externalPort), load(b.externalPort)];
  await more();
  const c = await startRouter("c");
  all.push(load(c.externalPort));
  await more();
  await all[0]?.stop();
  const leaving = a.close();
  await more();
  await leaving;
  await cluster.unlistRouter("a");
  await more();
  await Promise.all(all.map((one) => one.stop()));
  expect(all.flatMap(({ failures }) => failures)).toEqual([]);
  expect(Math.max(...apps.map(({ most }) => most))).toBe(limit);
  for (const one of all) expect(one.ok).toBeGreaterThan(20);
});

test("what a former owner still carries counts against the limit of the next one", async () => {
  let release: (() => void)[] = [];
  const app = await new CountingApp(() => 0).listen();
  apps.push(app);
  const slow = await cluster.app((_, response) => void release.push(() => response.end("slow")));
  await cluster.revision("hello-00001", { containerConcurrency: 1, timeoutSeconds: 60 });
  await cluster.route("hello", routeTo(host, "hello-00001"));
  await cluster.pod("one", { revision: "hello-00001", port: slow, status: readyStatus(true) });
  const a = await startRouter("a");
  const first = ask(a.externalPort, host);
  await until(
    () => release.length,
    (count) => count === 1,
    "the first request to reach the app",
  );
  // Whoever of these owns the revision, a is leaving and carries the request.
  const b = await startRouter("b");
  const leaving = a.close();
  const second = ask(b.externalPort, host);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(release.length).toBe(1);
  release.shift()?.();
  expect((await first).body).toBe("slow");
  await until(
    () => release.length,
    (count) => count === 1,
    "the second request to reach the app after the first has left",
  );
  release.shift()?.();
  expect((await second).body).toBe("slow");
  release = [];
  await leaving;
});

test("an Ingress is Ready when every router has it", async () => {
  const [a, b] = [await startRouter("a"), await startRouter("b")];
  await cluster.revision("hello-00001");
  await cluster.route("hello", routeTo(host, "hello-00001"));
  await until(
    () => cluster.api.get(KIngressKind, { namespace, name: "hello" }),
    ({ status }) => status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false,
    "the Ingress to be Ready",
  );
  const app = await cluster.app((_, response) => response.end("hello"));
  await cluster.pod("p", { revision: "hello-00001", port: app, status: readyStatus(true) });
  for (const router of [a, b]) expect((await ask(router.externalPort, host)).body).toBe("hello");
});

test("a request that passes two routers reaches the app as if it had passed one", async () => {
  const seen: string[] = [];
  const port = await cluster.app((request, response) => {
    const { "x-forwarded-for": chain, forwarded, "x-request-id": id, "ebb-relay": mark } = request.headers;
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      seen.push(JSON.stringify([request.method, request.url, chain, forwarded, (id?.length ?? 0) > 0, mark, body]));
      response.end("ok");
    });
  });
  await cluster.revision("hello-00001", { containerConcurrency: 1 });
  await cluster.route("hello", routeTo(host, "hello-00001"));
  await cluster.pod("one", { revision: "hello-00001", port, status: readyStatus(true) });
  const routers = [await startRouter("a"), await startRouter("b")];
  for (const { externalPort } of routers) {
    expect((await post(externalPort, "/x?y=1", "z".repeat(100_000))).status).toBe(200);
  }
  expect(seen).toHaveLength(2);
  expect(seen[0]).toBe(seen[1]);
  expect(JSON.parse(seen[0] ?? "")).toEqual([
    "POST",
    "/x?y=1",
    "127.0.0.1",
    `for=127.0.0.1;host=${host};proto=http`,
    true,
    null,
    "z".repeat(100_000),
  ]);
});

test("a WebSocket passes two routers", async () => {
  const echo = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  echo.on("connection", (socket) => socket.on("message", (text) => socket.send(`echo ${String(text)}`)));
  await once(echo, "listening");
  await cluster.revision("hello-00001", { containerConcurrency: 5 });
  await cluster.route("hello", routeTo(host, "hello-00001"));
  const { port: echoPort } = echo.address() as AddressInfo;
  await cluster.pod("one", { revision: "hello-00001", port: echoPort, status: readyStatus(true) });
  const routers = [await startRouter("a"), await startRouter("b")];
  for (const { externalPort } of routers) {
    const socket = new WebSocket(`ws://127.0.0.1:${externalPort}/`, { headers: { host } });
    await once(socket, "open");
    socket.send("hello");
    const [message] = (await once(socket, "message")) as [Buffer];
    expect(String(message)).toBe("echo hello");
    socket.close();
    await once(socket, "close");
  }
  echo.close();
});

test("who does not know the key is no router", async () => {
  await limited();
  const a = await startRouter("a");
  expect((await ask(a.relayPort, host)).status).toBe(403);
  const forged = await post(a.relayPort, "/", "", { "ebb-relay": `${"0".repeat(64)} 1 default/hello-00001` });
  expect(forged.status).toBe(403);
  const socket = connect({ port: a.peerPort, host: "127.0.0.1" });
  const lines: string[] = [];
  socket.setEncoding("utf8").on("data", (text: string) => lines.push(text));
  await once(socket, "data");
  const hello = { id: "x#1", name: "x", host: "127.0.0.1", port: 1, nonce: "n", proof: "0".repeat(64) };
  socket.write(`${JSON.stringify(hello)}\n`);
  await once(socket, "close");
  expect(lines).toHaveLength(1);
  expect(apps.reduce((sum, app) => sum + app.served, 0)).toBe(0);
});

interface Process {
  readonly child: ChildProcess;
  readonly externalPort: number;
}

const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
  }
});

async function spawnRouter(name: string): Promise<Process> {
  const [externalPort, internalPort, healthPort, peerPort, relayPort] = await Promise.all(
    Array.from({ length: 5 }, () => freePort()),
  );
  const address = (port: number | undefined): string => `127.0.0.1:${port}`;
  const main = join(import.meta.dirname, "../../src/cli/main.ts");
  const args = ["run", "router", "--kubeconfig", cluster.kubeconfig, "--linger", "100ms", "--log-level", "warn"];
  args.push("--external-address", address(externalPort), "--internal-address", address(internalPort));
  args.push("--health-address", address(healthPort), "--peer-address", address(peerPort));
  args.push("--relay-address", address(relayPort), "--secure-address", address(0));
  const child = spawn(process.execPath, [main, ...args], {
    env: { PATH: process.env["PATH"], POD_NAME: name, POD_IP: "127.0.0.1" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  children.push(child);
  await cluster.listRouter(name, peerPort ?? 0);
  await untilReady(healthPort ?? 0);
  return { child, externalPort: externalPort ?? 0 };
}

test("a router that is killed takes its requests with it, and nobody else's; the limit holds", async () => {
  await limited();
  const [a, b, c] = await Promise.all([spawnRouter("a"), spawnRouter("b"), spawnRouter("c")]);
  const doomed = load(a.externalPort);
  const lasting = [load(b.externalPort), load(c.externalPort)];
  await more();
  a.child.kill("SIGKILL");
  await more();
  await doomed.stop();
  const d = await spawnRouter("d");
  lasting.push(load(d.externalPort));
  await more();
  b.child.kill("SIGTERM");
  await lasting[0]?.stop();
  await more();
  await Promise.all(lasting.map((one) => one.stop()));
  expect(lasting.flatMap(({ failures }) => failures)).toEqual([]);
  expect(Math.max(...apps.map(({ most }) => most))).toBe(limit);
}, 120_000);
