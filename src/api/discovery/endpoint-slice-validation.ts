/** Checks of EndpointSlices (Kubernetes pkg/apis/discovery/validation/validation.go). */
import { isIP } from "node:net";
import { checkImmutable, checkOneOf, checkText, complaints, eachItem } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import { checkDnsLabel, checkDnsSubdomain, checkLabelKey, checkPortNumber } from "../meta/names.ts";
import type { Endpoint, EndpointPort, EndpointSlice } from "./types.gen.ts";

const maxEndpoints = 1000;
const maxAddresses = 100;
const maxPorts = 20_000;
const addressTypes = ["FQDN", "IPv4", "IPv6"];

export function validateEndpointSlice(slice: EndpointSlice, old: EndpointSlice | undefined): readonly FieldError[] {
  const { endpoints = [], ports = [], addressType } = slice;
  const names = new Set<string>();
  return [
    ...(addressType ? checkOneOf("addressType", addressType, addressTypes) : [fieldError.required("addressType")]),
    ...(endpoints.length > maxEndpoints ? [fieldError.tooMany("endpoints", endpoints.length, maxEndpoints)] : []),
    ...eachItem("endpoints", endpoints, (endpoint, at) => endpointErrors(endpoint, addressType, at)),
    ...(ports.length > maxPorts ? [fieldError.tooMany("ports", ports.length, maxPorts)] : []),
    ...eachItem("ports", ports, (port, at) => portErrors(port, names, at)),
    ...(old ? checkImmutable("addressType", addressType, old.addressType) : []),
  ];
}

function endpointErrors(endpoint: Endpoint, addressType: string, field: string): readonly FieldError[] {
  const { addresses = [], hostname, nodeName } = endpoint;
  const list = `${field}.addresses`;
  return [
    ...(addresses.length === 0 ? [fieldError.required(list, "must contain at least 1 address")] : []),
    ...(addresses.length > maxAddresses ? [fieldError.tooMany(list, addresses.length, maxAddresses)] : []),
    ...eachItem(list, addresses, (address, at) => complaints(at, address, checkAddress(address, addressType))),
    ...checkText(`${field}.hostname`, hostname, checkDnsLabel),
    ...checkText(`${field}.nodeName`, nodeName, checkDnsSubdomain),
  ];
}

function checkAddress(address: string, type: string): readonly string[] {
  if (type === "FQDN") return checkDnsSubdomain(address);
  const family = isIP(address);
  if (type === "IPv4" && family !== 4) return ["must be a valid IPv4 address"];
  return type === "IPv6" && family !== 6 ? ["must be a valid IPv6 address"] : [];
}

function portErrors(
  { name = "", protocol, port, appProtocol }: EndpointPort,
  names: Set<string>,
  field: string,
): readonly FieldError[] {
  const twice = names.has(name);
  names.add(name);
  return [
    ...checkText(`${field}.name`, name, checkDnsLabel),
    ...(twice ? [fieldError.duplicate(`${field}.name`, name)] : []),
    ...(protocol
      ? checkOneOf(`${field}.protocol`, protocol, ["SCTP", "TCP", "UDP"])
      : [fieldError.required(`${field}.protocol`)]),
    ...(port === undefined ? [] : complaints(`${field}.port`, port, checkPortNumber(port))),
    ...checkText(`${field}.appProtocol`, appProtocol, checkLabelKey),
  ];
}
