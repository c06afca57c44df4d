/** Certificates for the hosts of Routes and DomainMappings, and what follows for them. */
import { isDeepStrictEqual } from "node:util";
import { isNotFound } from "../../api/meta/errors.ts";
import { keyOf, type Draft, type KubeObject } from "../../api/meta/object.ts";
import { isControlledBy } from "../../api/meta/owner.ts";
import { KCertificateKind } from "../../api/networking-internal/kinds.ts";
import type { Certificate, HTTP01Challenge, Ingress, IngressTLS } from "../../api/networking-internal/types.gen.ts";
import { conditionOf, isFailed, isFalse, isReady, isUnknown, type Verdict } from "../../api/serving/conditions.ts";
import type { NetworkConfig } from "../../api/serving/config-network.ts";
import { servingKeys as keys } from "../../api/serving/keys.ts";
import type { Client } from "../../client/client.ts";
import type { Informers } from "../../client/informer.ts";
import { createOrGet } from "../serving/write.ts";
import { externalDomain } from "./make-certificate.ts";

/** How the hosts of an object are served by https. */
export interface HostTls {
  /** CertificateProvisioned. */
  readonly verdict: Verdict;
  readonly tls: readonly IngressTLS[];
  /** What has to be answered at the hosts while a certificate is made. */
  readonly challenges: readonly HTTP01Challenge[];
  /** Hosts whose URLs begin with https. */
  readonly secure: ReadonlySet<string>;
  /** Every host has a certificate: http may be redirected. */
  readonly isComplete: boolean;
}

export const tlsNotEnabled = (message = "external-domain-tls is not enabled"): HostTls => ({
  verdict: { status: "True", reason: "TLSNotEnabled", message },
  tls: [],
  challenges: [],
  secure: new Set(),
  isComplete: false,
});

export const notForTheCluster = tlsNotEnabled("TLS is not enabled for cluster-local");

/** Whether hosts of this object get certificates by themselves. */
export function wantsCertificates({ externalDomainTls }: NetworkConfig, { metadata }: KubeObject): boolean {
  const { annotations = {} } = metadata;
  const off = [keys.disableAutoTlsOld, keys.disableAutoTls, keys.disableExternalDomainTls];
  const said = off.map((key) => annotations[key]).find((text) => text !== undefined && text !== "");
  return externalDomainTls && !/^(1|t|true)$/i.test(said ?? "");
}

export interface CertificateDeps {
  readonly client: Client;
  readonly informers: Informers;
}

/** One Certificate as it is now; `foreign`: its name is somebody else's. */
export interface HeldCertificate {
  readonly host: string;
  readonly name: string;
  readonly certificate: Certificate | "foreign";
}

/** Makes the Certificate of each host, or finds the namespace's that covers it. */
export async function holdCertificates(
  { client, informers }: CertificateDeps,
  owner: KubeObject,
  drafts: readonly Draft<Certificate>[],
): Promise<readonly HeldCertificate[]> {
  const known = informers.of(KCertificateKind);
  const wildcards = known
    .list(owner.metadata.namespace)
    .filter(({ metadata }) => metadata.labels?.[keys.wildcardDomain]);
  const held: HeldCertificate[] = [];
  for (const draft of drafts) {
    const { name = "", namespace = "" } = draft.metadata;
    const [host = ""] = draft.spec.dnsNames;
    const shared = wildcards.find(({ spec }) => spec.dnsNames.includes(host.replace(/^[^.]+/, "*")));
    const have =
      shared ?? known.get(keyOf({ name, namespace })) ?? (await createOrGet(client, KCertificateKind, draft));
    if (!shared && !isControlledBy(have, owner)) held.push({ host, name, certificate: "foreign" });
    else if (shared || isSame(have, draft)) held.push({ host, name: have.metadata.name, certificate: have });
    else {
      const metadata = {
        ...have.metadata,
        labels: { ...have.metadata.labels, ...draft.metadata.labels },
        annotations: { ...have.metadata.annotations, ...draft.metadata.annotations },
      };
      const certificate = await client.update(KCertificateKind, { ...have, metadata, spec: draft.spec });
      held.push({ host, name, certificate });
    }
  }
  return held;
}

