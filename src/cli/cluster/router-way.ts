import { request } from "node:http";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { IngressKind } from "../../api/networking/kinds.ts";
import { NodeKind, PodKind, ServiceKind } from "../../api/core/kinds.ts";
import type { Pod, Service } from "../../api/core/types.gen.ts";
import { isApiError, isNotFound } from "../../api/meta/errors.ts";
import type { HttpClient } from "../../client/http-client.ts";
import { CommandError } from "../command.ts";

/** Where ebb's router is in a cluster. */
export const routerService = { namespace: "ebb-system", name: "ebb-router" } as const;

/** How to get a request to the router from here. */
export interface RouterWay {
  /** `the node port 10.0.0.4:31380`. */
  readonly words: string;
  /** Scheme, address and port; the service's host goes into the Host header. */
  readonly origin: string;
  /** Whether a person can send requests there too, with the service's host as Host header. */
  readonly isPublic: boolean;
  /** For a connection made otherwise than by address. */
  readonly connect?: () => Promise<Duplex>;
}

/** Long enough for another continent; an address that nobody answers at costs no more. */
const probeTimeoutMs = 2000;

/**
 * Finds a way to the router for a service's URL: a load balancer, an Ingress or a node port whose answer shows that it
 * is ebb's router and knows the host, else a port-forward through the API server. Where no ebb router is to be seen
 * (another Serving, or no permission to look), the URL itself.
 */
export async function findRouterWay(client: HttpClient, url: URL, signal: AbortSignal): Promise<RouterWay> {
  const router = await routerOf(client);
  if (!router) return { words: url.origin, origin: url.origin, isPublic: true };
  const secure = url.protocol === "https:";
  const candidates = await addressesOf(client, router, secure);
  const known = await Promise.all(candidates.map(async (way) => (await knowsHost(way.probe, url.host, signal)) && way));
  const [way] = known.filter((one) => one !== false);
  return way ?? (await forwardedWay(client, router, secure, signal));
}

async function routerOf(client: HttpClient): Promise<Service | undefined> {
  try {
    return await client.get(ServiceKind, routerService);
  } catch (error) {
    if (isNotFound(error) || (isApiError(error) && error.code === 403)) return undefined;
    throw error;
  }
}

interface Candidate extends RouterWay {
  /** Plain HTTP, where a probe is answered without a certificate. */
  readonly probe: string;
}

async function addressesOf(client: HttpClient, router: Service, secure: boolean): Promise<readonly Candidate[]> {
  const port = (number: number) => router.spec?.ports?.find((p) => p.port === number);
  const make = (words: string, host: string, plain: number | undefined, tls: number | undefined): Candidate[] => {
    const wanted = secure ? tls : plain;
    if (wanted === undefined || plain === undefined) return [];
    const at = host.includes(":") ? `[${host}]` : host;
    const origin = `${secure ? "https" : "http"}://${at}:${wanted}`;
    return [{ words: `${words} ${at}:${wanted}`, origin, isPublic: true, probe: `http://${at}:${plain}` }];
  };
  const balanced = (router.status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) =>
    make("the load balancer", ip ?? hostname ?? "", port(80)?.port, port(443)?.port),
  );
  const given = (router.spec?.externalIPs ?? []).flatMap((ip) =>
    make("the external address", ip, port(80)?.port, port(443)?.port),
  );
  const ingresses = await readable(client.list(IngressKind, { namespace: routerService.namespace }));
  const fronted = ingresses
    .filter((ingress) => JSON.stringify(ingress.spec ?? {}).includes(`"name":"${routerService.name}"`))
    .flatMap((ingress) => ingress.status?.loadBalancer?.ingress ?? [])
    .flatMap(({ ip, hostname }) => make("the Ingress", ip ?? hostname ?? "", 80, 443));
  const nodePort = port(80)?.nodePort;
  const nodes = nodePort === undefined ? [] : await readable(client.list(NodeKind, { limit: 5 }));
  const atNodes = ["ExternalIP", "InternalIP"].flatMap((type) =>
    nodes
      .flatMap((node) => node.status?.addresses?.filter((address) => address.type === type) ?? [])
      .flatMap(({ address }) => make("the node port", address, nodePort, port(443)?.nodePort)),
  );
  return [...balanced, ...given, ...fronted, ...atNodes];
}

/** What may be listed; nothing where it may not. */
async function readable<T>(list: Promise<{ readonly items: readonly T[] }>): Promise<readonly T[]> {
  try {
    return (await list).items;
  } catch (error) {
    if (isApiError(error) && (error.code === 403 || error.code === 404)) return [];
    throw error;
  }
}

/** Asks with a network probe, which the router answers itself for hosts it has: nobody else is taken for it. */
async function knowsHost(origin: string, host: string, signal: AbortSignal): Promise<boolean> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(probeTimeoutMs)]);
  try {
    return await new Promise<boolean>((resolve, reject) => {
      const headers = { host, "k-network-probe": "queue" };
      request(origin, { headers, signal: limit, agent: false }, (answer) => {
        text(answer).then((body) => resolve(answer.statusCode === 200 && body === "queue"), reject);
      })
        .once("error", reject)
        .end();
    });
  } catch (error) {
    if (signal.aborted) throw error;
    return false;
  }
}

async function forwardedWay(
  client: HttpClient,
  router: Service,
  secure: boolean,
  signal: AbortSignal,
): Promise<RouterWay> {
  const { namespace } = routerService;
  const labelSelector = Object.entries(router.spec?.selector ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .join(",");
  const pods = await readable(client.list(PodKind, { namespace, labelSelector }));
  const [pod] = pods.filter(isReady);
  if (!pod)
    throw new CommandError(
      `cannot reach the router: no address of Service ${namespace}/${routerService.name} answers from here, and there is no ready pod of it to forward to, or you may not list pods in ${namespace}; "ebb doctor" looks further`,
    );
  const port = podPortOf(router, pod, secure ? 443 : 80);
  const { connectToPod } = await import("../../client/pod-port.ts");
  return {
    words: `a port-forward to pod ${pod.metadata.name}`,
    origin: `${secure ? "https" : "http"}://${routerService.name}.${namespace}`,
    isPublic: false,
    connect: () => connectToPod(client, { namespace, pod: pod.metadata.name, port }, signal),
  };
}

const isReady = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp === undefined &&
  status?.conditions?.some((c) => c.type === "Ready" && c.status === "True") === true;

/** The port of a pod behind a port of its Service. */
function podPortOf(service: Service, pod: Pod, number: number): number {
  const port = service.spec?.ports?.find((p) => p.port === number);
  const target = port?.targetPort ?? number;
  if (typeof target === "number") return target;
  const named = pod.spec.containers.flatMap((c) => c.ports ?? []).find((p) => p.name === target);
  return named?.containerPort ?? number;
}
