/** What Serving lets a pod be (pkg/apis/serving/k8s_validation.go, fieldmask.go): the parts of the pod itself. */
import { checkDnsSubdomain } from "../meta/names.ts";
import { flagHint, podSpecFlags, type ServingFeatures } from "./config-features.ts";
import {
  checkId,
  checkInitContainer,
  checkServingContainer,
  checkSidecar,
  type ContainerContext,
} from "./container-validation.ts";
import {
  each,
  invalidValue,
  missingField,
  onlyAllows,
  outOfBounds,
  problem,
  within,
  type Problem,
  type Problems,
} from "./problems.ts";
import type { ServingSettings } from "./settings.ts";
import type { Container, RevisionSpec } from "./types.gen.ts";
import { checkVolumes } from "./volume-validation.ts";

const alwaysAllowed: readonly string[] = [
  "containers",
  "volumes",
  "serviceAccountName",
  "imagePullSecrets",
  "enableServiceLinks",
  "containerConcurrency",
  "timeoutSeconds",
  "responseStartTimeoutSeconds",
  "idleTimeoutSeconds",
];

export function checkRevisionSpec(spec: RevisionSpec, settings: ServingSettings): Problems {
  return [
    ...checkPodFields(spec, settings.features),
    ...within("securityContext", checkPodSecurity(spec.securityContext, settings.features)),
    ...within("volumes", checkVolumes(spec, settings.features)),
    ...checkContainers(spec, settings.features),
    ...(spec.serviceAccountName ? checkAccountName(spec.serviceAccountName) : []),
    ...checkTimeout(spec.timeoutSeconds, settings),
    ...checkConcurrency(spec.containerConcurrency, settings),
  ];
}

function checkPodFields(spec: RevisionSpec, features: ServingFeatures): Problems {
  const allowed = new Set(alwaysAllowed);
  for (const [field, flag] of Object.entries(podSpecFlags)) if (features(flag) !== "Disabled") allowed.add(field);
  if (features("secure-pod-defaults") !== "Disabled") allowed.add("securityContext");
  if (spec.automountServiceAccountToken === false) allowed.add("automountServiceAccountToken");
  return onlyAllows(spec, allowed, (fields) => {
    const keys = fields.flatMap((field) => podSpecFlags[field] ?? []);
    return keys.length === 0 ? "" : flagHint(keys);
  });
}

const podSecurityFields: ReadonlySet<string> = new Set([
  "runAsUser",
  "runAsGroup",
  "runAsNonRoot",
  "fsGroup",
  "supplementalGroups",
  "seccompProfile",
]);

function checkPodSecurity(security: RevisionSpec["securityContext"], features: ServingFeatures): Problems {
  if (!security || features(podSpecFlags.securityContext ?? "") === "Disabled") return [];
  return [
    ...onlyAllows(security, podSecurityFields),
    ...checkId(security.runAsUser, "runAsUser"),
    ...checkId(security.runAsGroup, "runAsGroup"),
    ...checkId(security.fsGroup, "fsGroup"),
    ...each("supplementalGroups", security.supplementalGroups, (id) => checkId(id, "")),
  ];
}

const checkAccountName = (name: string): Problems =>
  checkDnsSubdomain(name).map((complaint) => invalidValue(name, "serviceAccountName", complaint));

function checkTimeout(seconds: number | undefined, { defaults }: ServingSettings): Problems {
  if (!seconds || (seconds > 0 && seconds <= defaults.maxTimeoutSeconds)) return [];
  return [outOfBounds(seconds, 0, defaults.maxTimeoutSeconds, "timeoutSeconds")];
}

function checkConcurrency(limit: number | undefined, { defaults }: ServingSettings): Problems {
  const lowest = defaults.allowContainerConcurrencyZero ? 0 : 1;
  const highest = defaults.containerConcurrencyMaxLimit;
  if (limit === undefined || (limit >= lowest && limit <= highest)) return [];
  return [outOfBounds(limit, lowest, highest, "containerConcurrency")];
}

function checkContainers(spec: RevisionSpec, features: ServingFeatures): Problems {
  const containers = spec.containers ?? [];
  const volumes = new Map((spec.volumes ?? []).map((volume) => [volume.name, volume]));
  const context: ContainerContext = { volumes, features, port: servingPort(containers) };
  return [
    ...checkInitContainers(spec, context),
    ...within("containers[*]", checkPortCount(containers)),
    ...(containers.length === 0 ? [missingField("containers")] : []),
    ...(containers.length === 1 ? each("containers", containers, (one) => checkServingContainer(one, context)) : []),
    ...(containers.length > 1 ? checkSeveral(containers, context) : []),
  ];
}

/** The one port of all containers; probes may only name it. */
function servingPort(containers: readonly Container[]): { readonly name: string; readonly number: number } {
  const port = containers.findLast((container) => (container.ports ?? []).length > 0)?.ports?.[0];
  return { name: port?.name || "http", number: port?.containerPort || 8080 };
}

function checkPortCount(containers: readonly Container[]): Problems {
  const count = containers.reduce((sum, container) => sum + (container.ports?.length ?? 0), 0);
  if (count === 0 && containers.length > 1) return [missingField("ports")];
  if (count <= 1) return [];
  return [
    problem("more than one container port is set", ["ports"], "Only a single port is allowed across all containers"),
  ];
}

function checkSeveral(containers: readonly Container[], context: ContainerContext): Problems {
  if (context.features("multi-container") !== "Enabled")
    return [problem(`multi-container is off, but found ${containers.length} containers`, [])];
  const names = new Set<string>();
  return each("containers", containers, (container) => {
    const check = (container.ports ?? []).length === 0 ? checkSidecar : checkServingContainer;
    return [...checkName(container.name, names), ...check(container, context)];
  });
}

function checkInitContainers(spec: RevisionSpec, context: ContainerContext): Problems {
  const containers = spec.initContainers ?? [];
  if (containers.length === 0) return [];
  if (context.features("kubernetes.podspec-init-containers") !== "Enabled")
    return [problem(`pod spec support for init-containers is off, but found ${containers.length} init containers`, [])];
  const names = new Set((spec.containers ?? []).map((container) => container.name ?? ""));
  return each("initContainers", containers, (container) => [
    ...checkName(container.name, names),
    ...checkInitContainer(container, context),
  ]);
}

function checkName(name: string | undefined, names: Set<string>): readonly Problem[] {
  if (!name) return [];
  if (names.has(name)) return [problem(`duplicate container name ${JSON.stringify(name)}`, ["name"])];
  names.add(name);
  return [];
}
