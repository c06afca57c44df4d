/** Field tables of networking.internal.knative.dev; the notation is explained in ../meta/message.ts. */
export const messages = `
package networking.internal.v1alpha1

Ingress
  1 metadata meta.ObjectMeta~
  2 spec IngressSpec~
  3 status IngressStatus

IngressSpec
  1 rules []IngressRule
  2 tls []IngressTLS
  3 httpOption string

IngressRule
  1 hosts []string
  2 visibility string
  3 http HTTPIngressRuleValue

HTTPIngressRuleValue
  1 paths []HTTPIngressPath!

HTTPIngressPath
  1 path string
  2 rewriteHost string
  3 headers map<string,HeaderMatch>
  4 splits []IngressBackendSplit!
  5 appendHeaders map<string,string>

HeaderMatch
  1 exact string

IngressBackendSplit
  1 serviceName string!
  2 serviceNamespace string!
  3 servicePort IntOrString
  4 percent int32
  5 appendHeaders map<string,string>

IngressTLS
  1 hosts []string
  2 secretName string
  3 secretNamespace string

IngressStatus
  1 observedGeneration int64
  2 conditions []serving.v1.Condition map=type
  3 annotations map<string,string>
  4 publicLoadBalancer LoadBalancerStatus
  5 privateLoadBalancer LoadBalancerStatus

LoadBalancerStatus
  1 ingress []LoadBalancerIngressStatus

LoadBalancerIngressStatus
  1 ip string
  2 domain string
  3 domainInternal string
  4 meshOnly bool

ClusterDomainClaim
  1 metadata meta.ObjectMeta~
  2 spec ClusterDomainClaimSpec~

ClusterDomainClaimSpec
  1 namespace string!
`;
