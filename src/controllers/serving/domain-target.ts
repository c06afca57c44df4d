/** What a DomainMapping refers to, as a host inside the cluster (pkg/reconciler/domainmapping, resolveRef). */
import { clusterLocalDomain } from "../../api/serving/config-domain.ts";
import type { Addressable, DomainMapping, KReference } from "../../api/serving/types.gen.ts";

export interface ResolvedTarget {
  /** `<service>.<namespace>.svc.cluster.local`. */
  readonly host: string;
  readonly service: string;
}

/** An object of the cluster as far as it can be mapped to. */
export type Referent =
  | { readonly kind: "missing" }
  | { readonly kind: "addressable"; readonly address: Addressable | undefined }
  /** A core Service: its name is its host. */
  | { readonly kind: "service" }
  | { readonly kind: "unsupported" };

export type TargetResult =
  | { readonly ok: true; readonly target: ResolvedTarget }
  | { readonly ok: false; readonly problem: string };

export function resolveTarget({ metadata, spec }: DomainMapping, referent: Referent): TargetResult {
  const { namespace = "" } = metadata;
  const { name } = spec.ref;
  const what = describe(spec.ref);
  if (referent.kind === "missing") return bad(`${what} not found`);
  if (referent.kind === "unsupported")
    return bad(`${what} cannot be mapped: want a Knative Service, a Route or a core Service`);
  if (referent.kind === "service") return found({ host: `${name}.${namespace}.${clusterLocalDomain}`, service: name });
  const address = referent.address?.url;
  if (!address) return bad(`address not set for ${what}`);
  return fromUrl(address, namespace);
}

function fromUrl(address: string, namespace: string): TargetResult {
  if (!URL.canParse(address)) return bad(`resolved URI ${JSON.stringify(address)} is not a URL`);
  const { hostname, pathname } = new URL(address);
  const uri = JSON.stringify(address);
  if (pathname !== "/" && pathname !== "") return bad(`resolved URI ${uri} contains a path`);
  const suffix = `.${clusterLocalDomain}`;
  const parts = hostname.slice(0, -suffix.length).split(".");
  const [service = "", ns = ""] = parts;
  if (!hostname.endsWith(suffix) || parts.length !== 2)
    return bad(`resolved URI ${uri} must be of the form {name}.{namespace}${suffix}`);
  if (ns !== namespace) return bad(`resolved URI ${uri} must be in same namespace as DomainMapping`);
  return found({ host: hostname, service });
}

const found = (target: ResolvedTarget): TargetResult => ({ ok: true, target });
const bad = (problem: string): TargetResult => ({ ok: false, problem });

const describe = ({ apiVersion = "", kind, name }: KReference): string =>
  `${kind}.${apiVersion.includes("/") ? apiVersion.split("/")[0] : "core"} ${JSON.stringify(name)}`;
