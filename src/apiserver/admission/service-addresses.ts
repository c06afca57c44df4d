import type { Service } from "../../api/core/types.gen.ts";
import { failure, invalid } from "../../api/meta/errors.ts";
import { fieldError } from "../../api/meta/field-error.ts";
import type { KubeObject, Mutable } from "../../api/meta/object.ts";
import type { Store } from "../storage/store.ts";
import type { AdmissionRequest, AdmissionStep } from "./admission.ts";

/** 10.96.0.0/12, as kubeadm gives it: room for a million Services. The first address is the API's own. */
const firstAddress = (10 << 24) | (96 << 16);
const addressCount = 1 << 20;
const firstNodePort = 30_000;
const lastNodePort = 32_767;

type LooseSpec = Mutable<NonNullable<Service["spec"]>>;

const addressText = (index: number): string => {
  const n = firstAddress + index;
  return [(n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255].join(".");
};

/** Addresses and node ports in use: kept in step with the store, so that allocating costs no look at other Services. */
interface InUse {
  readonly addresses: Map<string, string>;
  readonly ports: Map<number, string>;
  next: number;
}

/**
 * Gives Services their cluster IPs and node ports. Allocation is nothing but the next free number: what is in use
 * follows from the stored Services, so a dry run or a failed write takes nothing.
 */
export function serviceAddresses(store: Store): AdmissionStep {
  const inUse = trackServices(store);
  return {
    name: "ServiceAddresses",
    mutate(request) {
      if (request.served.resource !== "/services" || !request.object || request.subresource) return;
      const spec = (request.object as unknown as Mutable<Service>).spec;
      if (!spec) return;
      const old = (request.old as Service | undefined)?.spec as LooseSpec | undefined;
      allocateAddress(request, spec, old, inUse);
      allocatePorts(request, spec, old, inUse);
    },
  };
}

function trackServices(store: Store): InUse {
  const inUse: InUse = { addresses: new Map(), ports: new Map(), next: 2 };
  const each = (object: KubeObject, act: (address: string, ports: readonly number[]) => void): void => {
    const { spec } = object as Service;
    const ports = (spec?.ports ?? []).map(({ nodePort }) => nodePort ?? 0).filter((port) => port > 0);
    act(spec?.clusterIP && spec.clusterIP !== "None" ? spec.clusterIP : "", ports);
  };
  const add = (object: KubeObject): void =>
    each(object, (address, ports) => {
      if (address !== "") inUse.addresses.set(address, object.metadata.uid ?? "");
      ports.forEach((port) => inUse.ports.set(port, object.metadata.uid ?? ""));
    });
  const drop = (object: KubeObject): void =>
    each(object, (address, ports) => {
      inUse.addresses.delete(address);
      ports.forEach((port) => inUse.ports.delete(port));
    });
  store.list("/services").forEach(({ object }) => add(object));
  store.subscribe("/services", ({ type, entry, previous }) => {
    if (previous) drop(previous.object);
    if (type !== "deleted") add(entry.object);
  });
  return inUse;
}

function allocateAddress(request: AdmissionRequest, spec: LooseSpec, old: LooseSpec | undefined, inUse: InUse): void {
  if (spec.type === "ExternalName") {
    delete spec.clusterIP;
    delete spec.clusterIPs;
    return;
  }
  // An update that does not speak of the address keeps it.
  if (old?.clusterIP && !spec.clusterIP) spec.clusterIP = old.clusterIP;
  if (!spec.clusterIP && spec.clusterIPs?.[0]) spec.clusterIP = spec.clusterIPs[0];
  if (!spec.clusterIP) spec.clusterIP = nextAddress(inUse);
  else if (spec.clusterIP !== "None" && spec.clusterIP !== old?.clusterIP) checkAddress(request, spec.clusterIP, inUse);
  spec.clusterIPs = [spec.clusterIP];
}

function nextAddress(inUse: InUse): string {
  for (let tries = 0; tries < addressCount; tries += 1) {
    const address = addressText(inUse.next);
    inUse.next = inUse.next + 1 < addressCount - 1 ? inUse.next + 1 : 2;
    if (!inUse.addresses.has(address)) return address;
  }
  throw failure(500, "InternalError", "no cluster IP is free: 10.96.0.0/12 is used up");
}

function checkAddress({ name, served }: AdmissionRequest, address: string, inUse: InUse): void {
  const field = "spec.clusterIPs";
  const parts = address.split(".").map(Number);
  const number = parts.reduce((sum, part) => sum * 256 + part, 0) - firstAddress;
  const text = `failed to allocate IP ${address}: `;
  const isValid = parts.length === 4 && parts.every((part) => Number.isInteger(part) && part >= 0 && part < 256);
  if (!isValid || number < 0 || number >= addressCount)
    throw invalid(served.definition.kind, name, [
      fieldError.invalid(
        field,
        [address],
        `${text}the provided IP (${address}) is not in the valid range. The range of valid IPs is 10.96.0.0/12`,
      ),
    ]);
  if (inUse.addresses.has(address))
    throw invalid(served.definition.kind, name, [
      fieldError.invalid(field, [address], `${text}provided IP is already allocated`),
    ]);
}

function allocatePorts(request: AdmissionRequest, spec: LooseSpec, old: LooseSpec | undefined, inUse: InUse): void {
  const wanted =
    spec.type === "NodePort" || (spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false);
  const own = new Set((old?.ports ?? []).map(({ nodePort }) => nodePort));
  const taken = new Set<number>();
  for (const [i, port] of (spec.ports ?? []).entries()) {
    if (!wanted) {
      if (spec.type === "ClusterIP") delete port.nodePort;
      continue;
    }
    port.nodePort ??=
      old?.ports?.find((known) => known.port === port.port && known.protocol === port.protocol)?.nodePort ?? 0;
    if (port.nodePort === 0) port.nodePort = freePort(inUse, taken);
    else if (!own.has(port.nodePort)) checkPort(request, port.nodePort, `spec.ports[${i}].nodePort`, inUse);
    taken.add(port.nodePort);
  }
}

function freePort(inUse: InUse, taken: ReadonlySet<number>): number {
  for (let port = firstNodePort; port <= lastNodePort; port += 1)
    if (!inUse.ports.has(port) && !taken.has(port)) return port;
  throw failure(500, "InternalError", "no node port is free: 30000-32767 is used up");
}

function checkPort({ name, served }: AdmissionRequest, port: number, field: string, inUse: InUse): void {
  if (port < firstNodePort || port > lastNodePort)
    throw invalid(served.definition.kind, name, [
      fieldError.invalid(
        field,
        port,
        "provided port is not in the valid range. The range of valid ports is 30000-32767",
      ),
    ]);
  if (inUse.ports.has(port))
    throw invalid(served.definition.kind, name, [
      fieldError.invalid(field, port, "provided port is already allocated"),
    ]);
}
