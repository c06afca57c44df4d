/** Field tables of networking.internal.knative.dev; the notation is explained in ../meta/message.ts. */
export const messages = `
package networking.internal.v1alpha1

Ingress -- What the router is to do for some hosts; made from Routes and DomainMappings.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec IngressSpec~ -- What is wanted.
  3 status IngressStatus -- What is there, as last observed.

IngressSpec -- Hosts and where their requests go.
  1 rules []IngressRule -- One per set of hosts.
  2 tls []IngressTLS -- Certificates for hosts.
  3 httpOption string -- Enabled serves http, Redirected answers it with a redirect to https.

IngressRule -- Where requests to some hosts go.
  1 hosts []string -- Host names.
  2 visibility string -- ExternalIP for everybody, ClusterLocal for the cluster alone.
  3 http HTTPIngressRuleValue -- Paths and their backends.

HTTPIngressRuleValue -- Paths and their backends.
  1 paths []HTTPIngressPath! -- The most special one that fits is taken.

HTTPIngressPath -- Where requests to some paths go.
  1 path string -- Prefix of the path; empty fits all.
  2 rewriteHost string -- The Host that requests go on with.
  3 headers map<string,HeaderMatch> -- Headers a request must have.
  4 splits []IngressBackendSplit! -- Backends and their shares.
  5 appendHeaders map<string,string> -- Headers that requests get.

HeaderMatch -- What a header must be.
  1 exact string -- Exactly this.

IngressBackendSplit -- A backend and its share.
  1 serviceName string! -- Name of the Revision, or of a core Service.
  2 serviceNamespace string! -- Its namespace.
  3 servicePort IntOrString -- Its port.
  4 percent int32 -- Its share, 0 to 100.
  5 appendHeaders map<string,string> -- Headers that its requests get.

IngressTLS -- A certificate for hosts.
  1 hosts []string -- Host names.
  2 secretName string -- The Secret that has it.
  3 secretNamespace string -- The Secret's namespace.

IngressStatus -- How far the router is.
  1 observedGeneration int64 -- The generation of the spec that this status answers.
  2 conditions []serving.v1.Condition map=type -- Judgements on how far the object is, one per type; Ready sums them up.
  3 annotations map<string,string> -- Further facts that controllers keep with the status.
  4 publicLoadBalancer LoadBalancerStatus -- Where requests from outside come in.
  5 privateLoadBalancer LoadBalancerStatus -- Where requests from inside come in.

LoadBalancerStatus -- Where requests come in.
  1 ingress []LoadBalancerIngressStatus -- Addresses.

LoadBalancerIngressStatus -- One address.
  1 ip string -- As an IP.
  2 domain string -- As a name.
  3 domainInternal string -- As a name inside the cluster.
  4 meshOnly bool -- By a mesh alone.

Certificate -- A certificate for hosts of Routes and DomainMappings, which some issuer keeps in a Secret.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec CertificateSpec~ -- What is wanted.
  3 status CertificateStatus -- What is there, as last observed.

CertificateSpec -- Which hosts, and where the certificate goes.
  1 dnsNames []string! -- Host names, perhaps with a first label of *.
  2 domain string -- The domain that the hosts are under.
  3 secretName string! -- The Secret that the certificate is kept in.

CertificateStatus -- How far the issuer is.
  1 observedGeneration int64 -- The generation of the spec that this status answers.
  2 conditions []serving.v1.Condition map=type -- Judgements on how far the object is, one per type; Ready sums them up.
  3 annotations map<string,string> -- Further facts that controllers keep with the status.
  4 notAfter Time -- When the certificate ends.
  5 http01Challenges []HTTP01Challenge -- What has to be answered at the hosts so that the issuer believes whose they are.

HTTP01Challenge -- One thing to answer (RFC 8555, 8.3).
  1 url string -- Where it is asked for.
  2 serviceName string -- The core Service that answers.
  3 serviceNamespace string -- Its namespace.
  4 servicePort IntOrString -- Its port.

ClusterDomainClaim -- Which namespace may map a domain; its name is the domain.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec ClusterDomainClaimSpec~ -- What is wanted.

ClusterDomainClaimSpec -- Whose the domain is.
  1 namespace string! -- The namespace that may map it.
`;
