/** Asynchronous calls on a cluster: any replica of ebb-events takes them, each carries out those of its own queues. */
import { ServiceKind } from "../api/core/kinds.ts";
import { isNotFound } from "../api/meta/errors.ts";
import { KIngressKind } from "../api/networking-internal/kinds.ts";
import type { Ingress } from "../api/networking-internal/types.gen.ts";
import { clusterLocalDomain } from "../api/serving/config-domain.ts";
import { servingKeys } from "../api/serving/keys.ts";
import type { Client } from "../client/client.ts";
import { covers, createOrGet } from "../controllers/serving/write.ts";
import { isHostOf } from "../events/calls/call.ts";
import { createCallFront } from "../events/calls/call-front.ts";
import { Calls } from "../events/calls/calls.ts";
import { createSender } from "../events/delivery/http-sender.ts";
import { refusedUrl } from "../events/delivery/public-addresses.ts";
import type { JetStreamLog } from "../events/log/jetstream-store.ts";
import type { ConsumerShares } from "../events/sharing/consumer-shares.ts";
import type { CursorSharing } from "../events/log/event-store.ts";
import { callsService } from "../install/names.ts";
import type { Cluster } from "./cluster.ts";
import type { Address } from "./cluster-router.ts";

export interface ClusterCallsOptions {
  /** Where routers pass calls on, and where calls are asked after. */
  readonly calls: Address;
  /** Host and port of the routers, as pods reach them: every Service's host is answered there. */
  readonly router: string;
}

/** How routes are named; as it is now. */
export interface RouteNames {
  /** Of Services without labels; the cluster's own where there is no other. */
  domain(): string;
  ingressClass(): string;
}

export interface ClusterCallsDeps {
  readonly store: JetStreamLog;
  readonly shares: ConsumerShares;
  readonly sharing: CursorSharing;
  /** This process's name. */
  readonly self: string;
  readonly names: RouteNames;
}

/** Listens; nothing is carried out before `start`. */
export async function openClusterCalls(
  { clock, log, namespace }: Cluster,
  options: ClusterCallsOptions,
  { store, shares, sharing, self, names }: ClusterCallsDeps,
  closers: AsyncDisposableStack,
): Promise<Calls> {
  const sender = createSender({ clock, dial: () => ({ origin: `http://${options.router}` }) });
  closers.defer(() => sender.close());
  // Whoever may call a function says where the result goes: never to this pod itself, nor to what only nodes may ask.
  const only = { loopback: false };
  const callbackSender = createSender({ clock, dial: () => undefined, only });
  closers.defer(() => callbackSender.close());
  const sharingOfCalls = { shares, sharing, bus: store.bus, self, log };
  const calls = new Calls({}, { store, sender, callbackSender, clock, log, sharing: sharingOfCalls });
  closers.defer(() => calls.close(stopMs));
  const host = `${callsService}.${namespace}`;
  const front = createCallFront({
    calls,
    log,
    isStatusHost: (asked) => isHostOf(asked, host),
    refuses: (callback) => refusedUrl(callback, only),
    statusUrl: (id, { host: asked, secure }) => `${originFor({ asked, secure, host, names })}/calls/${id}`,
  });
  closers.defer(() => front.close());
  await front.listen(options.calls);
  return calls;
}

const stopMs = 25_000;

/** Who called inside the cluster asks there; others by the way they came. */
function originFor({
  asked,
  secure,
  host,
  names,
}: {
  readonly asked: string;
  readonly secure: boolean;
  readonly host: string;
  readonly names: RouteNames;
}): string {
  const [name = "", port] = asked.split(":");
  const domain = names.domain();
  if (/\.svc(?:\.cluster\.local)?$/.test(name) || domain === clusterLocalDomain)
    return `http://${host}.${clusterLocalDomain}`;
  return `${secure ? "https" : "http"}://${host}.${domain}${port === undefined ? "" : `:${port}`}`;
}

const keepMs = 20_000;

/**
 * Leads requests of the routers to where calls are asked after, by an Ingress that goes with the Service `calls`; routers
 * pass calls on while it is there. Resolves with the signal.
 */
export async function keepCallsRoute(
  { clock, log, namespace }: Cluster,
  client: Client,
  names: RouteNames,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await bringRoute(client, namespace, names);
    } catch (err) {
      if (!signal.aborted) log.warn("the route to calls could not be made, and is tried again", { err });
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = clock.after(keepMs, resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
    if (signal.aborted) resolve();
    await promise;
    cancel();
  }
}

async function bringRoute(client: Client, namespace: string, names: RouteNames): Promise<void> {
  const place = { namespace, name: callsService };
  const service = await client.get(ServiceKind, place);
  const { spec, annotations } = makeRoute(namespace, names);
  const known = await client.get(KIngressKind, place).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  if (known) {
    if (!covers(known.spec, spec)) await client.update(KIngressKind, { ...known, spec });
    return;
  }
  const ownerReferences = [{ apiVersion: "v1", kind: "Service", name: callsService, uid: service.metadata.uid ?? "" }];
  await createOrGet(client, KIngressKind, { metadata: { ...place, annotations, ownerReferences }, spec });
}

function makeRoute(
  namespace: string,
  names: RouteNames,
): { readonly spec: Ingress["spec"]; readonly annotations: Readonly<Record<string, string>> } {
  const host = `${callsService}.${namespace}`;
  const domain = names.domain();
  // The name without a domain is for the command line, which knows none.
  const hosts = [host, ...(domain === clusterLocalDomain ? [] : [`${host}.${domain}`])];
  const split = { serviceName: callsService, serviceNamespace: namespace, servicePort: 80, percent: 100 };
  const paths = [{ rewriteHost: `${host}.${clusterLocalDomain}`, splits: [split] }];
  return {
    annotations: { [servingKeys.ingressClass]: names.ingressClass() },
    spec: { httpOption: "Enabled", rules: [{ hosts, visibility: "ExternalIP", http: { paths } }] },
  };
}
