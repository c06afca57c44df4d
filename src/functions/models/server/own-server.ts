import type { Server as HttpServer } from "node:http";
import type { AddressInfo, Server } from "node:net";
import { LoadError } from "../../hosts/node/load-error.ts";

export interface OwnListener {
  /**
   * The function's server, once it listens: it may do so later than its module is loaded. Rejects with LoadError when
   * nothing is under way that could still lead to one, or when it listens elsewhere.
   */
  listening(): Promise<Server>;
  /** Stops watching: the function turned out to be one that the host serves. */
  release(): void;
}

/**
 * Lets a function that calls `listen()` with PORT itself have the host's port: the host's listener is
 * closed the moment the function asks for that port. Listening on another port is remembered for the error message.
 * Where the host's door is open to all addresses, as in a container, so is the function's: nobody comes there by loopback.
 */
export function adoptListener(host: HttpServer, port: number, isOpen: boolean): OwnListener {
  const net = process.getBuiltinModule("node:net");
  const listen = net.Server.prototype.listen;
  const seen: Server[] = [];
  const before = activeResources();
  net.Server.prototype.listen = function (this: Server, ...args: readonly unknown[]) {
    if (portOf(args) === port && host.listening) host.close();
    if (this !== (host as Server)) seen.push(this);
    return Reflect.apply(listen, this, isOpen ? opened(args, port) : args) as Server;
  } as typeof listen;
  const release = (): void => {
    net.Server.prototype.listen = listen;
  };
  return {
    release,
    async listening() {
      while (seen.length === 0 && isBusy(before)) await new Promise((resolve) => setTimeout(resolve, 10));
      release();
      const ports: number[] = [];
      for (const server of seen) {
        if (!server.listening) await new Promise((resolve) => server.once("listening", resolve));
        const address = server.address() as AddressInfo | string | null;
        if (typeof address === "object" && address?.port === port) return server;
        if (typeof address === "object" && address !== null) ports.push(address.port);
      }
      throw ports.length === 0
        ? new LoadError("NoHandler", noHandler)
        : new LoadError("PortIgnored", `the function listens on port ${ports.join(", ")} instead of PORT (${port})`);
    },
  };
}

/** How many of each kind keep the process alive. */
function activeResources(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/** Whether the function has begun something since: a timer beside the host's own, a connection, a file. */
function isBusy(before: ReadonlyMap<string, number>): boolean {
  for (const [kind, count] of activeResources()) {
    const own = kind === "Timeout" ? 1 : 0;
    if (kind !== "Immediate" && count > (before.get(kind) ?? 0) + own) return true;
  }
  return false;
}

const noHandler =
  "the module exports no handler: write `export default { fetch(request) { … } }`, " +
  "`export default (req, res) => { … }`, or listen on the port that PORT in the environment says";

/** Arguments of `listen`, with all addresses in the place of a loopback one. */
function opened(args: readonly unknown[], port: number): readonly unknown[] {
  const [first, second, ...rest] = args;
  if (portOf(args) !== port) return args;
  if (typeof first !== "object" || first === null) return isLoopback(second) ? [first, "0.0.0.0", ...rest] : args;
  return "host" in first && isLoopback(first.host) ? [{ ...first, host: "0.0.0.0" }, ...args.slice(1)] : args;
}

const isLoopback = (host: unknown): boolean =>
  typeof host === "string" && (host === "localhost" || host === "::1" || host.startsWith("127."));

function portOf(args: readonly unknown[]): number | undefined {
  const first = args[0];
  if (typeof first === "number" || typeof first === "string") return Number(first);
  if (typeof first === "object" && first !== null && "port" in first) return Number(first.port);
  return undefined;
}
