/** Field tables of networking/v1; the notation is explained in ../meta/message.ts. */
export const messages = `
package networking.v1

HTTPIngressPath
  1 path string -- The path.
  2 backend IngressBackend! -- Where the requests go.
  3 pathType string?! enum=Exact|Prefix|ImplementationSpecific -- Whether the path must be the same or a beginning, element by element.

HTTPIngressRuleValue
  1 paths []HTTPIngressPath! -- Paths and where they lead; the longest match wins.

IPBlock
  1 cidr string! -- The range, such as 10.0.0.0/8.
  2 except []string -- Parts of it that are left out.

Ingress -- Routes HTTP from outside to services by host and path.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec IngressSpec~ -- Which requests go where.
  3 status IngressStatus -- Where the ingress can be reached.

IngressBackend
  3 resource core.v1.TypedLocalObjectReference -- Another object in the namespace.
  4 service IngressServiceBackend -- A service and its port.

IngressClass -- A kind of ingress, and the controller that serves it.
  1 metadata meta.ObjectMeta~ -- Name, labels and what else every object has.
  2 spec IngressClassSpec -- Who serves it.

IngressClassParametersReference
  1 apiGroup string?
  2 kind string
  3 name string
  4 scope string?
  5 namespace string?

IngressClassSpec
  1 controller string -- Name of the controller, such as example.com/controller. Cannot be changed.
  2 parameters IngressClassParametersReference -- An object with further settings for the controller.

IngressLoadBalancerIngress
  1 ip string
  2 hostname string
  4 ports []IngressPortStatus

IngressLoadBalancerStatus
  1 ingress []IngressLoadBalancerIngress

IngressPortStatus
  1 port int32
  2 protocol string
  3 error string?

IngressRule
  1 host string -- Host of the requests, which may start with *. ; all if empty.
  2 ingressRuleValue IngressRuleValue inline

IngressRuleValue
  1 http HTTPIngressRuleValue -- Paths of this host.

IngressServiceBackend
  1 name string! -- Name of the service.
  2 port ServiceBackendPort -- Port of the service, by name or number.

IngressSpec
  1 defaultBackend IngressBackend -- Where requests go that no rule matches.
  2 tls []IngressTLS -- Certificates for hosts.
  3 rules []IngressRule -- Rules by host and path.
  4 ingressClassName string? -- Which controller serves it.

IngressStatus
  1 loadBalancer IngressLoadBalancerStatus -- Addresses of the load balancer.

IngressTLS
  1 hosts []string -- Hosts of the certificate.
  2 secretName string -- Secret with the certificate and its key.

NetworkPolicy -- Says which traffic the pods it selects may receive and send.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec NetworkPolicySpec~ -- Which pods, and what is allowed.

NetworkPolicyEgressRule
  1 ports []NetworkPolicyPort -- Ports it allows; all if there are none.
  2 to []NetworkPolicyPeer -- Where traffic may go; anywhere if there is none.

NetworkPolicyIngressRule
  1 ports []NetworkPolicyPort -- Ports it allows; all if there are none.
  2 from []NetworkPolicyPeer -- Where traffic may come from; anywhere if there is none.

NetworkPolicyPeer
  1 podSelector meta.LabelSelector -- Pods, of the same namespace if namespaceSelector is not given.
  2 namespaceSelector meta.LabelSelector -- Namespaces of the pods.
  3 ipBlock IPBlock -- An address range, instead of pods.

NetworkPolicyPort
  1 protocol string? enum=SCTP|TCP|UDP -- TCP if not given.
  2 port IntOrString -- Port by number or by name; all if not given.
  3 endPort int32? -- Last port of a range that begins with port.

NetworkPolicySpec
  1 podSelector meta.LabelSelector -- The pods it is about; empty for all of the namespace.
  2 ingress []NetworkPolicyIngressRule -- Traffic allowed in; none if there are no rules.
  3 egress []NetworkPolicyEgressRule -- Traffic allowed out; none if there are no rules and policyTypes has Egress.
  4 policyTypes []string -- Which directions it is about: Ingress, Egress or both.

ServiceBackendPort atomic
  1 name string -- Name of the port.
  2 number int32 -- Number of the port.
`;
