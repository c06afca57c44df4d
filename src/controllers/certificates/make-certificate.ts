/** The Certificate of one host (pkg/reconciler/route/resources/certificate.go). */
import type { Draft, KubeObject } from "../../api/meta/object.ts";
import type { Kind } from "../../api/meta/kind.ts";
import { controllerReference } from "../../api/meta/owner.ts";
import type { Certificate } from "../../api/networking-internal/types.gen.ts";
import { childName } from "../../api/serving/child-name.ts";
import { servingKeys as keys } from "../../api/serving/keys.ts";
import { DomainMappingKind, RouteKind } from "../../api/serving/kinds.ts";
import type { DomainMapping, Route } from "../../api/serving/types.gen.ts";
import { adler32 } from "./adler32.ts";

/** What Certificates of hosts that are reached from outside carry as {@link keys.certificateType}. */
export const externalDomain = "external-domain";

interface Wanted {
  readonly kind: Pick<Kind, "group" | "version" | "kind">;
  readonly owner: KubeObject;
  readonly ownerLabel: string;
  readonly name: string;
  readonly host: string;
  readonly domain: string;
  readonly class: string;
}

function makeCertificate({ kind, owner, ownerLabel, name, host, domain, ...wanted }: Wanted): Draft<Certificate> {
  const { namespace = "", annotations } = owner.metadata;
  const own = classOf(annotations);
  return {
    metadata: {
      name,
      namespace,
      labels: { [ownerLabel]: owner.metadata.name, [keys.certificateType]: externalDomain },
      annotations: { [keys.certificateClass]: own ?? wanted.class },
      ownerReferences: [controllerReference(kind, owner)],
    },
    // A domain template may make hosts that are under no domain that is set.
    spec: { dnsNames: [host], ...(isUnder(host, domain) ? { domain } : {}), secretName: name },
  };
}

const isUnder = (host: string, domain: string): boolean => host === domain || host.endsWith(`.${domain}`);

/** Of the object alone, in either spelling. */
export const classOf = (annotations: Readonly<Record<string, string>> | undefined): string | undefined =>
  annotations?.[keys.certificateClass] ?? annotations?.[keys.certificateClassAlternative];

export interface RouteHost {
  readonly tag: string;
  readonly host: string;
  /** The host is below it. */
  readonly domain: string;
}

/** Named by the Route's uid, since names of Routes and tags together may be too long. */
export function makeRouteCertificate(route: Route, { tag, host, domain }: RouteHost, cls: string): Draft<Certificate> {
  const name = `route-${route.metadata.uid ?? ""}${tag === "" ? "" : `-${adler32(tag)}`}`;
  return makeCertificate({ kind: RouteKind, owner: route, ownerLabel: keys.route, name, host, domain, class: cls });
}

export function makeDomainCertificate(mapping: DomainMapping, cls: string): Draft<Certificate> {
  const { name } = mapping.metadata;
  const rest = { ownerLabel: keys.domainMappingUid, name: childName(name, ""), host: name, domain: name, class: cls };
  return makeCertificate({ kind: DomainMappingKind, owner: mapping, ...rest });
}
