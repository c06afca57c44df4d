/** What ebb says to cert-manager (https://cert-manager.io/docs/reference/api-docs/), as far as it needs it. */
import { kind } from "../../api/meta/kind.ts";
import type { Draft, KubeObject } from "../../api/meta/object.ts";
import { controllerReference } from "../../api/meta/owner.ts";
import { KCertificateKind } from "../../api/networking-internal/kinds.ts";
import type { Certificate } from "../../api/networking-internal/types.gen.ts";
import type { IssuerReference } from "../../api/serving/config-certmanager.ts";
import { servingKeys as keys } from "../../api/serving/keys.ts";

export interface CertManagerCertificate extends KubeObject {
  readonly spec: {
    readonly commonName: string;
    readonly dnsNames: readonly string[];
    readonly secretName: string;
    readonly issuerRef: IssuerReference;
    readonly secretTemplate?: { readonly labels?: Readonly<Record<string, string>> };
  };
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
    readonly notAfter?: string;
    readonly renewalTime?: string;
  };
}

/** An ACME challenge under way. */
export interface CertManagerChallenge extends KubeObject {
  readonly spec: { readonly dnsName: string; readonly token: string };
}

export const CertManagerCertificateKind = kind<CertManagerCertificate>({
  group: "cert-manager.io",
  version: "v1",
  kind: "Certificate",
  plural: "certificates",
});

export const CertManagerChallengeKind = kind<CertManagerChallenge>({
  group: "acme.cert-manager.io",
  version: "v1",
  kind: "Challenge",
  plural: "challenges",
});

/** On the core Service that answers a challenge: adler32 of the host. */
export const challengeHostLabel = "acme.cert-manager.io/http-domain";

/** X.509's limit of a common name. */
const longest = 63;
const shortPrefix = "k.";

export type Made =
  | { readonly ok: true; readonly draft: Draft<CertManagerCertificate> }
  | { readonly ok: false; readonly reason: string; readonly message: string };

/**
 * cert-manager's Certificate for one of Serving's (pkg/reconciler/certificate/resources/cert_manager_certificate.go). A
 * host too long for a common name goes beside `k.DOMAIN`, which is asked for in its place.
 */
export function makeCertManagerCertificate(certificate: Certificate, issuerRef: IssuerReference): Made {
  const { metadata, spec } = certificate;
  const [first = ""] = spec.dnsNames;
  const name = commonName(first, spec.domain);
  if (!name.ok) return name;
  const { annotations, labels } = metadata;
  const draft: Draft<CertManagerCertificate> = {
    metadata: {
      name: metadata.name,
      namespace: metadata.namespace ?? "",
      ...(annotations ? { annotations } : {}),
      labels: { ...labels, ...ourLabel },
      ownerReferences: [controllerReference(KCertificateKind, certificate)],
    },
    spec: {
      commonName: name.name,
      dnsNames: name.name === first ? spec.dnsNames : [name.name, ...spec.dnsNames],
      secretName: spec.secretName,
      issuerRef,
      secretTemplate: { labels: { [keys.certificateUid]: metadata.uid ?? "" } },
    },
  };
  return { ok: true, draft };
}

/** By which ebb finds its own among those of the cluster. */
export const ourLabel = { "app.kubernetes.io/managed-by": "ebb" } as const;

type Named = { readonly ok: true; readonly name: string } | Extract<Made, { readonly ok: false }>;

function commonName(host: string, domain: string | undefined): Named {
  if (host.length <= longest) return { ok: true, name: host };
  const tooLong = (why: string): Named => ({
    ok: false,
    reason: "CommonName Too Long",
    message: `error creating cert-manager certificate: CommonName (${host}) ${why}`,
  });
  if (!domain) return tooLong("too long and field spec.Domain on Kcert is empty, cannot attempt to shorten");
  if (domain === host) return tooLong("longer than 63 characters");
  const short = `${shortPrefix}${domain}`;
  if (short.length > longest) return tooLong(`longer than 63 characters, and so is ${short}`);
  return { ok: true, name: short };
}
