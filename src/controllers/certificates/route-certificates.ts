/** https for the hosts of a Route. */
import { keyOf } from "../../api/meta/object.ts";
import { KIngressKind } from "../../api/networking-internal/kinds.ts";
import { domainOf } from "../../api/serving/config-domain.ts";
import type { Route } from "../../api/serving/types.gen.ts";
import type { ServingConfig } from "../serving/config.ts";
import type { TagHosts } from "../serving/route-hosts.ts";
import {
  dropCertificates,
  holdCertificates,
  judgeCertificates,
  notForTheCluster,
  tlsNotEnabled,
  wantsCertificates,
  type CertificateDeps,
  type HostTls,
} from "./host-certificates.ts";
import { makeRouteCertificate } from "./make-certificate.ts";

/** Holds one Certificate per host that is reached from outside; those of hosts of before go. */
export async function routeTls(
  deps: CertificateDeps & { readonly defaultDomain: string },
  config: ServingConfig,
  route: Route,
  hosts: readonly TagHosts[],
): Promise<HostTls> {
  const network = config.network();
  if (!wantsCertificates(network, route)) return tlsNotEnabled();
  const domain = domainOf(config.domain(), route.metadata.labels, deps.defaultDomain);
  const drafts = hosts.flatMap(({ tag, external: host }) =>
    host === undefined ? [] : [makeRouteCertificate(route, { tag, host, domain }, network.certificateClass)],
  );
  const held = await holdCertificates(deps, route, drafts);
  await dropCertificates(deps, route, drafts);
  const before = deps.informers.of(KIngressKind).get(keyOf(route.metadata));
  return drafts.length === 0 ? notForTheCluster : judgeCertificates(held, network, before);
}

/** Hosts with the URLs under which they are served now. */
export function secured(hosts: ReadonlyMap<string, TagHosts>, tls: HostTls | undefined): ReadonlyMap<string, TagHosts> {
  if (!tls || tls.secure.size === 0) return hosts;
  return new Map(
    Array.from(hosts, ([tag, one]) => {
      const isSecure = one.external !== undefined && tls.secure.has(one.external);
      return [tag, isSecure ? { ...one, url: `https://${one.external}` } : one] as const;
    }),
  );
}