const isSame = (have: Certificate, { spec, metadata }: Draft<Certificate>): boolean =>
  isDeepStrictEqual(have.spec, spec) &&
  have.metadata.annotations?.[keys.certificateClass] === metadata.annotations?.[keys.certificateClass];

/** Removes Certificates that this Route has for hosts of before, such as those of tags it no longer has. */
export async function dropCertificates(
  { client, informers }: CertificateDeps,
  route: KubeObject,
  kept: readonly Draft<Certificate>[],
): Promise<void> {
  const { namespace = "", name } = route.metadata;
  const names = new Set(kept.map(({ metadata }) => metadata.name));
  for (const certificate of informers.of(KCertificateKind).list(namespace)) {
    const { labels, name: own } = certificate.metadata;
    if (labels?.[keys.route] !== name || labels[keys.certificateType] !== externalDomain) continue;
    if (names.has(own) || !isControlledBy(certificate, route)) continue;
    await client.delete(KCertificateKind, { namespace, name: own }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
}

/**
 * What Certificates say about their hosts (pkg/reconciler/route/route.go, externalDomainTLS). Of several, the worst
 * decides.
 *
 * | certificate | http-protocol Enabled              | Redirected                          |
 * |-------------|------------------------------------|-------------------------------------|
 * | ready       | True, https                        | True, https                         |
 * | not yet     | True HTTPDowngrade, http           | Unknown CertificateNotReady         |
 * | failed      | True HTTPDowngrade, http           | False CertificateProvisionFailed    |
 * | foreign     | False CertificateNotOwned, http    | False CertificateNotOwned           |
 *
 * A host that is served by https stays so whatever becomes of its Certificate: routers keep what they have read.
 */
export function judgeCertificates(
  held: readonly HeldCertificate[],
  { httpProtocol }: Pick<NetworkConfig, "httpProtocol">,
  before: Ingress | undefined,
): HostTls {
  const served = new Set(before?.spec.tls?.map(({ secretName }) => secretName));
  const secure = new Set<string>();
  const tls: IngressTLS[] = [];
  const challenges: HTTP01Challenge[] = [];
  const verdicts: Verdict[] = [];
  for (const { host, name, certificate } of held) {
    if (certificate === "foreign") {
      verdicts.push(isFalse("CertificateNotOwned", `There is an existing certificate ${name} that we don't own.`));
      continue;
    }
    const ready = isReady(certificate);
    const renewing = conditionOf(certificate, "Renewing")?.status === "True";
    if (!ready || renewing) challenges.push(...(certificate.status?.http01Challenges ?? []));
    const { secretName } = certificate.spec;
    const isServed = ready || served.has(secretName);
    if (isServed || httpProtocol === "Redirected") secure.add(host);
    if (isServed) tls.push({ hosts: [host], secretName, secretNamespace: certificate.metadata.namespace ?? "" });
    if (!ready) verdicts.push(unreadyVerdict(certificate, isServed ? "Redirected" : httpProtocol));
  }
  challenges.sort((a, b) => ((a.url ?? "") < (b.url ?? "") ? -1 : 1));
  const worst = ["False", "Unknown", "True"].flatMap((status) => verdicts.filter((one) => one.status === status));
  const verdict = worst[0] ?? { status: "True" as const };
  return { verdict, tls, challenges, secure, isComplete: tls.length === held.length };
}

function unreadyVerdict(certificate: Certificate, httpProtocol: "Enabled" | "Redirected"): Verdict {
  const { name } = certificate.metadata;
  if (httpProtocol === "Enabled") {
    const message = `Certificate ${name} is not ready downgrade HTTP.`;
    return { status: "True", reason: "HTTPDowngrade", message };
  }
  const reason = conditionOf(certificate, "Ready")?.reason ?? "";
  return isFailed(certificate)
    ? isFalse("CertificateProvisionFailed", `Certificate ${name} fails to be provisioned: ${reason}`)
    : isUnknown("CertificateNotReady", `Certificate ${name} is not ready: ${reason}`);
}
