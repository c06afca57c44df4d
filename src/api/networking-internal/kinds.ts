import { kind } from "../meta/kind.ts";
import type { ClusterDomainClaim, Ingress } from "./types.gen.ts";

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
