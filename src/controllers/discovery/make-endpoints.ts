/** Which addresses a Service has: one endpoint per pod, grouped by the ports they answer on. Pure. */
import type { Node, Pod, Service } from "../../api/core/types.gen.ts";
import type { Endpoint, EndpointPort } from "../../api/discovery/types.gen.ts";
import { isPodReady, isPodTerminal } from "../pod-facts.ts";

export type AddressType = "IPv4" | "IPv6";

/** Endpoints that share an EndpointSlice: same family, same port numbers. */
export interface EndpointGroup {
  readonly addressType: AddressType;
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

/** Families of a Service; a headless one without families has the one its pods have. */
export function addressTypes({ spec }: Service): readonly AddressType[] {
  const families = spec?.ipFamilies ?? [];
  return families.length > 0 ? families.map((family) => (family === "IPv6" ? "IPv6" : "IPv4")) : ["IPv4"];
}

/** Pods whose name for a port differs in number land in different groups. */
export function endpointGroups(
  service: Service,
  pods: readonly Pod[],
  nodeOf: (name: string) => Node | undefined,
): readonly EndpointGroup[] {
  const groups = new Map<string, { group: EndpointGroup; endpoints: Endpoint[] }>();
  for (const addressType of addressTypes(service)) {
    for (const pod of pods) {
      const address = addressOf(pod, addressType);
      if (!address || isPodTerminal(pod)) continue;
      const ports = portsOn(service, pod);
      const key = `${addressType} ${portsKey(ports)}`;
      let entry = groups.get(key);
      if (!entry) {
        const endpoints: Endpoint[] = [];
        groups.set(key, (entry = { group: { addressType, ports, endpoints }, endpoints }));
      }
      entry.endpoints.push(makeEndpoint({ service, pod, address, node: nodeOf(pod.spec.nodeName ?? "") }));
    }
  }
  return Array.from(groups.values(), ({ group }) => group);
}

/** Equal for the same ports in whatever order. */
export function portsKey(ports: readonly EndpointPort[]): string {
  return ports
    .map(({ name = "", protocol = "TCP", port, appProtocol = "" }) => `${name}/${protocol}/${port}/${appProtocol}`)
    .sort()
    .join(",");
}

function addressOf({ status }: Pod, type: AddressType): string | undefined {
  const addresses = status?.podIPs?.map(({ ip }) => ip) ?? (status?.podIP ? [status.podIP] : []);
  return addresses.find((ip) => ip.includes(":") === (type === "IPv6"));
}

/** Ports a pod does not have by name are left out. */
function portsOn({ spec }: Service, pod: Pod): readonly EndpointPort[] {
  return (spec?.ports ?? []).flatMap(({ name = "", protocol = "TCP", port, targetPort = port, appProtocol }) => {
    const number = typeof targetPort === "number" ? targetPort : namedPort(pod, targetPort, protocol);
    return number ? [{ name, protocol, port: number, ...(appProtocol ? { appProtocol } : {}) }] : [];
  });
}

function namedPort({ spec }: Pod, name: string, protocol: string): number | undefined {
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  for (const { ports = [] } of [...spec.containers, ...sidecars]) {
    const found = ports.find((port) => port.name === name && (port.protocol ?? "TCP") === protocol);
    if (found) return found.containerPort;
  }
  return undefined;
}

interface EndpointParts {
  readonly service: Service;
  readonly pod: Pod;
  readonly address: string;
  readonly node: Node | undefined;
}

function makeEndpoint({ service, pod, address, node }: EndpointParts): Endpoint {
  const { name, namespace = "", uid = "", deletionTimestamp } = pod.metadata;
  const serving = isPodReady(pod);
  const terminating = deletionTimestamp !== undefined;
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const zone = node?.metadata.labels?.["topology.kubernetes.io/zone"];
  const { hostname, subdomain, nodeName } = pod.spec;
  return {
    addresses: [address],
    conditions: { ready, serving, terminating },
    ...(hostname && subdomain === service.metadata.name ? { hostname } : {}),
    targetRef: { kind: "Pod", namespace, name, uid },
    ...(nodeName ? { nodeName } : {}),
    ...(zone ? { zone } : {}),
  };
}
