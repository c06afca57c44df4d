/** Checks of Services (Kubernetes pkg/apis/core/validation, ValidateService and ValidateServiceUpdate). */
import { isIP } from "node:net";
import { checkOneOf, checkRange, checkText, complaints, eachItem, requireOneOf } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import { validateLabels } from "../meta/label-validation.ts";
import { checkDnsLabel, checkDnsSubdomain, checkLabelKey, checkPortNumber } from "../meta/names.ts";
import { checkIp } from "./pod-spec-validation.ts";
import { validatePort } from "./probe-validation.ts";
import { isHeadless, isReachedFromOutside, needsHealthCheckPort, nodePortRange } from "./service-addresses.ts";
import type { Service, ServicePort, ServiceSpec } from "./types.gen.ts";

const maxAffinitySeconds = 86_400;
const types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const familyPolicies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
const distributions = ["PreferClose", "PreferSameZone", "PreferSameNode"];

export function validateService({ spec }: Service, old: Service | undefined): readonly FieldError[] {
  if (!spec) return [fieldError.required("spec.ports")];
  return [
    ...(old ? updateErrors(spec, old.spec) : []),
    ...typeErrors(spec),
    ...portsErrors(spec),
    ...validateLabels(spec.selector, "spec.selector"),
    ...affinityErrors(spec),
    ...clusterIpErrors(spec),
    ...eachItem("spec.externalIPs", spec.externalIPs, externalIpErrors),
    ...requireOneOf("spec.type", spec.type, types),
    ...trafficErrors(spec),
  ];
}

function typeErrors(spec: ServiceSpec): readonly FieldError[] {
  const { type, ports, clusterIPs, ipFamilies, ipFamilyPolicy } = spec;
  if (type === "ExternalName") {
    const name = (spec.externalName ?? "").replace(/\.$/, "");
    const forbidden = (field: string): FieldError =>
      fieldError.forbidden(`spec.${field}`, "may not be set for ExternalName services");
    return [
      ...(clusterIPs?.length || spec.clusterIP ? [forbidden("clusterIPs")] : []),
      ...(ipFamilies?.length ? [forbidden("ipFamilies")] : []),
      ...(ipFamilyPolicy === undefined ? [] : [forbidden("ipFamilyPolicy")]),
      ...(name === ""
        ? [fieldError.required("spec.externalName")]
        : complaints("spec.externalName", name, checkDnsSubdomain(name))),
    ];
  }
  if (!isHeadless(spec)) return ports?.length ? [] : [fieldError.required("spec.ports")];
  if (type !== "LoadBalancer" && type !== "NodePort") return [];
  return [fieldError.invalid("spec.clusterIPs[0]", "None", `may not be set to 'None' for ${type} services`)];
}

function portsErrors(spec: ServiceSpec): readonly FieldError[] {
  const ports = spec.ports ?? [];
  const names = new Set<string>();
  const nodePorts = new Set<string>();
  const numbers = new Set<string>();
  const repeats = (seen: Set<string>, key: string): boolean => seen.size === seen.add(key).size;
  return [
    ...eachItem("spec.ports", ports, (port, at) => portErrors(port, { at, names, many: ports.length > 1 })),
    ...eachItem("spec.ports", ports, ({ nodePort, protocol, port }, at) => [
      ...(nodePort && spec.type === "ClusterIP"
        ? [fieldError.forbidden(`${at}.nodePort`, "may not be used when `type` is 'ClusterIP'")]
        : []),
      ...(nodePort && repeats(nodePorts, `${protocol}/${nodePort}`)
        ? [fieldError.duplicate(`${at}.nodePort`, nodePort)]
        : []),
      ...(repeats(numbers, `${protocol}/${port}`) ? [fieldError.duplicate(at, { protocol, port })] : []),
    ]),
  ];
}

interface PortPlace {
  readonly at: string;
  readonly names: Set<string>;
  readonly many: boolean;
}

