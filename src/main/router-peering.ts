/** How the router of a cluster finds its peers: the EndpointSlices of their Service, and a key in a Secret. */
import { EndpointSliceKind } from "../api/discovery/kinds.ts";
import type { EndpointSlice } from "../api/discovery/types.gen.ts";
import { KIngressKind } from "../api/networking-internal/kinds.ts";
import { createInformers } from "../client/create-informers.ts";
import type { Informers } from "../client/informer.ts";
import { readPeerKey } from "../router/peers/peer-key.ts";
import { isAtLeast } from "../client/resource-version.ts";
import { Peers, type ListedPeer } from "../router/peers/peers.ts";
import { systemClock } from "../router/router-clock.ts";
import type { Router } from "../router/router.ts";
import type { Cluster } from "./cluster.ts";
import type { PeeringOptions } from "./cluster-router.ts";
import { trimmed } from "./trim-objects.ts";

export interface Peering {
  readonly peers: Peers;
  /** Opens the doors for the others and looks for them; gives the ports. */
  listen(router: Router): Promise<{ readonly peerPort: number; readonly relayPort: number }>;
  /** Tells the others how far this router's routes are. */
  followApplied(informers: Informers): void;
}

/** Name of the port under which an EndpointSlice lists where routers listen for each other. */
const peersPort = "peers";

export async function startPeering(
  { client, log, clock, namespace, identity }: Cluster,
  options: PeeringOptions,
  router: () => Router,
  closers: AsyncDisposableStack,
): Promise<Peering> {
  const key = await readPeerKey(client, { namespace, name: options.secret });
  let relayPort = 0;
  let applied = "";
  const peers = new Peers(
    { name: identity.podName, host: identity.podIp, key },
    {
      clock: systemClock,
      log,
      relayPort: () => relayPort,
      carried: () => router().carried(),
      applied: () => applied,
      onChange: () => router().reconsider(),
    },
  );
  closers.defer(() => peers.close());
  return {
    peers,
    async listen(open) {
      ({ port: relayPort } = await open.listen({ ...options.relay, reach: "peer" }));
      const { port } = await peers.listen(options.link.host, options.link.port);
      const labelSelector = `kubernetes.io/service-name=${options.service}`;
      const scopeOf = () => ({ namespace, labelSelector, trim: trimmed });
      const informers = createInformers(client, { log, clock, scopeOf });
      closers.defer(() => informers.close());
      const slices = informers.of(EndpointSliceKind);
      closers.defer(slices.onChange(() => peers.setListed(slices.list().flatMap(listedIn))));
      return { peerPort: port, relayPort };
    },
    followApplied(informers) {
      const stop = informers.of(KIngressKind).onChange(({ object }) => {
        const { resourceVersion = "" } = object.metadata;
        if (isAtLeast(applied, resourceVersion)) return;
        applied = resourceVersion;
        peers.saySoon();
      });
      closers.defer(stop);
    },
  };
}

function listedIn({ ports = [], endpoints }: EndpointSlice): readonly ListedPeer[] {
  const port = ports?.find(({ name }) => name === peersPort)?.port;
  if (port === undefined) return [];
  return (endpoints ?? []).flatMap(({ addresses: [host], targetRef, conditions }) =>
    host === undefined ? [] : [{ name: targetRef?.name ?? host, host, port, isReady: conditions?.ready !== false }],
  );
}
