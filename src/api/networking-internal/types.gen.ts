// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { TypeMeta } from "../meta/type-meta.ts";
import type { ObjectMeta } from "../meta/types.gen.ts";
import type { Condition } from "../serving/types.gen.ts";

export interface Ingress extends TypeMeta {
  readonly metadata: ObjectMeta;
  readonly spec: IngressSpec;
  readonly status?: IngressStatus;
}

export interface IngressSpec {
  readonly rules?: readonly IngressRule[];
  readonly tls?: readonly IngressTLS[];
  readonly httpOption?: string;
}

export interface IngressRule {
  readonly hosts?: readonly string[];
  readonly visibility?: string;
  readonly http?: HTTPIngressRuleValue;
}

export interface HTTPIngressRuleValue {
  readonly paths: readonly HTTPIngressPath[];
}

export interface HTTPIngressPath {
  readonly path?: string;
  readonly rewriteHost?: string;
  readonly headers?: Readonly<Record<string, HeaderMatch>>;
  readonly splits: readonly IngressBackendSplit[];
  readonly appendHeaders?: Readonly<Record<string, string>>;
}

export interface HeaderMatch {
  readonly exact?: string;
}

export interface IngressBackendSplit {
  readonly serviceName: string;
  readonly serviceNamespace: string;
  readonly servicePort?: number | string;
  readonly percent?: number;
  readonly appendHeaders?: Readonly<Record<string, string>>;
}

export interface IngressTLS {
  readonly hosts?: readonly string[];
  readonly secretName?: string;
  readonly secretNamespace?: string;
}

export interface IngressStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly publicLoadBalancer?: LoadBalancerStatus;
  readonly privateLoadBalancer?: LoadBalancerStatus;
}

export interface LoadBalancerStatus {
  readonly ingress?: readonly LoadBalancerIngressStatus[];
}

export interface LoadBalancerIngressStatus {
  readonly ip?: string;
  readonly domain?: string;
  readonly domainInternal?: string;
  readonly meshOnly?: boolean;
}

export interface ClusterDomainClaim extends TypeMeta {
  readonly metadata: ObjectMeta;
  readonly spec: ClusterDomainClaimSpec;
}

export interface ClusterDomainClaimSpec {
  readonly namespace: string;
}
