import {
  agreeOnClusterIps,
  needsClusterIp,
  needsHealthCheckPort,
  nodePortRange,
  planAddresses,
} from "../../api/core/service-addresses.ts";
import type { Service, ServiceSpec } from "../../api/core/types.gen.ts";
import { failure, invalid, type ApiError } from "../../api/meta/errors.ts";
import { fieldError } from "../../api/meta/field-error.ts";
import type { Mutable } from "../../api/meta/object.ts";
import type { Store } from "../storage/store.ts";
import type { AdmissionRequest, AdmissionStep } from "./admission.ts";

/** 10.96.0.0/12, the range kubeadm gives: room for a million Services. The first address is the API's own. */
const range = "10.96.0.0/12";
const firstAddress = (10 << 24) | (96 << 16);
const addressCount = 1 << 20;

/** What Services hold, kept in step with the store, so that allocating costs no look at other Services. */
interface InUse {
  readonly addresses: Set<string>;
  readonly ports: Set<number>;
  /** Where the search for a free address goes on: addresses are not reused at once. */
  next: number;
}

/**
 * Gives Services their cluster IPs and node ports, after they were found valid. What is taken follows from the stored
 * Services alone, so a dry run or a failed write takes nothing and a deletion gives back.
 */
export function serviceAddresses(store: Store): AdmissionStep {
  const inUse = trackServices(store);
  return {
    name: "ServiceAddresses",
    allocate(request) {
      if (request.served.resource !== "/services" || !request.object || request.subresource) return;
      const { spec } = request.object as unknown as Mutable<Service>;
      const old = (request.old as Service | undefined)?.spec;
      const plan = planAddresses(spec, old);
      if (plan.clusterIp === "allocate") spec.clusterIP = nextAddress(inUse);
      else if (plan.clusterIp) checkAddress(request, plan.clusterIp.take, inUse);
      if (plan.clusterIp) spec.clusterIPs = [spec.clusterIP ?? ""];
      else agreeOnClusterIps(spec, old);
      for (const port of plan.takeNodePorts) checkPort(request, port, inUse);
      allocatePorts(spec, plan.allocateNodePorts, inUse);
    },
  };
}

function trackServices(store: Store): InUse {
  const inUse: InUse = { addresses: new Set(), ports: new Set(), next: 2 };
  const held = ({ spec }: Service): { readonly addresses: readonly string[]; readonly ports: readonly number[] } => ({
    addresses: spec && needsClusterIp(spec) && spec.clusterIP ? [spec.clusterIP] : [],
    ports: [...(spec?.ports ?? []).map(({ nodePort }) => nodePort ?? 0), spec?.healthCheckNodePort ?? 0].filter(
      Boolean,
    ),
  });
  const add = (service: Service): void => {
    const { addresses, ports } = held(service);
    addresses.forEach((address) => inUse.addresses.add(address));
    ports.forEach((port) => inUse.ports.add(port));
  };
  const drop = (service: Service): void => {
    const { addresses, ports } = held(service);
    addresses.forEach((address) => inUse.addresses.delete(address));
    ports.forEach((port) => inUse.ports.delete(port));
  };
  store.list("/services").forEach(({ object }) => add(object as Service));
  store.subscribe("/services", ({ type, entry, previous }) => {
    if (previous) drop(previous.object as Service);
    if (type !== "deleted") add(entry.object as Service);
  });
  return inUse;
}

const addressText = (index: number): string => {
  const n = firstAddress + index;
  return [(n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255].join(".");
};

function nextAddress(inUse: InUse): string {
  for (let tries = 0; tries < addressCount; tries += 1) {
    const address = addressText(inUse.next);
    inUse.next = inUse.next + 1 < addressCount - 1 ? inUse.next + 1 : 2;
    if (!inUse.addresses.has(address)) return address;
  }
  throw failure(500, "InternalError", `no cluster IP is free: ${range} is used up`);
}

const refused = ({ served, name }: AdmissionRequest, field: string, value: unknown, why: string): ApiError =>
  invalid(served.definition.kind, name, [fieldError.invalid(field, value, why)]);

function checkAddress(request: AdmissionRequest, address: string, inUse: InUse): void {
  const parts = address.split(".").map(Number);
  const index = parts.reduce((sum, part) => sum * 256 + part, 0) - firstAddress;
  const text = `failed to allocate IP ${address}: `;
  if (parts.length !== 4 || index < 0 || index >= addressCount) {
    const why = `${text}the provided IP (${address}) is not in the valid range. The range of valid IPs is ${range}`;
    throw refused(request, "spec.clusterIPs", [address], why);
  }
  if (inUse.addresses.has(address))
    throw refused(request, "spec.clusterIPs", [address], `${text}provided IP is already allocated`);
}

function allocatePorts(spec: Mutable<ServiceSpec>, indexes: readonly number[], inUse: InUse): void {
  const own = new Set((spec.ports ?? []).map(({ nodePort }) => nodePort ?? 0));
  for (const index of indexes) {
    const port = spec.ports?.[index];
    // The same number serves TCP and UDP of one port.
    const twin = spec.ports?.find((other) => other !== port && other.port === port?.port && other.nodePort);
    if (port) own.add((port.nodePort = twin?.nodePort ?? freePort(inUse, own)));
  }
  if (needsHealthCheckPort(spec) && !spec.healthCheckNodePort) spec.healthCheckNodePort = freePort(inUse, own);
}

function freePort(inUse: InUse, own: ReadonlySet<number>): number {
  const [first, last] = nodePortRange;
  for (let port = first; port <= last; port += 1) if (!inUse.ports.has(port) && !own.has(port)) return port;
  throw failure(500, "InternalError", `no node port is free: ${first}-${last} is used up`);
}

function checkPort(request: AdmissionRequest, port: number, inUse: InUse): void {
  const [first, last] = nodePortRange;
  const { spec } = request.object as unknown as Service;
  const at = (spec.ports ?? []).findIndex(({ nodePort }) => nodePort === port);
  const field = `spec.ports[${at}].nodePort`;
  if (port < first || port > last) {
    const why = `provided port is not in the valid range. The range of valid ports is ${first}-${last}`;
    throw refused(request, field, port, why);
  }
  if (inUse.ports.has(port)) throw refused(request, field, port, "provided port is already allocated");
}
