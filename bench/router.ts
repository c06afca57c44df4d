/**
 * The router against haproxy (nbthread 1) and nginx (1 worker) in front of one Node instance, by wrk; each contender
 * in turn, several rounds, so that a busy machine is busy for all. Programs that are not installed are left out. The
 * router asks the instance as it asks every function of the Node host, by its socket of the Unix domain; "router by
 * TCP" is what it does with programs that only have a port.
 *
 *     node bench/router.ts [seconds per measurement, default 3] [rounds, default 3]
 */
import { type ChildProcess, execFileSync, fork, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { makeIngress, makeRevision, silentLog } from "../src/router/testing/router-harness.ts";
import { createLocalDoor } from "../src/functions/hosts/node/local-door.ts";
import { createRouter } from "../src/router/router.ts";
import { type BenchRow, percentile, report } from "./report.ts";

const seconds = Number(process.argv[2] ?? 3);
const rounds = Number(process.argv[3] ?? 3);
const bodyBytes = 1_048_576;

interface Contender {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
}

/** As ebb's Node host does it: one server, on a port and on a socket of the Unix domain. */
async function serveInstance(): Promise<number> {
  const server = createHttpServer((req, res) => {
    if (req.method === "POST") {
      res.writeHead(200, { "content-length": req.headers["content-length"] ?? "0" });
      req.pipe(res);
    } else {
      res.setHeader("content-type", "text/plain");
      res.end("hello world\n");
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const door = createLocalDoor(server, doorOf(port));
  await door.open();
  return port;
}

const doorOf = (instance: number): string => `\0ebb-bench-${instance}`;

async function serveRouter(instance: number, path?: string): Promise<number> {
  const router = createRouter({}, { log: silentLog });
  router.applyRevision("default/app", makeRevision("app", {}));
  router.applyIngress("default/app", makeIngress("127.0.0.1", { app: 100 }));
  router.applyInstance({
    type: "ready",
    revision: "default/app",
    id: "one",
    address: { host: "127.0.0.1", port: instance, ...(path === undefined ? {} : { path }) },
    protocol: "http1",
  });
  return (await router.listen({ host: "127.0.0.1", port: 0 })).port;
}

const isInstalled = (program: string): boolean =>
  [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin"].some((dir) => {
    try {
      readFileSync(join(dir, program), { flag: "r" });
      return true;
    } catch {
      return false;
    }
  });

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function untilListening(port: number): Promise<void> {
  for (let i = 0; i < 100; i++) {
    const up = await new Promise<boolean>((resolve) => {
      const socket = connect({ port, host: "127.0.0.1" }, () => resolve(true));
      socket.on("error", () => resolve(false));
      socket.on("connect", () => socket.destroy());
    });
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens on port ${port} after 5 s`);
}

/** The four headers that the router adds. */
const forwarding = `
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  http-request set-header Forwarded "for=%[src];host=%[req.hdr(host)];proto=http"
  http-request set-header X-Request-Id %[uuid()]`;

const haproxyConfig = (port: number, instance: number, extra: string): string => `
global
  nbthread 1
  maxconn 4000
defaults
  mode http
  timeout client 30s
  timeout server 30s
  timeout connect 5s
frontend front
  bind 127.0.0.1:${port}${extra}
  default_backend back
backend back
  http-reuse always
  server one 127.0.0.1:${instance}
`;

/** With connections to the app kept, or as it is without being told: a new one, HTTP/1.0, for every request. */
const nginxConfig = (dir: string, port: number, instance: number, kept: boolean): string => `
worker_processes 1; daemon off; master_process off; pid ${dir}/nginx-${port}.pid; error_log ${dir}/nginx.log;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 10000000; client_max_body_size 0;
  client_body_temp_path ${dir}/a; proxy_temp_path ${dir}/b; fastcgi_temp_path ${dir}/c; uwsgi_temp_path ${dir}/d; scgi_temp_path ${dir}/e;
  upstream back { server 127.0.0.1:${instance};${kept ? " keepalive 128; keepalive_requests 10000000;" : ""} }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://back;${kept ? ' proxy_http_version 1.1; proxy_set_header Connection "";' : ""} proxy_request_buffering off; }
  }
}
`;

class Stage {
  readonly dir = mkdtempSync(join(tmpdir(), "ebb-bench-router-"));
  readonly #children: ChildProcess[] = [];

  /** This file again, in another process, in the given role; resolves with the port it listens on. */
  async role(role: string, instance: number): Promise<Contender> {
    const child = fork(import.meta.filename, [role, String(instance)]);
    this.#children.push(child);
    const port = await new Promise<number>((resolve) => child.once("message", (message) => resolve(Number(message))));
    return { name: role, port, pid: child.pid ?? 0 };
  }

  async program(name: string, config: (port: number) => string, args: (file: string) => string[]): Promise<Contender> {
    const port = await freePort();
    const file = join(this.dir, `${name}-${port}.conf`);
    writeFileSync(file, config(port));
    const path = `${process.env["PATH"] ?? ""}:/usr/sbin`;
    const child = spawn(name, args(file), { stdio: "ignore", env: { ...process.env, PATH: path } });
    this.#children.push(child);
    await untilListening(port);
    return { name, port, pid: child.pid ?? 0 };
  }

  close(): void {
    for (const child of this.#children) child.kill("SIGKILL");
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** CPU time of a process so far, milliseconds (Linux; NaN elsewhere). */
function cpuMs(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return Number.NaN;
  }
}

function rssMiB(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
  } catch {
    return Number.NaN;
  }
}

interface Load {
  readonly perSecond: number;
  readonly cpuUs: number;
}

function wrk(to: Contender, connections: number, script?: string): Load {
  const before = cpuMs(to.pid);
  const args = ["-t1", `-c${connections}`, `-d${seconds}`, ...(script === undefined ? [] : ["-s", script])];
  const out = execFileSync("wrk", [...args, `http://127.0.0.1:${to.port}/`], { encoding: "utf8" });
  if (/Non-2xx|Socket errors/.test(out)) console.error(`${to.name}: ${/.*(?:Non-2xx|Socket errors).*/.exec(out)?.[0]}`);
  const requests = Number(/(\d+) requests in/.exec(out)?.[1]);
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(out)?.[1]),
    cpuUs: ((cpuMs(to.pid) - before) * 1000) / requests,
  };
}

