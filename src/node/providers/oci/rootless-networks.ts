import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import type { Logger } from "../../../telemetry/logger.ts";
import { ContainerStartError, type NetAddress } from "../../runtime.ts";
import type { PodIps } from "../process/pod-ips.ts";
import type { OciPodNetwork, PodNetworks } from "./pod-networks.ts";

export interface RootlessDeps {
  readonly log: Logger;
  readonly ips: PodIps;
  /** The Node that runs the door-keepers. */
  readonly nodePath: string;
  /** Called in the turn of the spawn. */
  readonly spawned: (pid: number) => void;
}

/**
 * Networks for pods without root: a user and a network namespace that a small program holds open, the door-keeper. It
 * takes connections on a socket file, which crosses network namespaces, and passes them on to the pod's localhost;
 * ports of the pod's address on this machine lead there. Pods cannot reach out.
 */
export function createRootlessNetworks(dataDir: string, deps: RootlessDeps): PodNetworks {
  const base = join(dataDir, "run", "doors");
  return {
    async open() {
      mkdirSync(base, { recursive: true });
      const dir = mkdtempSync(join(base, "d"));
      const keeper = await startKeeper(deps, join(dir, "s"));
      const ip = deps.ips.take();
      const doors = new Map<number, Door>();
      let closed: Promise<void> | undefined;
      return {
        ip,
        address(port) {
          let door = doors.get(port);
          if (!door)
            doors.set(port, (door = openDoor(deps, { host: ip, port: unprivileged(port) }, join(dir, "s"), port)));
          return door.address;
        },
        namespace: undefined,
        enter: ["nsenter", "--target", String(keeper.pid), "--user", "--net", "--preserve-credentials"],
        close: () => (closed ??= end()),
      } satisfies OciPodNetwork;

      async function end(): Promise<void> {
        for (const door of doors.values()) door.server.close();
        deps.ips.release(ip);
        if (keeper.exitCode === null && keeper.signalCode === null) {
          const exited = once(keeper, "exit");
          keeper.kill("SIGKILL");
          await exited;
        }
        rmSync(dir, { recursive: true, force: true });
      }
    },
    // Keepers end with their control pipe, and so with ebb.
    sweep: async () => rmSync(base, { recursive: true, force: true }),
    close: () => Promise.resolve(),
  };
}

/** Only root may listen below 1024, where the pod's own program may well: those are reached 20000 higher. */
const unprivileged = (port: number): number => (port < 1024 ? port + 20_000 : port);

interface Door {
  readonly address: NetAddress;
  readonly server: Server;
}

function openDoor({ log }: RootlessDeps, address: NetAddress, keeper: string, port: number): Door {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const inside = connect({ path: keeper, allowHalfOpen: true });
    inside.write(`${port}\n`);
    joinSockets(client, inside);
  });
  server.on("error", (error) => log.warn("a port of a pod cannot be reached", { ...address, err: error }));
  server.listen({ host: address.host, port: address.port });
  server.unref();
  return { address, server };
}

function joinSockets(a: Socket, b: Socket): void {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    from.on("error", () => to.destroy());
    from.on("close", () => to.destroy());
    from.pipe(to);
  }
}

/** In plain JavaScript for a process of its own; $1 is the socket file. Ends when its standard input does. */
const keeperProgram = `
const net = require("node:net");
process.stdin.resume().on("end", () => process.exit(0)).on("error", () => process.exit(0));
net.createServer({ allowHalfOpen: true }, (outside) => {
  outside.on("error", () => outside.destroy());
  outside.once("readable", function head() {
    const chunk = outside.read();
    if (chunk === null) return outside.once("readable", head);
    const end = chunk.indexOf(10);
    const inside = net.connect({ port: Number(chunk.subarray(0, end)), host: "127.0.0.1", allowHalfOpen: true });
    inside.on("error", () => outside.destroy());
    inside.on("close", () => outside.destroy());
    outside.on("close", () => inside.destroy());
    inside.write(chunk.subarray(end + 1));
    outside.pipe(inside);
    inside.pipe(outside);
  });
}).listen(process.argv[1], () => process.stdout.write("open\\n"));
`;

async function startKeeper({ nodePath, spawned }: RootlessDeps, socket: string): Promise<ChildProcess> {
  const enter = ["--user", "--map-root-user", "--net", "/bin/sh", "-c", 'ip link set lo up && exec "$@"', "keeper"];
  const run = [nodePath, "--max-semi-space-size=1", "--max-old-space-size=32", "-e", keeperProgram, socket];
  const child = spawn("unshare", [...enter, ...run], {
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
    env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
  });
  if (child.pid !== undefined) spawned(child.pid);
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += String(chunk)));
  child.stdin.on("error", () => undefined);
  const ended = new Promise<never>((_, reject) => {
    const failed = (error?: Error): void =>
      reject(
        new ContainerStartError(
          "CreateContainerError",
          `the pod's network cannot be made without root: ${said.trim() || error?.message || "the keeper ended"}`,
        ),
      );
    child.once("error", failed);
    child.once("exit", () => failed());
  });
  ended.catch(() => undefined);
  await Promise.race([once(child.stdout, "data"), ended]);
  return child;
}
