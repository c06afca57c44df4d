/** A router's way to the leading autoscaler. */
import { readFile } from "node:fs/promises";
import { addressOf, followLeader } from "../client/follow-leader.ts";
import { RemoteLoad } from "../router/remote-load.ts";
import { systemClock } from "../router/router-clock.ts";
import { loadPath } from "../scaling/load-wire.ts";
import type { Cluster } from "./cluster.ts";
import { readServingCa } from "./serving-ca.ts";

/** The name in a controller's certificate, whatever address it is reached by. */
const controllerHost = (namespace: string): string => `ebb-controller.${namespace}.svc`;

export interface LoadLinkOptions {
  /** Port at which controllers serve. */
  readonly port: number;
  /** File of a token for the audience `ebb-controller`; rewritten before it ends. */
  readonly tokenFile: string;
}

/** A router's link to whoever leads, now and later. Opens nothing before the Lease names a leader. */
export function openLoadLink(
  { client, leases, clock, log, namespace, identity }: Cluster,
  { port, tokenFile }: LoadLinkOptions,
  closers: AsyncDisposableStack,
): RemoteLoad {
  let ca: string | undefined;
  const load = new RemoteLoad(identity.podName, {
    clock: systemClock,
    log,
    endpoint: async (address) => {
      // What was last known serves while the API server is away.
      ca = await readServingCa(client, namespace).catch((error: unknown) => {
        if (ca === undefined) throw error;
        return ca;
      });
      const host = address.includes(":") ? `[${address}]` : address;
      const token = (await readFile(tokenFile, "utf8")).trim();
      return { url: `wss://${host}:${port}${loadPath}`, ca, servername: controllerHost(namespace), token };
    },
  });
  closers.defer(() => load.close());
  const stop = new AbortController();
  const lease = { namespace, name: "ebb-controller" };
  const onLeader = (holder: string | undefined): void => load.follow(holder && addressOf(holder));
  const following = followLeader({ client: leases, clock, log }, lease, onLeader, stop.signal);
  closers.defer(async () => {
    stop.abort(new Error("the router is stopping"));
    await following;
  });
  return load;
}
