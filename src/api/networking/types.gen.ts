// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { TypedLocalObjectReference } from "../core/types.gen.ts";
import type { TypeMeta } from "../meta/type-meta.ts";
import type { LabelSelector, ObjectMeta } from "../meta/types.gen.ts";

export interface HTTPIngressPath {
  /** The path. */
  readonly path?: string;
  /** Where the requests go. */
  readonly backend: IngressBackend;
  /** Whether the path must be the same or a beginning, element by element. */
  readonly pathType: string;
}

export interface HTTPIngressRuleValue {
  /** Paths and where they lead; the longest match wins. */
  readonly paths: readonly HTTPIngressPath[];
}

export interface IPBlock {
  /** The range, such as 10.0.0.0/8. */
  readonly cidr: string;
  /** Parts of it that are left out. */
  readonly except?: readonly string[];
}

export interface Ingress extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** Which requests go where. */
  readonly spec: IngressSpec;
  /** Where the ingress can be reached. */
  readonly status?: IngressStatus;
}

export interface IngressBackend {
  /** Another object in the namespace. */
  readonly resource?: TypedLocalObjectReference;
  /** A service and its port. */
  readonly service?: IngressServiceBackend;
}

export interface IngressClass extends TypeMeta {
  /** Name, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** Who serves it. */
  readonly spec?: IngressClassSpec;
}

export interface IngressClassParametersReference {
  readonly apiGroup?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly scope?: string;
  readonly namespace?: string;
}

export interface IngressClassSpec {
  /** Name of the controller, such as example.com/controller. Cannot be changed. */
  readonly controller?: string;
  /** An object with further settings for the controller. */
  readonly parameters?: IngressClassParametersReference;
}

export interface IngressLoadBalancerIngress {
  readonly ip?: string;
  readonly hostname?: string;
  readonly ports?: readonly IngressPortStatus[];
}

export interface IngressLoadBalancerStatus {
  readonly ingress?: readonly IngressLoadBalancerIngress[];
}

export interface IngressPortStatus {
  readonly port?: number;
  readonly protocol?: string;
  readonly error?: string;
}

export interface IngressRule extends IngressRuleValue {
  /** Host of the requests, which may start with *. ; all if empty. */
  readonly host?: string;
}

export interface IngressRuleValue {
  /** Paths of this host. */
  readonly http?: HTTPIngressRuleValue;
}

export interface IngressServiceBackend {
  /** Name of the service. */
  readonly name: string;
  /** Port of the service, by name or number. */
  readonly port?: ServiceBackendPort;
}

export interface IngressSpec {
  /** Where requests go that no rule matches. */
  readonly defaultBackend?: IngressBackend;
  /** Certificates for hosts. */
  readonly tls?: readonly IngressTLS[];
  /** Rules by host and path. */
  readonly rules?: readonly IngressRule[];
  /** Which controller serves it. */
  readonly ingressClassName?: string;
}

export interface IngressStatus {
  /** Addresses of the load balancer. */
  readonly loadBalancer?: IngressLoadBalancerStatus;
}

export interface IngressTLS {
  /** Hosts of the certificate. */
  readonly hosts?: readonly string[];
  /** Secret with the certificate and its key. */
  readonly secretName?: string;
}

export interface NetworkPolicy extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** Which pods, and what is allowed. */
  readonly spec: NetworkPolicySpec;
}

export interface NetworkPolicyEgressRule {
  /** Ports it allows; all if there are none. */
  readonly ports?: readonly NetworkPolicyPort[];
  /** Where traffic may go; anywhere if there is none. */
  readonly to?: readonly NetworkPolicyPeer[];
}

export interface NetworkPolicyIngressRule {
  /** Ports it allows; all if there are none. */
  readonly ports?: readonly NetworkPolicyPort[];
  /** Where traffic may come from; anywhere if there is none. */
  readonly from?: readonly NetworkPolicyPeer[];
}

export interface NetworkPolicyPeer {
  /** Pods, of the same namespace if namespaceSelector is not given. */
  readonly podSelector?: LabelSelector;
  /** Namespaces of the pods. */
  readonly namespaceSelector?: LabelSelector;
  /** An address range, instead of pods. */
  readonly ipBlock?: IPBlock;
}

export interface NetworkPolicyPort {
  /** TCP if not given. */
  readonly protocol?: string;
  /** Port by number or by name; all if not given. */
  readonly port?: number | string;
  /** Last port of a range that begins with port. */
  readonly endPort?: number;
}

export interface NetworkPolicySpec {
  /** The pods it is about; empty for all of the namespace. */
  readonly podSelector?: LabelSelector;
  /** Traffic allowed in; none if there are no rules. */
  readonly ingress?: readonly NetworkPolicyIngressRule[];
  /** Traffic allowed out; none if there are no rules and policyTypes has Egress. */
  readonly egress?: readonly NetworkPolicyEgressRule[];
  /** Which directions it is about: Ingress, Egress or both. */
  readonly policyTypes?: readonly string[];
}

export interface ServiceBackendPort {
  /** Name of the port. */
  readonly name?: string;
  /** Number of the port. */
  readonly number?: number;
}
