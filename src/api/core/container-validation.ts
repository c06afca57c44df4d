/** Checks of the containers of a pod (Kubernetes pkg/apis/core/validation, validateContainers and its siblings). */
import { eachItem, requireOneOf, requireText } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import { checkDnsLabel, checkPortName, checkPortNumber } from "../meta/names.ts";
import { validateEnv, validateEnvFrom } from "./env-validation.ts";
import { isSidecar } from "./pod-summary.ts";
import { validateHooks } from "./probe-validation.ts";
import { validateResourceRequirements } from "./resource-validation.ts";
import { validateSecurityContext } from "./security-context-validation.ts";
import type { Container, ContainerPort, PodSpec } from "./types.gen.ts";
import { validateVolumeMounts } from "./volume-validation.ts";

const protocols = ["SCTP", "TCP", "UDP"];
const pullPolicies = ["Always", "IfNotPresent", "Never"];

/** Containers, init containers and ephemeral ones; their names are unique among all of them. */
export function validateAllContainers(spec: PodSpec, field: string): readonly FieldError[] {
  const names = new Set<string>();
  if (!spec.containers?.length) return [fieldError.required(`${field}.containers`)];
  return [
    ...eachItem(`${field}.containers`, spec.containers, (container, at) => [
      ...commonErrors(container, spec, at),
      ...nameErrors(names, container.name, at),
      ...validateHooks(container, spec.terminationGracePeriodSeconds, at),
      ...restartPolicyErrors(container, at),
    ]),
    ...hostPortErrors(spec.containers, `${field}.containers`),
    ...eachItem(`${field}.initContainers`, spec.initContainers, (container, at) => [
      ...commonErrors(container, spec, at),
      ...initOnlyErrors(container, spec, at),
      ...nameErrors(names, container.name, at),
    ]),
    ...ephemeralErrors(spec, names, `${field}.ephemeralContainers`),
  ];
}

function nameErrors(names: Set<string>, name: string, field: string): readonly FieldError[] {
  if (name && names.has(name)) return [fieldError.duplicate(`${field}.name`, name)];
  if (name) names.add(name);
  return [];
}

function commonErrors(container: Container, spec: PodSpec, field: string): readonly FieldError[] {
  const policies = ["File", "FallbackToLogsOnError"];
  return [
    ...requireText(`${field}.name`, container.name, checkDnsLabel),
    ...(container.image ? [] : [fieldError.required(`${field}.image`)]),
    ...requireOneOf(`${field}.terminationMessagePolicy`, container.terminationMessagePolicy, policies),
    ...portErrors(container.ports, `${field}.ports`),
    ...validateEnv(container.env, `${field}.env`),
    ...validateEnvFrom(container.envFrom, `${field}.envFrom`),
    ...validateVolumeMounts(container, spec.volumes, `${field}.volumeMounts`),
    ...requireOneOf(`${field}.imagePullPolicy`, container.imagePullPolicy, pullPolicies),
    ...validateResourceRequirements(container.resources, `${field}.resources`),
    ...validateSecurityContext(container.securityContext, `${field}.securityContext`),
  ];
}

function portErrors(ports: readonly ContainerPort[] | undefined, field: string): readonly FieldError[] {
  const names = new Set<string>();
  return eachItem(field, ports, ({ name, containerPort, hostPort, protocol }, at) => [
    ...portNameErrors(names, name, `${at}.name`),
    ...(containerPort
      ? checkPortNumber(containerPort).map((text) => fieldError.invalid(`${at}.containerPort`, containerPort, text))
      : [fieldError.required(`${at}.containerPort`)]),
    ...(hostPort ? checkPortNumber(hostPort).map((text) => fieldError.invalid(`${at}.hostPort`, hostPort, text)) : []),
    ...requireOneOf(`${at}.protocol`, protocol, protocols),
  ]);
}

function portNameErrors(names: Set<string>, name: string | undefined, field: string): readonly FieldError[] {
  if (!name) return [];
  const texts = checkPortName(name);
  if (texts.length > 0) return texts.map((text) => fieldError.invalid(field, name, text));
  if (names.has(name)) return [fieldError.duplicate(field, name)];
  names.add(name);
  return [];
}

function hostPortErrors(containers: readonly Container[], field: string): readonly FieldError[] {
  const taken = new Set<string>();
  return containers.flatMap(({ ports = [] }, i) =>
    ports.flatMap(({ protocol, hostIP = "", hostPort }, j) => {
      if (!hostPort) return [];
      const key = `${protocol}/${hostIP}/${hostPort}`;
      if (taken.has(key)) return [fieldError.duplicate(`${field}[${i}].ports[${j}].hostPort`, key)];
      taken.add(key);
      return [];
    }),
  );
}

/** Regular containers may carry a restart policy of their own since Kubernetes 1.35. */
function restartPolicyErrors({ restartPolicy }: Container, field: string): readonly FieldError[] {
  return restartPolicy === undefined
    ? []
    : requireOneOf(`${field}.restartPolicy`, restartPolicy, ["Always", "Never", "OnFailure"]);
}

const hooks = ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const;

function initOnlyErrors(container: Container, spec: PodSpec, field: string): readonly FieldError[] {
  const errors = [
    ...restartPolicyErrors(container, field),
    ...hostPortErrors([container], field.replace(/\[\d+\]$/, "")),
  ];
  if (isSidecar(container)) return [...errors, ...validateHooks(container, spec.terminationGracePeriodSeconds, field)];
  const text = "may not be set for init containers without restartPolicy=Always";
  return [
    ...errors,
    ...hooks.filter((hook) => container[hook]).map((hook) => fieldError.forbidden(`${field}.${hook}`, text)),
  ];
}

const notForEphemeral = [...hooks, "ports", "resources", "resizePolicy", "restartPolicy"] as const;

function ephemeralErrors(spec: PodSpec, names: Set<string>, field: string): readonly FieldError[] {
  const targets = new Set(names);
  return eachItem(field, spec.ephemeralContainers, (container, at) => {
    const { name = "", targetContainerName, ...rest } = container;
    const text = "cannot be set for an Ephemeral Container";
    return [
      ...commonErrors({ ...rest, name }, spec, at),
      ...nameErrors(names, name, at),
      ...(targetContainerName && !targets.has(targetContainerName)
        ? [fieldError.notFound(`${at}.targetContainerName`, targetContainerName)]
        : []),
      ...notForEphemeral.filter((key) => isGiven(rest[key])).map((key) => fieldError.forbidden(`${at}.${key}`, text)),
    ];
  });
}

function isGiven(value: unknown): boolean {
  return typeof value === "object" && value !== null ? Object.keys(value).length > 0 : value !== undefined;
}
