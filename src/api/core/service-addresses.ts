/**
 * Which addresses and node ports a Service has a claim to, as pure functions; handing them out is the server's
 * (Kubernetes pkg/registry/core/service/{strategy,storage/alloc}.go).
 */
import type { Mutable } from "../meta/object.ts";
import type { Service, ServiceSpec } from "./types.gen.ts";

/** The range node ports come from. */
export const nodePortRange: readonly [first: number, last: number] = [30_000, 32_767];

const noIp = "None";

/** A Service without an address of its own: names lead straight to its pods. */
export function isHeadless({ clusterIP }: Pick<ServiceSpec, "clusterIP">): boolean {
  return clusterIP === noIp;
}

export function needsClusterIp(spec: ServiceSpec): boolean {
  return spec.type !== "ExternalName" && !isHeadless(spec);
}

export function needsNodePorts(spec: ServiceSpec): boolean {
  if (spec.type === "NodePort") return true;
  return spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false;
}

export function needsHealthCheckPort(spec: ServiceSpec): boolean {
  return spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";
}

/** What a Service must be given, what it takes for itself and what it gives back. */
export interface AddressPlan {
  /** `allocate`: any free address; otherwise the address it asks for, undefined when it has or needs none. */
  readonly clusterIp: "allocate" | { readonly take: string } | undefined;
  readonly releaseClusterIp: string | undefined;
  /** Indexes of ports that need a free node port. */
  readonly allocateNodePorts: readonly number[];
  readonly takeNodePorts: readonly number[];
  readonly releaseNodePorts: readonly number[];
}

/** The plan of a create (old undefined) or update, after {@link keepAllocated}. */
export function planAddresses(spec: ServiceSpec, old: ServiceSpec | undefined): AddressPlan {
  const held = old && needsClusterIp(old) ? old.clusterIP : undefined;
  const wanted = needsClusterIp(spec) ? spec.clusterIP || "" : undefined;
  const [ports, oldPorts] = [spec.ports ?? [], old?.ports ?? []];
  const oldNumbers = oldPorts.map(({ nodePort }) => nodePort ?? 0).filter(Boolean);
  const numbers = ports.map(({ nodePort }) => nodePort ?? 0).filter(Boolean);
  return {
    clusterIp: wanted === undefined || wanted === held ? undefined : wanted === "" ? "allocate" : { take: wanted },
    releaseClusterIp: held !== undefined && held !== wanted ? held : undefined,
    allocateNodePorts: needsNodePorts(spec) ? ports.flatMap(({ nodePort }, i) => (nodePort ? [] : [i])) : [],
    takeNodePorts: [...new Set(numbers)].filter((port) => !oldNumbers.includes(port)),
    releaseNodePorts: [...new Set(oldNumbers)].filter((port) => !numbers.includes(port)),
  };
}

/**
 * Carries over what the server once gave, where an update leaves it out: a manifest that never named an address must
 * not lose it. Drops what the new type has no use for, if the update did not ask for it. Changes `service`.
 */
export function keepAllocated(service: Mutable<Service>, old: Service): void {
  const [spec, before] = [service.spec, old.spec];
  keepClusterIp(spec, before);
  if (needsNodePorts(spec) && needsNodePorts(before)) keepNodePorts(spec, before);
  else if (!needsNodePorts(spec) && needsNodePorts(before)) dropSameNodePorts(spec, before);
  keepHealthCheckPort(spec, before);
  dropUnused(spec, before);
}

/** Whether clients outside the cluster reach it at all. */
export function isReachedFromOutside({ type, externalIPs }: ServiceSpec): boolean {
  return type === "NodePort" || type === "LoadBalancer" || Boolean(externalIPs?.length);
}

/** Settings of the old type that the update only carried along. */
function dropUnused(spec: Mutable<ServiceSpec>, before: ServiceSpec): void {
  if (!isReachedFromOutside(spec) && spec.externalTrafficPolicy === before.externalTrafficPolicy)
    delete spec.externalTrafficPolicy;
  if (spec.type === "LoadBalancer") return;
  if (spec.allocateLoadBalancerNodePorts === before.allocateLoadBalancerNodePorts)
    delete spec.allocateLoadBalancerNodePorts;
  if (spec.loadBalancerClass === before.loadBalancerClass) delete spec.loadBalancerClass;
}

function keepClusterIp(spec: Mutable<ServiceSpec>, before: ServiceSpec): void {
  if (spec.type === "ExternalName") {
    if (before.type === "ExternalName" || spec.clusterIP !== before.clusterIP) return;
    delete spec.clusterIP;
    delete spec.clusterIPs;
    delete spec.ipFamilies;
    delete spec.ipFamilyPolicy;
  } else if (needsClusterIp(spec) && needsClusterIp(before) && !spec.clusterIP && !spec.clusterIPs?.length) {
    if (before.clusterIP) spec.clusterIP = before.clusterIP;
    if (before.clusterIPs) spec.clusterIPs = [...before.clusterIPs];
  }
}

function keepHealthCheckPort(spec: Mutable<ServiceSpec>, before: ServiceSpec): void {
  if (!needsHealthCheckPort(spec)) {
    if (spec.healthCheckNodePort === before.healthCheckNodePort) delete spec.healthCheckNodePort;
  } else if (needsHealthCheckPort(before) && before.healthCheckNodePort) {
    spec.healthCheckNodePort ||= before.healthCheckNodePort;
  }
}

function keepNodePorts(spec: Mutable<ServiceSpec>, before: ServiceSpec): void {
  const taken = new Set((spec.ports ?? []).map((port) => `${port.protocol}/${port.nodePort}`));
  for (const port of spec.ports ?? []) {
    if (port.nodePort) continue;
    const same = before.ports?.find(
      (candidate) =>
        candidate.nodePort &&
        candidate.port === port.port &&
        candidate.protocol === port.protocol &&
        !taken.has(`${candidate.protocol}/${candidate.nodePort}`),
    );
    if (same?.nodePort) port.nodePort = same.nodePort;
  }
}

function dropSameNodePorts(spec: Mutable<ServiceSpec>, before: ServiceSpec): void {
  const old = new Set((before.ports ?? []).map(({ nodePort }) => nodePort));
  for (const port of spec.ports ?? []) if (port.nodePort && old.has(port.nodePort)) delete port.nodePort;
}

/** Keeps the single address and the list of addresses telling the same. Changes `spec`. */
export function agreeOnClusterIps(spec: Mutable<ServiceSpec>, old: ServiceSpec | undefined): void {
  if (spec.type === "ExternalName") return;
  const single = spec.clusterIP ?? "";
  const list = spec.clusterIPs ?? [];
  const singleChanged = single !== (old?.clusterIP ?? "");
  const sameList = list.join() === (old?.clusterIPs ?? []).join();
  if (single !== "" && (list.length === 0 || (old && singleChanged && sameList))) spec.clusterIPs = [single];
}
