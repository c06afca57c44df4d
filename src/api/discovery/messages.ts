/** Field tables of discovery/v1; the notation is explained in ../meta/message.ts. */
export const messages = `
package discovery.v1

Endpoint
  1 addresses []string! -- Addresses of the endpoint; clients take any.
  2 conditions EndpointConditions -- Whether it takes traffic.
  3 hostname string? -- Its host name.
  4 targetRef core.v1.ObjectReference -- The object behind it, usually a pod.
  5 deprecatedTopology map<string,string>
  6 nodeName string? -- The node it is on.
  7 zone string? -- The zone it is in.
  8 hints EndpointHints

EndpointConditions
  1 ready bool? -- Whether it should get traffic.
  2 serving bool? -- Whether it can serve, even while it ends.
  3 terminating bool? -- Whether it is on its way out.

EndpointHints
  1 forZones []ForZone
  2 forNodes []ForNode

EndpointPort
  1 name string? -- Name of the port, as the service calls it.
  2 protocol string? enum=SCTP|TCP|UDP -- TCP if not given.
  3 port int32? -- Number of the port.
  4 appProtocol string? -- Protocol spoken on the port.

EndpointSlice -- Some of the addresses behind a service, all of one family and with the same ports.
  1 metadata meta.ObjectMeta~ -- The label kubernetes.io/service-name says which service it is of.
  2 endpoints []Endpoint! -- The addresses and how they are. At most 1000.
  3 ports []EndpointPort -- Ports of every endpoint.
  4 addressType string! enum=FQDN|IPv4|IPv6 -- What the addresses are. Cannot be changed.

ForNode
  1 name string

ForZone
  1 name string!
`;
