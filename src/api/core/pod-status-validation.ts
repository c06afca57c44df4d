/** Checks of Pod status writes (Kubernetes pkg/apis/core/validation, ValidatePodStatusUpdate). */
import { isIP } from "node:net";
import { checkImmutable, checkText, complaints, eachItem } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import { jsonEqual } from "../meta/json-equal.ts";
import { checkDnsSubdomain, checkLabelKey } from "../meta/names.ts";
import { checkIp } from "./pod-spec-validation.ts";
import { isSidecar } from "./pod-summary.ts";
import type { ContainerStatus, Pod, PodStatus } from "./types.gen.ts";

/** 4096 bytes for each container, 12 KiB for all of a pod's. */
const maxTerminationMessages = 12 * 1024;
const notNegative = "must be a non-negative integer";

export function validatePodStatus(pod: Pod, old: Pod): readonly FieldError[] {
  const [status, before] = [pod.status ?? {}, old.status ?? {}];
  return [
    ...conditionErrors(status),
    ...(pod.spec.nodeName !== old.spec.nodeName
      ? [fieldError.forbidden("status.nodeName", "may not be changed directly")]
      : []),
    ...nominationErrors(pod, before),
    ...((status.observedGeneration ?? 0) < 0
      ? [fieldError.invalid("status.observedGeneration", status.observedGeneration, notNegative)]
      : []),
    ...(before.qosClass ? checkImmutable("status.qosClass", status.qosClass, before.qosClass) : []),
    ...transitionErrors("containerStatuses", pod, old),
    ...transitionErrors("initContainerStatuses", pod, old),
    ...transitionErrors("ephemeralContainerStatuses", pod, old),
    ...addressErrors("podIP", status, before),
    ...addressErrors("hostIP", status, before),
    ...messageErrors(status),
  ];
}

const systemConditions: ReadonlySet<string> = new Set(["PodScheduled", "Ready", "Initialized"]);

function conditionErrors({ conditions }: PodStatus): readonly FieldError[] {
  return eachItem("status.conditions", conditions, ({ type = "", observedGeneration = 0 }, at) => [
    ...(observedGeneration < 0
      ? [fieldError.invalid(`${at}.observedGeneration`, observedGeneration, notNegative)]
      : []),
    ...(systemConditions.has(type) ? [] : complaints(`${at}.Type`, type, checkLabelKey(type))),
  ]);
}

function nominationErrors(pod: Pod, before: PodStatus): readonly FieldError[] {
  const [value, field] = [pod.status?.nominatedNodeName, "status.nominatedNodeName"];
  if (!value || value === before.nominatedNodeName) return [];
  if (pod.spec.nodeName) return [fieldError.forbidden(field, "cannot be set on a pod that is bound to a node")];
  return checkText(field, value, checkDnsSubdomain);
}

type StatusList = "containerStatuses" | "initContainerStatuses" | "ephemeralContainerStatuses";

/** A container that ended stays ended, unless its restart rules say it may run again. */
function transitionErrors(list: StatusList, pod: Pod, old: Pod): readonly FieldError[] {
  return (old.status?.[list] ?? []).flatMap((before, i) => {
    if (!before.state?.terminated || mayRestart(list, before, old)) return [];
    const now = pod.status?.[list]?.find((status) => status.name === before.name);
    if (!now || now.state?.terminated) return [];
    return [fieldError.forbidden(`status.${list}[${i}].state`, "may not be transitioned to non-terminated state")];
  });
}

function mayRestart(list: StatusList, status: ContainerStatus, { spec }: Pod): boolean {
  if (list === "ephemeralContainerStatuses") return false;
  const containers = list === "containerStatuses" ? spec.containers : (spec.initContainers ?? []);
  const container = containers.find(({ name }) => name === status.name);
  if (isSidecar(container) || container?.restartPolicyRules?.length) return true;
  const policy = container?.restartPolicy ?? spec.restartPolicy;
  return policy === "Always" || (policy === "OnFailure" && status.state?.terminated?.exitCode !== 0);
}

/** The single address is the first of the list; the list has at most one of each family. */
function addressErrors(name: "podIP" | "hostIP", status: PodStatus, before: PodStatus): readonly FieldError[] {
  const [list, field] = [`${name}s` as const, `status.${name}s`];
  const addresses = status[list] ?? [];
  const first = addresses[0]?.ip;
  if (first === undefined || jsonEqual(addresses, before[list])) return [];
  const twice = addresses.length > 1;
  const families = addresses.map(({ ip }) => isIP(ip));
  return [
    ...(status[name] === first ? [] : [fieldError.invalid(`${field}[0].ip`, first, `must be equal to \`${name}\``)]),
    ...addresses.flatMap(({ ip }, i) => complaints(`${field}[${i}]`, ip, checkIp(ip))),
    ...(twice && new Set(families).size !== addresses.length
      ? [fieldError.invalid(field, addresses, "may specify no more than one IP for each IP family")]
      : []),
    ...addresses.flatMap((address, i) =>
      addresses.findIndex(({ ip }) => ip === address.ip) < i ? [fieldError.duplicate(`${field}[${i}]`, address)] : [],
    ),
  ];
}

function messageErrors(status: PodStatus): readonly FieldError[] {
  const all = [
    ...(status.containerStatuses ?? []),
    ...(status.initContainerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ];
  const bytes = all.reduce((sum, { state }) => sum + Buffer.byteLength(state?.terminated?.message ?? ""), 0);
  return bytes > maxTerminationMessages ? [fieldError.tooLong("status.containerStatuses", maxTerminationMessages)] : [];
}
