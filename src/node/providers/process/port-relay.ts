import { connect, createServer, type Server } from "node:net";
import type { Logger } from "../../../telemetry/logger.ts";
import type { NetAddress } from "../../runtime.ts";

/**
 * Makes a pod reachable where its status says it is: listens on the pod's address and declared port and passes
 * connections to the private port its program really has. For Services and neighbours; the router goes straight.
 * Best effort: where the port cannot be had (below 1024, taken by a program on all addresses), there is no relay.
 */
export interface PortRelay {
  close(): void;
}

export function openPortRelay(
  { log }: { readonly log: Logger },
  listen: NetAddress,
  target: () => NetAddress | undefined,
): PortRelay {
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const address = target();
    client.on("error", () => client.destroy());
    if (!address) return void client.destroy();
    const upstream = connect({ ...address, allowHalfOpen: true, noDelay: true });
    upstream.on("error", () => client.destroy());
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
    client.pipe(upstream);
    upstream.pipe(client);
  });
  server.on("error", (error) => log.debug("pod port has no relay", { ...listen, err: error }));
  server.listen({ host: listen.host, port: listen.port });
  server.unref();
  return { close: () => void server.close() };
}
