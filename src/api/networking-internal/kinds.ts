import { kind } from "../meta/kind.ts";
import type { Certificate, ClusterDomainClaim, Ingress } from "./types.gen.ts";

export const KIngressKind = kind<Ingress>({
  group: "networking.internal.knative.dev",
  version: "v1alpha1",
  kind: "Ingress",
  plural: "ingresses",
  shortNames: ["kingress", "king"],
  categories: ["all", "knative", "serving"],
});
export const ClusterDomainClaimKind = kind<ClusterDomainClaim>({
  group: "networking.internal.knative.dev",
  version: "v1alpha1",
  kind: "ClusterDomainClaim",
  plural: "clusterdomainclaims",
  shortNames: ["cdc"],
  categories: ["all", "knative", "serving"],
  namespaced: false,
});
/** Called kcert upstream, lest it be taken for cert-manager's. */
export const KCertificateKind = kind<Certificate>({
  group: "networking.internal.knative.dev",
  version: "v1alpha1",
  kind: "Certificate",
  plural: "certificates",
  shortNames: ["kcert"],
  categories: ["knative-internal", "networking"],
});