function portErrors(
  { name, port, protocol, targetPort, nodePort, appProtocol }: ServicePort,
  place: PortPlace,
): readonly FieldError[] {
  const { at, names, many } = place;
  const twice = name !== undefined && name !== "" && names.has(name);
  if (name) names.add(name);
  const [first, last] = nodePortRange;
  return [
    ...(!name && many ? [fieldError.required(`${at}.name`)] : []),
    ...checkText(`${at}.name`, name, checkDnsLabel),
    ...(twice ? [fieldError.duplicate(`${at}.name`, name)] : []),
    ...complaints(`${at}.port`, port ?? 0, checkPortNumber(port ?? 0)),
    ...requireOneOf(`${at}.protocol`, protocol, ["SCTP", "TCP", "UDP"]),
    ...validatePort(targetPort, `${at}.targetPort`),
    ...(nodePort && (nodePort < first || nodePort > last)
      ? [
          fieldError.invalid(
            `${at}.nodePort`,
            nodePort,
            `provided port is not in the valid range. The range of valid ports is ${first}-${last}`,
          ),
        ]
      : []),
    ...checkText(`${at}.appProtocol`, appProtocol, checkLabelKey),
  ];
}

function affinityErrors({ sessionAffinity, sessionAffinityConfig: config }: ServiceSpec): readonly FieldError[] {
  const field = "spec.sessionAffinityConfig";
  const when = "when session affinity type is ClientIP";
  const errors = [...requireOneOf("spec.sessionAffinity", sessionAffinity, ["ClientIP", "None"])];
  if (sessionAffinity !== "ClientIP") return errors;
  const seconds = config?.clientIP?.timeoutSeconds;
  if (!config) return [...errors, fieldError.required(field, when)];
  if (!config.clientIP) return [...errors, fieldError.required(`${field}.clientIP`, when)];
  const at = `${field}.clientIP.timeoutSeconds`;
  if (seconds === undefined) return [...errors, fieldError.required(at, when)];
  if (seconds > 0 && seconds <= maxAffinitySeconds) return errors;
  return [...errors, fieldError.invalid(at, seconds, `must be greater than 0 and less than ${maxAffinitySeconds}`)];
}

function clusterIpErrors(spec: ServiceSpec): readonly FieldError[] {
  const { clusterIP = "", clusterIPs = [], ipFamilies = [], ipFamilyPolicy, type } = spec;
  if (type === "ExternalName") return [];
  const field = "spec.clusterIPs";
  const single = "must be set to 'None' or a single IP";
  const families = new Set(ipFamilies);
  return [
    ...(clusterIPs.length > 0 && clusterIPs[0] !== clusterIP
      ? [fieldError.invalid(field, clusterIPs, "first value must match `clusterIP`")]
      : []),
    ...(clusterIP === "" && clusterIPs.length > 0
      ? [fieldError.required("spec.clusterIP", "must be specified when `clusterIPs` is specified")]
      : []),
    ...(clusterIPs.length > 2 ? [fieldError.invalid(field, clusterIPs, "may only hold up to 2 values")] : []),
    ...(clusterIPs.length > 1 && clusterIPs.includes("None") ? [fieldError.invalid(field, clusterIPs, single)] : []),
    ...eachItem(field, clusterIPs, (ip, at) => (ip === "None" ? [] : complaints(at, ip, checkIp(ip)))),
    ...checkOneOf("spec.ipFamilyPolicy", ipFamilyPolicy, familyPolicies),
    ...eachItem("spec.ipFamilies", ipFamilies, (family, at) => checkOneOf(at, family, ["IPv4", "IPv6"])),
    ...(families.size < ipFamilies.length
      ? ipFamilies.flatMap((family, i) =>
          ipFamilies.indexOf(family) < i ? [fieldError.duplicate(`spec.ipFamilies[${i}]`, family)] : [],
        )
      : []),
    ...clusterIPs.flatMap((ip, i) => {
      const family = ipFamilies[i];
      if (family === undefined || isIP(ip) === 0 || family === `IPv${isIP(ip)}`) return [];
      return [
        fieldError.invalid(`${field}[${i}]`, ip, `expected an ${family} value as indicated by \`ipFamilies[${i}]\``),
      ];
    }),
  ];
}

