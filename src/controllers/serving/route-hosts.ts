/** Names a Route answers to (pkg/reconciler/route/domains, visibility). */
import type { Service as CoreService } from "../../api/core/types.gen.ts";
import { clusterLocalDomain, domainOf, type DomainConfig } from "../../api/serving/config-domain.ts";
import type { NetworkConfig } from "../../api/serving/config-network.ts";
import { clusterLocalVisibility, servingKeys as keys } from "../../api/serving/keys.ts";
import type { Route } from "../../api/serving/types.gen.ts";

/** The tag of what has none: the Route's own hosts. */
export const mainTag = "";

export interface HostSettings {
  readonly network: NetworkConfig;
  readonly domains: DomainConfig;
  readonly defaultDomain: string;
  /** Shown in external URLs unless it is the scheme's own. */
  readonly externalPort: number | undefined;
}

export interface TagHosts {
  readonly tag: string;
  /** Name of the core Service in front, and the first label of the hosts. */
  readonly hostname: string;
  /** Undefined for what only the cluster may reach. */
  readonly external: string | undefined;
  /** Short to long; the last is fully qualified. */
  readonly local: readonly string[];
  readonly url: string;
}

export type HostsResult =
  | { readonly ok: true; readonly hosts: TagHosts }
  /** The templates make a name no host can have. */
  | { readonly ok: false; readonly problem: string };

/** `services` gives the core Service of a hostname: its own visibility label hides just that tag. */
export function hostsOf(
  route: Route,
  tag: string,
  settings: HostSettings,
  services: (name: string) => CoreService | undefined,
): HostsResult {
  const { network, domains, defaultDomain } = settings;
  const { name, namespace = "", labels, annotations } = route.metadata;
  const hostname = tag === mainTag ? name : network.tagTemplate({ Tag: tag, Name: name });
  const local = [
    `${hostname}.${namespace}`,
    `${hostname}.${namespace}.svc`,
    `${hostname}.${namespace}.${clusterLocalDomain}`,
  ];
  const domain = domainOf(domains, labels, defaultDomain);
  const hidden =
    domain === clusterLocalDomain || services(hostname)?.metadata.labels?.[keys.visibility] === clusterLocalVisibility;
  const external = hidden
    ? undefined
    : network.domainTemplate({
        Name: hostname,
        Namespace: namespace,
        Domain: domain,
        Annotations: annotations,
        Labels: labels,
      });
  const problem = hostProblem(external ?? local.at(-1) ?? "");
  if (problem !== undefined) return { ok: false, problem };
  const url = external === undefined ? `http://${local.at(-1)}` : externalUrl(external, settings);
  return { ok: true, hosts: { tag, hostname, external, local, url } };
}

function externalUrl(host: string, { network, externalPort }: HostSettings): string {
  const scheme = network.defaultExternalScheme;
  const usual = externalPort === undefined || externalPort === 80 || externalPort === 443;
  return `${scheme}://${host}${usual ? "" : `:${externalPort}`}`;
}

function hostProblem(host: string): string | undefined {
  const wrong = host.split(".").find((label) => !/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(label));
  if (wrong === undefined && host.length <= 253) return undefined;
  const why =
    wrong === undefined
      ? `it has ${host.length} characters, at most 253 are possible`
      : wrong.length > 63
        ? `its part ${JSON.stringify(wrong)} has ${wrong.length} characters, at most 63 are possible`
        : `its part ${JSON.stringify(wrong)} is not made of a-z, 0-9 and inner "-"`;
  return `invalid domain name ${JSON.stringify(host)}: ${why}`;
}