/** Medians of the contenders' loads, measured in turns. */
function compare(contenders: readonly Contender[], connections: number, script?: string): Map<string, Load> {
  const all = new Map<string, Load[]>(contenders.map(({ name }) => [name, []]));
  for (const contender of contenders) wrk(contender, connections, script);
  for (let i = 0; i < rounds; i++) {
    for (const contender of contenders) all.get(contender.name)?.push(wrk(contender, connections, script));
  }
  const median = (loads: readonly Load[], pick: (load: Load) => number): number => percentile(loads.map(pick), 50);
  return new Map(
    [...all].map(([name, loads]) => [
      name,
      { perSecond: median(loads, (load) => load.perSecond), cpuUs: median(loads, (load) => load.cpuUs) },
    ]),
  );
}

/** Times of `count` small GETs one after the other on one connection, milliseconds. */
async function latencies(port: number, count: number): Promise<number[]> {
  const socket = await new Promise<Socket>((resolve) => {
    const made = connect({ port, host: "127.0.0.1", noDelay: true }, () => resolve(made));
  });
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    socket.write("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    await new Promise((resolve) => socket.once("data", resolve));
    times.push(performance.now() - start);
  }
  socket.destroy();
  return times;
}

async function addedLatency(instance: number, router: number): Promise<{ p50: number; p99: number }> {
  const direct: number[] = [];
  const through: number[] = [];
  await latencies(router, 2000);
  for (let i = 0; i < 8; i++) {
    direct.push(...(await latencies(instance, 500)));
    through.push(...(await latencies(router, 500)));
  }
  return {
    p50: percentile(through, 50) - percentile(direct, 50),
    p99: percentile(through, 99) - percentile(direct, 99),
  };
}

