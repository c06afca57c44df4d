// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { TypeMeta } from "../meta/type-meta.ts";
import type { ObjectMeta } from "../meta/types.gen.ts";
import type { Condition } from "../serving/types.gen.ts";

export interface Ingress extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: IngressSpec;
  /** What is there, as last observed. */
  readonly status?: IngressStatus;
}

export interface IngressSpec {
  /** One per set of hosts. */
  readonly rules?: readonly IngressRule[];
  /** Certificates for hosts. */
  readonly tls?: readonly IngressTLS[];
  /** Enabled serves http, Redirected answers it with a redirect to https. */
  readonly httpOption?: string;
}

export interface IngressRule {
  /** Host names. */
  readonly hosts?: readonly string[];
  /** ExternalIP for everybody, ClusterLocal for the cluster alone. */
  readonly visibility?: string;
  /** Paths and their backends. */
  readonly http?: HTTPIngressRuleValue;
}

export interface HTTPIngressRuleValue {
  /** The most special one that fits is taken. */
  readonly paths: readonly HTTPIngressPath[];
}

export interface HTTPIngressPath {
  /** Prefix of the path; empty fits all. */
  readonly path?: string;
  /** The Host that requests go on with. */
  readonly rewriteHost?: string;
  /** Headers a request must have. */
  readonly headers?: Readonly<Record<string, HeaderMatch>>;
  /** Backends and their shares. */
  readonly splits: readonly IngressBackendSplit[];
  /** Headers that requests get. */
  readonly appendHeaders?: Readonly<Record<string, string>>;
}

export interface HeaderMatch {
  /** Exactly this. */
  readonly exact?: string;
}

export interface IngressBackendSplit {
  /** Name of the Revision, or of a core Service. */
  readonly serviceName: string;
  /** Its namespace. */
  readonly serviceNamespace: string;
  /** Its port. */
  readonly servicePort?: number | string;
  /** Its share, 0 to 100. */
  readonly percent?: number;
  /** Headers that its requests get. */
  readonly appendHeaders?: Readonly<Record<string, string>>;
}

export interface IngressTLS {
  /** Host names. */
  readonly hosts?: readonly string[];
  /** The Secret that has it. */
  readonly secretName?: string;
  /** The Secret's namespace. */
  readonly secretNamespace?: string;
}

export interface IngressStatus {
  /** The generation of the spec that this status answers. */
  readonly observedGeneration?: number;
  /** Judgements on how far the object is, one per type; Ready sums them up. */
  readonly conditions?: readonly Condition[];
  /** Further facts that controllers keep with the status. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Where requests from outside come in. */
  readonly publicLoadBalancer?: LoadBalancerStatus;
  /** Where requests from inside come in. */
  readonly privateLoadBalancer?: LoadBalancerStatus;
}

export interface LoadBalancerStatus {
  /** Addresses. */
  readonly ingress?: readonly LoadBalancerIngressStatus[];
}

export interface LoadBalancerIngressStatus {
  /** As an IP. */
  readonly ip?: string;
  /** As a name. */
  readonly domain?: string;
  /** As a name inside the cluster. */
  readonly domainInternal?: string;
  /** By a mesh alone. */
  readonly meshOnly?: boolean;
}

export interface Certificate extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: CertificateSpec;
  /** What is there, as last observed. */
  readonly status?: CertificateStatus;
}

export interface CertificateSpec {
  /** Host names, perhaps with a first label of *. */
  readonly dnsNames: readonly string[];
  /** The domain that the hosts are under. */
  readonly domain?: string;
  /** The Secret that the certificate is kept in. */
  readonly secretName: string;
}

export interface CertificateStatus {
  /** The generation of the spec that this status answers. */
  readonly observedGeneration?: number;
  /** Judgements on how far the object is, one per type; Ready sums them up. */
  readonly conditions?: readonly Condition[];
  /** Further facts that controllers keep with the status. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** When the certificate ends. */
  readonly notAfter?: string;
  /** What has to be answered at the hosts so that the issuer believes whose they are. */
  readonly http01Challenges?: readonly HTTP01Challenge[];
}

export interface HTTP01Challenge {
  /** Where it is asked for. */
  readonly url?: string;
  /** The core Service that answers. */
  readonly serviceName?: string;
  /** Its namespace. */
  readonly serviceNamespace?: string;
  /** Its port. */
  readonly servicePort?: number | string;
}

export interface ClusterDomainClaim extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: ClusterDomainClaimSpec;
}

export interface ClusterDomainClaimSpec {
  /** The namespace that may map it. */
  readonly namespace: string;
}
