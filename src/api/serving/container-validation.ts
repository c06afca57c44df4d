/** What Serving lets a container be (pkg/apis/serving/k8s_validation.go, fieldmask.go). */
import { posix } from "node:path";
import type { EnvFromSource, EnvVar, SecurityContext, VolumeMount } from "../core/types.gen.ts";
import { flagHint, type ServingFeatures } from "./config-features.ts";
import { imageProblem } from "./image-reference.ts";
import { checkProbes } from "./probe-validation.ts";
import {
  disallowedField,
  each,
  invalidValue,
  missingField,
  missingOneOf,
  multipleOneOf,
  onlyAllows,
  outOfBounds,
  problem,
  self,
  within,
  type Problem,
  type Problems,
} from "./problems.ts";
import type { Container, Volume } from "./types.gen.ts";

export interface ContainerContext {
  readonly volumes: ReadonlyMap<string, Volume>;
  readonly features: ServingFeatures;
  /** The port requests come in by. */
  readonly port: { readonly name: string; readonly number: number };
}

type Role = "serving" | "sidecar" | "init";

export function checkServingContainer(container: Container, context: ContainerContext): Problems {
  return [...checkProbes(container, context.port), ...checkContainer(container, context, "serving")];
}

export function checkSidecar(container: Container, context: ContainerContext): Problems {
  const probing = context.features("multi-container-probing") === "Enabled";
  const refused = probing ? [] : probeFields.flatMap((field) => sidecarProbe(container, field));
  return [...(probing ? checkProbes(container, undefined) : refused), ...checkContainer(container, context, "sidecar")];
}

export function checkInitContainer(container: Container, context: ContainerContext): Problems {
  const refused = probeFields
    .filter((field) => container[field] !== undefined)
    .map((field) => problem("field not allowed in an init container", [field]));
  return [...refused, ...checkContainer(container, context, "init")];
}

const probeFields = ["livenessProbe", "readinessProbe", "startupProbe"] as const;

function sidecarProbe(container: Container, field: (typeof probeFields)[number]): Problems {
  const set = Object.keys(container[field] ?? {});
  if (set.length === 0) return [];
  const paths = set.map((name) => `${field}.${name}`);
  return [problem(disallowedField().message, paths, flagHint(["multi-container-probing"]))];
}

function checkContainer(container: Container, context: ContainerContext, role: Role): Problems {
  if (Object.keys(container).length === 0) return [missingField(self)];
  return [
    ...(container.name === "queue-proxy" ? [problem('"queue-proxy" is a reserved container name', ["name"])] : []),
    ...each("env", container.env, (env) => checkEnv(env, context.features, role)),
    ...checkEnvFrom(container.envFrom ?? []),
    ...checkImage(container.image),
    ...within("ports", checkPorts(container, role)),
    ...within("resources", onlyAllows(container.resources, new Set(["limits", "requests"]))),
    ...within("securityContext", checkSecurity(container.securityContext, context.features)),
    ...checkTerminationPolicy(container.terminationMessagePolicy),
    ...within("volumeMounts", checkMounts(container.volumeMounts ?? [], context)),
  ];
}

function checkImage(image: string | undefined): Problems {
  if (!image) return [missingField("image")];
  const wrong = imageProblem(image);
  if (wrong === undefined) return [];
  return [problem("Failed to parse image reference", ["image"], `image: ${JSON.stringify(image)}, error: ${wrong}`)];
}

const terminationPolicies: readonly string[] = ["", "File", "FallbackToLogsOnError"];

function checkTerminationPolicy(policy = ""): Problems {
  return terminationPolicies.includes(policy) ? [] : [invalidValue(policy, "terminationMessagePolicy")];
}

const reservedEnv: ReadonlySet<string> = new Set(["PORT", "K_SERVICE", "K_CONFIGURATION", "K_REVISION"]);

function checkEnv(env: EnvVar, features: ServingFeatures, role: Role): Problems {
  const problems: Problem[] = [];
  if (!env.name) problems.push(missingField("name"));
  // PORT belongs to the serving container alone; others may set it.
  else if (reservedEnv.has(env.name) && (role === "serving" || env.name !== "PORT"))
    problems.push(problem(`${JSON.stringify(env.name)} is a reserved environment variable`, ["name"]));
  const flag = "kubernetes.podspec-fieldref";
  const sources = ["configMapKeyRef", "secretKeyRef"];
  if (features(flag) !== "Disabled") sources.push("fieldRef", "resourceFieldRef");
  return [
    ...problems,
    ...within(
      "valueFrom",
      onlyAllows(env.valueFrom, new Set(sources), () => flagHint([flag])),
    ),
  ];
}

function checkEnvFrom(sources: readonly EnvFromSource[]): Problems {
  return sources.flatMap(({ configMapRef, secretRef }) => {
    const paths = ["envFrom.configMapRef", "envFrom.secretRef"];
    if (configMapRef && secretRef) return [multipleOneOf(...paths)];
    return configMapRef || secretRef ? [] : [missingOneOf(...paths)];
  });
}

