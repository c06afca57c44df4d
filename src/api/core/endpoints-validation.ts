/** Checks of Endpoints and Events (Kubernetes pkg/apis/core/validation). */
import { checkText, complaints, eachItem, requireOneOf } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import { checkDnsLabel, checkPortNumber } from "../meta/names.ts";
import { checkIp } from "./pod-spec-validation.ts";
import type { EndpointAddress, EndpointPort, EndpointSubset, Endpoints, Event } from "./types.gen.ts";

export function validateEndpoints({ subsets }: Endpoints): readonly FieldError[] {
  return eachItem("subsets", subsets, subsetErrors);
}

function subsetErrors(
  { addresses, notReadyAddresses, ports = [] }: EndpointSubset,
  field: string,
): readonly FieldError[] {
  return [
    ...(addresses?.length || notReadyAddresses?.length
      ? []
      : [fieldError.required(field, "must specify `addresses` or `notReadyAddresses`")]),
    ...eachItem(`${field}.addresses`, addresses, addressErrors),
    ...eachItem(`${field}.notReadyAddresses`, notReadyAddresses, addressErrors),
    ...eachItem(`${field}.ports`, ports, (port, at) => portErrors(port, ports.length > 1, at)),
  ];
}

function addressErrors({ ip = "", hostname }: EndpointAddress, field: string): readonly FieldError[] {
  return [...complaints(`${field}.ip`, ip, checkIp(ip)), ...checkText(`${field}.hostname`, hostname, checkDnsLabel)];
}

function portErrors({ name, port, protocol }: EndpointPort, many: boolean, field: string): readonly FieldError[] {
  return [
    ...(many && !name ? [fieldError.required(`${field}.name`)] : []),
    ...checkText(`${field}.name`, name, checkDnsLabel),
    ...complaints(`${field}.port`, port ?? 0, checkPortNumber(port ?? 0)),
    ...requireOneOf(`${field}.protocol`, protocol, ["SCTP", "TCP", "UDP"]),
  ];
}

/** An Event lives beside its object; events of cluster-scoped objects live in `default`. */
export function validateEvent({ metadata, involvedObject }: Event): readonly FieldError[] {
  const namespace = involvedObject?.namespace ?? "";
  const own = metadata.namespace ?? "";
  if (namespace === "" ? own === "" || own === "default" : namespace === own) return [];
  return [fieldError.invalid("involvedObject.namespace", namespace, "does not match event.namespace")];
}