const describe = ({ perSecond, cpuUs }: Load): string => `${perSecond.toFixed(0)}/s, ${cpuUs.toFixed(1)} µs CPU`;

function ratioRows(what: string, loads: Map<string, Load>, targets: Readonly<Record<string, number>>): BenchRow[] {
  const own = loads.get("router");
  if (own === undefined) return [];
  const rows: BenchRow[] = [{ what: `${what}: router`, measured: describe(own), target: "–" }];
  for (const [name, load] of loads) {
    if (name === "router") continue;
    const wanted = targets[name];
    const ratio = own.perSecond / load.perSecond;
    const measured = `${ratio.toFixed(2)} × (${describe(load)})`;
    rows.push(
      wanted === undefined
        ? { what: `${what}: against ${name}`, measured, target: "–" }
        : { what: `${what}: against ${name}`, measured, target: `≥ ${wanted} ×`, met: ratio >= wanted },
    );
  }
  return rows;
}

async function main(): Promise<void> {
  const stage = new Stage();
  try {
    const instance = await stage.role("instance", 0);
    const router = await stage.role("router", instance.port);
    const contenders: Contender[] = [
      router,
      { ...(await stage.role("router-tcp", instance.port)), name: "router by TCP" },
    ];
    if (isInstalled("haproxy")) {
      const plain = (port: number): string => haproxyConfig(port, instance.port, "");
      contenders.push(await stage.program("haproxy", plain, (file) => ["-db", "-f", file]));
      const same = (port: number): string => haproxyConfig(port, instance.port, forwarding);
      const adding = await stage.program("haproxy", same, (file) => ["-db", "-f", file]);
      contenders.push({ ...adding, name: "haproxy, same headers" });
    }
    if (isInstalled("nginx")) {
      const kept = (port: number): string => nginxConfig(stage.dir, port, instance.port, true);
      contenders.push(await stage.program("nginx", kept, (file) => ["-c", file]));
      const plain = (port: number): string => nginxConfig(stage.dir, port, instance.port, false);
      contenders.push({
        ...(await stage.program("nginx", plain, (file) => ["-c", file])),
        name: "nginx, no keep-alive",
      });
    }
    const rows: BenchRow[] = [];
    if (isInstalled("wrk")) {
      const direct: Contender = { name: "direct", port: instance.port, pid: instance.pid };
      rows.push(
        ...ratioRows("small GET, 32 connections", compare([...contenders, direct], 32), { haproxy: 1, nginx: 1.3 }),
      );
      const script = join(stage.dir, "post.lua");
      writeFileSync(script, `wrk.method="POST"\nwrk.body=string.rep("x", ${bodyBytes})\n`);
      const bodies = compare(contenders, 100, script);
      const settledMiB = rssMiB(router.pid);
      rows.push(...ratioRows("1 MiB both ways, 100 streams", bodies, { haproxy: 0.8 }));
      wrk(router, 100, script);
      const grownMiB = rssMiB(router.pid) - settledMiB;
      rows.push({
        what: "memory after 100 streams; growth in another run",
        measured: `${settledMiB.toFixed(0)} MiB; ${grownMiB.toFixed(1)} MiB`,
        target: "flat (≤ 16 MiB)",
        met: grownMiB <= 16,
      });
    } else console.error("wrk is not installed: only latency is measured");
    const { p50, p99 } = await addedLatency(instance.port, router.port);
    rows.push({ what: "added latency, p50", measured: `${p50.toFixed(3)} ms`, target: "≤ 0.12 ms", met: p50 <= 0.12 });
    rows.push({ what: "added latency, p99", measured: `${p99.toFixed(3)} ms`, target: "≤ 0.6 ms", met: p99 <= 0.6 });
    report("router", rows);
  } finally {
    stage.close();
  }
}

const role = process.argv[2];
if (role === "instance") process.send?.(await serveInstance());
else if (role === "router") process.send?.(await serveRouter(Number(process.argv[3]), doorOf(Number(process.argv[3]))));
else if (role === "router-tcp") process.send?.(await serveRouter(Number(process.argv[3])));
else await main();
