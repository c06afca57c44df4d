/** Checks of a PodSpec, in a Pod or in a template (Kubernetes pkg/apis/core/validation, ValidatePodSpec). */
import { isIP } from "node:net";
import { checkOneOf, checkRange, checkText, complaints, eachItem, requireOneOf } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import { validateLabels } from "../meta/label-validation.ts";
import { checkDnsLabel, checkDnsSubdomain, checkLabelKey } from "../meta/names.ts";
import { validateAllContainers } from "./container-validation.ts";
import { validateResourceRequirements } from "./resource-validation.ts";
import { validateAffinity, validateTolerations, validateTopologySpread } from "./scheduling-validation.ts";
import { validatePodSecurityContext } from "./security-context-validation.ts";
import type { PodSpec } from "./types.gen.ts";
import { validateVolumes } from "./volume-validation.ts";

const maxInt32 = 2_147_483_647;
const maxNameservers = 3;
const maxSearches = 32;
const ipText = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";

/** An address of either family. */
export function checkIp(value: string): readonly string[] {
  return isIP(value) > 0 ? [] : [ipText];
}

/** `pod` also checks what only a Pod must have right: in templates it may still be filled in. */
export function validatePodSpec(
  spec: PodSpec | undefined,
  field: string,
  place: "pod" | "template",
): readonly FieldError[] {
  if (!spec) return [fieldError.required(`${field}.containers`)];
  return [
    ...validateVolumes(spec.volumes, `${field}.volumes`),
    ...validateAllContainers(spec, field),
    ...validateResourceRequirements(spec.resources, `${field}.resources`),
    ...hostNetworkErrors(spec, field, place),
    ...requireOneOf(`${field}.restartPolicy`, spec.restartPolicy, ["Always", "OnFailure", "Never"]),
    ...requireOneOf(`${field}.dnsPolicy`, spec.dnsPolicy, [
      "ClusterFirstWithHostNet",
      "ClusterFirst",
      "Default",
      "None",
    ]),
    ...validateLabels(spec.nodeSelector, `${field}.nodeSelector`),
    ...validatePodSecurityContext(spec, `${field}.securityContext`),
    ...validateAffinity(spec.affinity, `${field}.affinity`),
    ...dnsErrors(spec, `${field}.dnsConfig`),
    ...gateErrors(spec, field),
    ...validateTopologySpread(spec.topologySpreadConstraints, `${field}.topologySpreadConstraints`),
    ...nameErrors(spec, field),
    ...checkRange(`${field}.activeDeadlineSeconds`, spec.activeDeadlineSeconds, [1, maxInt32]),
    ...validateTolerations(spec.tolerations, `${field}.tolerations`),
    ...hostAliasErrors(spec, `${field}.hostAliases`),
    ...checkOneOf(`${field}.preemptionPolicy`, spec.preemptionPolicy, ["PreemptLowerPriority", "Never"]),
    ...(spec.os ? requireOneOf(`${field}.os.name`, spec.os.name, ["linux", "windows"]) : []),
    ...(place === "pod" ? podOnlyErrors(spec, field) : []),
  ];
}

function hostNetworkErrors(spec: PodSpec, field: string, place: "pod" | "template"): readonly FieldError[] {
  if (!spec.hostNetwork) return [];
  return (spec.containers ?? []).flatMap(({ ports = [] }, i) =>
    ports.flatMap(({ hostPort = 0, containerPort }, j) => {
      if ((place === "template" && hostPort === 0) || hostPort === containerPort) return [];
      const text = "must match `containerPort` when `hostNetwork` is true";
      return [fieldError.invalid(`${field}.containers[${i}].ports[${j}].hostPort`, hostPort, text)];
    }),
  );
}

function dnsErrors({ dnsPolicy, dnsConfig }: PodSpec, field: string): readonly FieldError[] {
  if (dnsPolicy === "None" && !dnsConfig)
    return [fieldError.required(field, "must provide `dnsConfig` when `dnsPolicy` is None")];
  if (!dnsConfig) return [];
  const { nameservers = [], searches = [], options = [] } = dnsConfig;
  if (dnsPolicy === "None" && nameservers.length === 0) {
    const text = "must provide at least one DNS nameserver when `dnsPolicy` is None";
    return [fieldError.required(`${field}.nameservers`, text)];
  }
  const many = `must not have more than ${maxNameservers} nameservers`;
  const manySearches = `must not have more than ${maxSearches} search paths`;
  return [
    ...(nameservers.length > maxNameservers ? [fieldError.invalid(`${field}.nameservers`, nameservers, many)] : []),
    ...eachItem(`${field}.nameservers`, nameservers, (server, at) => complaints(at, server, checkIp(server))),
    ...(searches.length > maxSearches ? [fieldError.invalid(`${field}.searches`, searches, manySearches)] : []),
    ...eachItem(`${field}.searches`, searches, (search, at) =>
      search === "." ? [] : complaints(at, search, checkDnsSubdomain(search.replace(/\.$/, "").replaceAll("_", "x"))),
    ),
    ...eachItem(`${field}.options`, options, ({ name }, at) =>
      name ? [] : [fieldError.required(at, "must not be empty")],
    ),
  ];
}

function gateErrors({ readinessGates, schedulingGates }: PodSpec, field: string): readonly FieldError[] {
  const seen = new Set<string>();
  return [
    ...eachItem(`${field}.readinessGates`, readinessGates, ({ conditionType }, at) =>
      complaints(`${at}.conditionType`, conditionType ?? "", checkLabelKey(conditionType ?? "")),
    ),
    ...eachItem(`${field}.schedulingGates`, schedulingGates, ({ name = "" }, at) => {
      const twice = seen.has(name);
      seen.add(name);
      return [...complaints(at, name, checkLabelKey(name)), ...(twice ? [fieldError.duplicate(at, name)] : [])];
    }),
  ];
}

function nameErrors(spec: PodSpec, field: string): readonly FieldError[] {
  return [
    ...checkText(`${field}.serviceAccountName`, spec.serviceAccountName, checkDnsSubdomain),
    ...checkText(`${field}.nodeName`, spec.nodeName, checkDnsSubdomain),
    ...checkText(`${field}.hostname`, spec.hostname, checkDnsLabel),
    ...checkText(`${field}.subdomain`, spec.subdomain, checkDnsLabel),
    ...checkText(`${field}.priorityClassName`, spec.priorityClassName, checkDnsSubdomain),
    ...checkText(`${field}.runtimeClassName`, spec.runtimeClassName, checkDnsSubdomain),
  ];
}

function hostAliasErrors({ hostAliases }: PodSpec, field: string): readonly FieldError[] {
  return eachItem(field, hostAliases, ({ ip = "", hostnames }, at) => [
    ...complaints(`${at}.ip`, ip, checkIp(ip)),
    ...eachItem(`${at}.hostnames`, hostnames, (name, each) => complaints(each, name, checkDnsSubdomain(name))),
  ]);
}

function podOnlyErrors(spec: PodSpec, field: string): readonly FieldError[] {
  const padded = (list: "containers" | "initContainers"): readonly FieldError[] =>
    eachItem(`${field}.${list}`, spec[list], ({ image = "" }, at) =>
      image === image.trim()
        ? []
        : [fieldError.invalid(`${at}.image`, image, "must not have leading or trailing whitespace")],
    );
  return [...padded("containers"), ...padded("initContainers")];
}