function externalIpErrors(ip: string, field: string): readonly FieldError[] {
  const texts = checkIp(ip);
  if (texts.length > 0) return complaints(field, ip, texts);
  if (ip === "0.0.0.0" || ip === "::") return [fieldError.invalid(field, ip, `may not be unspecified (${ip})`)];
  if (ip.startsWith("127.") || ip === "::1")
    return [fieldError.invalid(field, ip, "may not be in the loopback range (127.0.0.0/8, ::1/128)")];
  if (ip.startsWith("169.254.") || /^fe[89ab]/i.test(ip))
    return [fieldError.invalid(field, ip, "may not be in the link-local range (169.254.0.0/16, fe80::/10)")];
  return [];
}

function trafficErrors(spec: ServiceSpec): readonly FieldError[] {
  const { type, externalTrafficPolicy: external, internalTrafficPolicy: internal } = spec;
  const outside = isReachedFromOutside(spec);
  const policies = ["Cluster", "Local"];
  const onlyLoadBalancer = "may only be used when `type` is 'LoadBalancer'";
  const forbidden = (field: string): FieldError => fieldError.forbidden(`spec.${field}`, onlyLoadBalancer);
  const notLoadBalancer = type !== "LoadBalancer";
  return [
    ...(notLoadBalancer && spec.loadBalancerSourceRanges?.length ? [forbidden("LoadBalancerSourceRanges")] : []),
    ...(notLoadBalancer && spec.allocateLoadBalancerNodePorts !== undefined
      ? [forbidden("allocateLoadBalancerNodePorts")]
      : []),
    ...(notLoadBalancer && spec.loadBalancerClass !== undefined ? [forbidden("loadBalancerClass")] : []),
    ...(outside
      ? checkOneOf("spec.externalTrafficPolicy", external, policies)
      : external
        ? [
            fieldError.invalid(
              "spec.externalTrafficPolicy",
              external,
              "may only be set for externally-accessible services",
            ),
          ]
        : []),
    ...checkOneOf("spec.internalTrafficPolicy", internal, policies),
    ...checkOneOf("spec.trafficDistribution", spec.trafficDistribution, distributions),
    ...healthCheckErrors(spec),
  ];
}

function healthCheckErrors(spec: ServiceSpec): readonly FieldError[] {
  const port = spec.healthCheckNodePort;
  const field = "spec.healthCheckNodePort";
  if (!port) return [];
  const text = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
  return needsHealthCheckPort(spec) ? checkRange(field, port, [1, 65535]) : [fieldError.invalid(field, port, text)];
}

/** The first address and family stay, unless the Service comes from or becomes an ExternalName. */
function updateErrors(spec: ServiceSpec, old: ServiceSpec): readonly FieldError[] {
  if (spec.type === "ExternalName" || old.type === "ExternalName") return [];
  const errors: FieldError[] = [];
  const [ip, oldIp] = [spec.clusterIPs?.[0] ?? spec.clusterIP, old.clusterIPs?.[0] ?? old.clusterIP];
  if (oldIp && ip !== oldIp)
    errors.push(fieldError.invalid("spec.clusterIPs[0]", spec.clusterIPs ?? ip, "may not change once set"));
  const [family, oldFamily] = [spec.ipFamilies?.[0], old.ipFamilies?.[0]];
  if (oldFamily && family !== oldFamily)
    errors.push(fieldError.invalid("spec.ipFamilies[0]", family, "may not change once set"));
  if (needsHealthCheckPort(spec) && needsHealthCheckPort(old) && spec.healthCheckNodePort !== old.healthCheckNodePort)
    errors.push(fieldError.forbidden("spec.healthCheckNodePort", "field is immutable"));
  return errors;
}
