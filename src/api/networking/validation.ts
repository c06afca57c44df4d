/** Checks of Ingresses, IngressClasses and NetworkPolicies (Kubernetes pkg/apis/networking/validation). */
import { isIP } from "node:net";
import { cidrText, isCidr, isStrictlyInside } from "../core/ip-block.ts";
import { validatePort } from "../core/probe-validation.ts";
import { checkImmutable, checkOneOf, checkText, complaints, eachItem, requireText } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import { validateLabelSelector } from "../meta/label-validation.ts";
import {
  checkDnsLabel,
  checkDnsSubdomain,
  checkPortName,
  checkPortNumber,
  checkWildcardSubdomain,
  isDomainPrefixedPath,
} from "../meta/names.ts";
import type {
  HTTPIngressPath,
  IPBlock,
  Ingress,
  IngressBackend,
  IngressClass,
  IngressRule,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
} from "./types.gen.ts";

const pathTypes = ["Exact", "ImplementationSpecific", "Prefix"];
const maxController = 250;

export function validateIngress({ spec }: Ingress): readonly FieldError[] {
  const { defaultBackend, rules = [], tls, ingressClassName } = spec ?? {};
  const none = "either `defaultBackend` or `rules` must be specified";
  return [
    ...(rules.length === 0 && !defaultBackend ? [fieldError.invalid("spec", rules, none)] : []),
    ...(defaultBackend ? backendErrors(defaultBackend, "spec.defaultBackend") : []),
    ...eachItem("spec.rules", rules, ruleErrors),
    ...eachItem("spec.tls", tls, ({ hosts, secretName }, at) => [
      ...eachItem(`${at}.hosts`, hosts, (host, each) => complaints(each, host, checkHost(host))),
      ...checkText(`${at}.secretName`, secretName, checkDnsSubdomain),
    ]),
    ...checkText("spec.ingressClassName", ingressClassName, checkDnsSubdomain),
  ];
}

const checkHost = (host: string): readonly string[] =>
  host.includes("*") ? checkWildcardSubdomain(host) : checkDnsSubdomain(host);

function ruleErrors({ host = "", http }: IngressRule, field: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (isIP(host) > 0) errors.push(fieldError.invalid(`${field}.host`, host, "must be a DNS name, not an IP address"));
  else if (host !== "") errors.push(...complaints(`${field}.host`, host, checkHost(host)));
  if (!http) return errors;
  if (!http.paths?.length) return [...errors, fieldError.required(`${field}.http.paths`)];
  return [...errors, ...eachItem(`${field}.http.paths`, http.paths, pathErrors)];
}

const badParts = ["//", "/./", "/../", "%2f", "%2F"];
const badEnds = ["/..", "/."];

function pathErrors({ path = "", pathType, backend }: HTTPIngressPath, field: string): readonly FieldError[] {
  const at = `${field}.path`;
  const errors: FieldError[] = [];
  if (!pathType) errors.push(fieldError.required(`${field}.pathType`, "pathType must be specified"));
  else errors.push(...checkOneOf(`${field}.pathType`, pathType, pathTypes));
  const exact = pathType === "Exact" || pathType === "Prefix";
  if ((exact || path !== "") && !path.startsWith("/"))
    errors.push(fieldError.invalid(at, path, "must be an absolute path"));
  if (exact) {
    for (const part of badParts)
      if (path.includes(part)) errors.push(fieldError.invalid(at, path, `must not contain '${part}'`));
    for (const end of badEnds)
      if (path.endsWith(end)) errors.push(fieldError.invalid(at, path, `cannot end with '${end}'`));
  }
  return [...errors, ...backendErrors(backend ?? {}, `${field}.backend`)];
}

function backendErrors({ resource, service }: IngressBackend, field: string): readonly FieldError[] {
  if (resource && service) return [fieldError.invalid(field, "", "cannot set both resource and service backends")];
  if (resource)
    return [
      ...(resource.kind ? [] : [fieldError.required(`${field}.resource.kind`)]),
      ...(resource.name ? [] : [fieldError.required(`${field}.resource.name`)]),
    ];
  if (!service) return [fieldError.required(`${field}.service`, "a service or resource backend is required")];
  const { name, number } = service.port ?? {};
  const errors = [...requireText(`${field}.service.name`, service.name, checkDnsLabel)];
  if (name && number) errors.push(fieldError.invalid(field, "", "cannot set both port name & port number"));
  else if (name) errors.push(...complaints(`${field}.service.port.name`, name, checkPortName(name)));
  else if (number) errors.push(...complaints(`${field}.service.port.number`, number, checkPortNumber(number)));
  else errors.push(fieldError.required(field, "port name or number is required"));
  return errors;
}

