import { kind } from "../meta/kind.ts";
import type { Ingress, IngressClass, NetworkPolicy } from "./types.gen.ts";

export const IngressKind = kind<Ingress>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "Ingress",
  plural: "ingresses",
  shortNames: ["ing"],
});
export const IngressClassKind = kind<IngressClass>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "IngressClass",
  plural: "ingressclasses",
  namespaced: false,
});
export const NetworkPolicyKind = kind<NetworkPolicy>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "NetworkPolicy",
  plural: "networkpolicies",
  shortNames: ["netpol"],
});