const reservedPorts: ReadonlySet<number> = new Set([8008, 8012, 8013, 8022, 9090, 9091]);
const portNames: readonly string[] = ["", "http1", "h2c"];
const portFields: ReadonlySet<string> = new Set(["containerPort", "name", "protocol"]);

function checkPorts({ ports = [] }: Container, role: Role): Problems {
  if (role === "init") return ports.flatMap((port) => checkPort(port));
  const [port] = ports;
  if (!port) return [];
  const problems = [...checkPort(port)];
  if (port.protocol && port.protocol !== "TCP") problems.push(invalidValue(port.protocol, "protocol"));
  if (!portNames.includes(port.name ?? ""))
    problems.push(
      problem(`Port name ${port.name} is not allowed`, [self], "Name must be empty, or one of: 'h2c', 'http1'"),
    );
  return problems;
}

function checkPort(port: NonNullable<Container["ports"]>[number]): Problems {
  const number = port.containerPort ?? 0;
  const problems = [...onlyAllows(port, portFields)];
  if (reservedPorts.has(number)) {
    const reserved = `${number} is a reserved port`;
    problems.push(invalidValue(reserved, "containerPort", `${reserved}, please use a different value`));
  }
  if (number < 0 || number > 65535) problems.push(outOfBounds(number, 0, 65535, "containerPort"));
  return problems;
}

const securityFields: ReadonlySet<string> = new Set([
  "capabilities",
  "readOnlyRootFilesystem",
  "runAsUser",
  "runAsGroup",
  "runAsNonRoot",
  "allowPrivilegeEscalation",
  "seccompProfile",
]);

function checkSecurity(security: SecurityContext | undefined, features: ServingFeatures): Problems {
  if (!security) return [];
  const flag = "kubernetes.containerspec-addcapabilities";
  const secure = features("secure-pod-defaults");
  const bindOnly = security.capabilities?.add?.every((name) => name === "NET_BIND_SERVICE");
  const mayAdd = features(flag) === "Enabled" || (secure !== "Disabled" && bindOnly === true);
  const allowed = new Set(mayAdd ? ["drop", "add"] : ["drop"]);
  return [
    ...onlyAllows(security, securityFields),
    ...within(
      "capabilities",
      onlyAllows(security.capabilities, allowed, () => flagHint([flag])),
    ),
    ...checkId(security.runAsUser, "runAsUser"),
    ...checkId(security.runAsGroup, "runAsGroup"),
  ];
}

const maxId = 2 ** 31 - 1;

/** A user or group id. */
export function checkId(id: number | undefined, path: string): Problems {
  return id !== undefined && (id < 0 || id > maxId) ? [outOfBounds(id, 0, maxId, path)] : [];
}

const reservedPaths: readonly string[] = ["/", "/dev", "/dev/log"];

function checkMounts(mounts: readonly VolumeMount[], context: ContainerContext): Problems {
  const paths = new Set<string>();
  return each("", mounts, (mount) => [
    ...checkMountFields(mount, context.features),
    ...(context.volumes.has(mount.name) ? [] : [problem("volumeMount has no matching volume", ["name"])]),
    ...checkMountPath(mount.mountPath, paths),
    ...checkReadOnly(mount, context.volumes.get(mount.name)),
  ]);
}

const mountFields: ReadonlySet<string> = new Set(["name", "readOnly", "mountPath", "subPath", "mountPropagation"]);

function checkMountFields(mount: VolumeMount, features: ServingFeatures): Problems {
  const problems = [...onlyAllows(mount, mountFields)];
  const { mountPropagation: propagation } = mount;
  if (propagation === undefined) return problems;
  if (features("kubernetes.podspec-volumes-mount-propagation") !== "Enabled")
    problems.push(
      problem(
        `Volume Mount Propagation support is disabled, but found volume mount ${mount.name} with mount propagation`,
        [],
      ),
    );
  if (propagation !== "None" && propagation !== "HostToContainer")
    problems.push(problem("mount propagation should be set to None or HostToContainer", ["mountPropagation"]));
  return problems;
}

function checkMountPath(path: string | undefined, seen: Set<string>): Problems {
  if (!path) return [missingField("mountPath")];
  const clean = posix.normalize(path).replace(/(.)\/$/, "$1");
  const used = seen.has(clean);
  seen.add(clean);
  if (reservedPaths.includes(clean))
    return [problem(`mountPath ${JSON.stringify(clean)} is a reserved path`, ["mountPath"])];
  if (!path.startsWith("/")) return [invalidValue(path, "mountPath")];
  return used ? [invalidValue(`${JSON.stringify(path)} must be unique`, "mountPath")] : [];
}

function checkReadOnly(mount: VolumeMount, volume: Volume | undefined): Problems {
  const problems: Problem[] = [];
  const writable = volume?.emptyDir ?? volume?.persistentVolumeClaim ?? volume?.ephemeral;
  if (!writable && !mount.readOnly)
    problems.push(problem("volume mount should be readOnly for this type of volume", ["readOnly"]));
  if (volume?.persistentVolumeClaim?.readOnly && !mount.readOnly)
    problems.push(problem("volume is readOnly but volume mount is not", ["readOnly"]));
  return problems;
}