export function validateIngressClass({ spec }: IngressClass, old: IngressClass | undefined): readonly FieldError[] {
  const controller = spec?.controller ?? "";
  const parameters = spec?.parameters;
  const text = 'must be a domain-prefixed path (such as "acme.io/foo")';
  const field = "spec.controller";
  return [
    ...(controller === "" ? [fieldError.required(field)] : []),
    ...(controller !== "" && !isDomainPrefixedPath(controller) ? [fieldError.invalid(field, controller, text)] : []),
    ...(controller.length > maxController ? [fieldError.tooLong(field, maxController)] : []),
    ...(parameters
      ? [
          ...(parameters.kind ? [] : [fieldError.required("spec.parameters.kind", "kind is required")]),
          ...(parameters.name ? [] : [fieldError.required("spec.parameters.name", "name is required")]),
          ...checkOneOf("spec.parameters.scope", parameters.scope, ["Cluster", "Namespace"]),
          ...namespaceErrors(parameters),
        ]
      : []),
    ...(old ? checkImmutable(field, controller, old.spec?.controller) : []),
  ];
}

function namespaceErrors({
  scope,
  namespace,
}: {
  readonly scope?: string;
  readonly namespace?: string;
}): readonly FieldError[] {
  const field = "spec.parameters.namespace";
  if (scope === "Namespace" && !namespace)
    return [fieldError.required(field, "`parameters.scope` is set to 'Namespace'")];
  return scope === "Cluster" && namespace !== undefined
    ? [fieldError.forbidden(field, "`parameters.scope` is set to 'Cluster'")]
    : [];
}

export function validateNetworkPolicy({ spec }: NetworkPolicy): readonly FieldError[] {
  if (!spec) return [];
  const { ingress, egress, policyTypes = [] } = spec;
  return [
    ...validateLabelSelector(spec.podSelector, "spec.podSelector"),
    ...eachItem("spec.ingress", ingress, ({ ports, from }, at) => [
      ...eachItem(`${at}.ports`, ports, policyPortErrors),
      ...eachItem(`${at}.from`, from, peerErrors),
    ]),
    ...eachItem("spec.egress", egress, ({ ports, to }, at) => [
      ...eachItem(`${at}.ports`, ports, policyPortErrors),
      ...eachItem(`${at}.to`, to, peerErrors),
    ]),
    ...(policyTypes.length > 2
      ? [fieldError.invalid("spec.policyTypes", policyTypes, "may not specify more than two policyTypes")]
      : eachItem("spec.policyTypes", policyTypes, (type, at) => checkOneOf(at, type, ["Egress", "Ingress"]))),
  ];
}

function policyPortErrors({ protocol, port, endPort }: NetworkPolicyPort, field: string): readonly FieldError[] {
  const end = `${field}.endPort`;
  return [
    ...checkOneOf(`${field}.protocol`, protocol, ["SCTP", "TCP", "UDP"]),
    ...(port === undefined ? [] : validatePort(port, `${field}.port`)),
    ...(endPort !== undefined && port === undefined
      ? [fieldError.required(`${field}.port`, "must be specified when `endPort` is set")]
      : []),
    ...(endPort !== undefined && typeof port === "string"
      ? [fieldError.required(`${field}.port`, "must be numeric when `endPort` is specified")]
      : []),
    ...(endPort !== undefined && typeof port === "number" && endPort < port
      ? [fieldError.invalid(end, endPort, "must be greater than or equal to `port`")]
      : []),
    ...(endPort === undefined ? [] : complaints(end, endPort, checkPortNumber(endPort))),
  ];
}

function peerErrors(
  { podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer,
  field: string,
): readonly FieldError[] {
  if (!podSelector && !namespaceSelector && !ipBlock) return [fieldError.required(field, "must specify a peer")];
  return [
    ...validateLabelSelector(podSelector, `${field}.podSelector`),
    ...validateLabelSelector(namespaceSelector, `${field}.namespaceSelector`),
    ...(ipBlock ? blockErrors(ipBlock, `${field}.ipBlock`) : []),
    ...(ipBlock && (podSelector || namespaceSelector)
      ? [fieldError.forbidden(field, "may not specify both ipBlock and another peer")]
      : []),
  ];
}

function blockErrors({ cidr, except }: IPBlock, field: string): readonly FieldError[] {
  if (!cidr) return [fieldError.required(`${field}.cidr`)];
  if (!isCidr(cidr)) return [fieldError.invalid(`${field}.cidr`, cidr, cidrText)];
  return eachItem(`${field}.except`, except, (block, at) => {
    if (!isCidr(block)) return [fieldError.invalid(at, block, cidrText)];
    return isStrictlyInside(block, cidr) ? [] : [fieldError.invalid(at, block, `must be a strict subset of \`cidr\``)];
  });
}
