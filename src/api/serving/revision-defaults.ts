/** What a RevisionSpec gets where its author said nothing (pkg/apis/serving/v1/revision_defaults.go). */
import type { Mutable } from "../meta/object.ts";
import type { ObjectMeta } from "../meta/types.gen.ts";
import { childName } from "./child-name.ts";
import type { ServingSettings } from "./settings.ts";
import type { Container, RevisionSpec } from "./types.gen.ts";

export interface DefaultingContext {
  readonly settings: ServingSettings;
  /** Of the object that holds the spec: container name templates read it. */
  readonly parent: ObjectMeta;
  readonly operation: "create" | "update";
}

export function defaultRevisionSpec(spec: Mutable<RevisionSpec>, context: DefaultingContext): void {
  const { settings, operation } = context;
  defaultTimeouts(spec, settings);
  spec.containerConcurrency ??= settings.defaults.containerConcurrency;
  // A spec without containers is refused by the schema; defaulting runs before that.
  const containers = spec.containers ?? [];
  nameContainers(spec, context);
  const writable = new Set(
    (spec.volumes ?? []).filter((v) => v.emptyDir ?? v.persistentVolumeClaim ?? v.ephemeral).map((v) => v.name),
  );
  for (const container of containers) {
    defaultResources(container, settings);
    const serving = containers.length === 1 || (container.ports ?? []).length > 0;
    defaultProbes(container, serving);
    for (const mount of container.volumeMounts ?? []) if (!writable.has(mount.name)) mount.readOnly = true;
  }
  const serviceLinks = settings.defaults.enableServiceLinks;
  if (containers.length > 0 && operation === "create" && serviceLinks !== undefined)
    spec.enableServiceLinks ??= serviceLinks;
  for (const container of [...containers, ...(spec.initContainers ?? [])]) defaultSecurity(spec, container, settings);
}

/**
 * Response-start and idle defaults only apply below the whole request's time-out: at the stock 300 s the response-start
 * default is left out, and appears as 300 when a user asks for more than 300.
 */
function defaultTimeouts(spec: Mutable<RevisionSpec>, { defaults }: ServingSettings): void {
  spec.timeoutSeconds ||= defaults.timeoutSeconds;
  const applies = (seconds: number): boolean => seconds !== 0 && seconds < (spec.timeoutSeconds ?? 0);
  if (spec.idleTimeoutSeconds === undefined && applies(defaults.idleTimeoutSeconds))
    spec.idleTimeoutSeconds = defaults.idleTimeoutSeconds;
  if (spec.responseStartTimeoutSeconds === undefined && applies(defaults.responseStartTimeoutSeconds))
    spec.responseStartTimeoutSeconds = defaults.responseStartTimeoutSeconds;
}

function nameContainers(spec: Mutable<RevisionSpec>, { settings, parent }: DefaultingContext): void {
  const containers = spec.containers ?? [];
  const initContainers = spec.initContainers ?? [];
  const taken = new Set([...containers, ...initContainers].map((container) => container.name ?? ""));
  const values = {
    Name: parent.name,
    Namespace: parent.namespace,
    Labels: parent.labels,
    Annotations: parent.annotations,
  };
  nameAll(containers, settings.defaults.containerName(values), taken);
  nameAll(initContainers, settings.defaults.initContainerName(values), taken);
}

/** One unnamed container gets the name itself, several get it with -0, -1…, passing over names in use. */
function nameAll(containers: Mutable<Container>[], base: string, taken: ReadonlySet<string>): void {
  let next = 0;
  for (const container of containers) {
    if (container.name) continue;
    let name = base;
    if (containers.length > 1 || taken.has(base)) {
      do {
        name = childName(base, `-${next}`);
        next += 1;
      } while (taken.has(name));
    }
    container.name = name;
  }
}

function defaultResources(container: Mutable<Container>, { defaults }: ServingSettings): void {
  container.resources ??= {};
  const { resources } = container;
  if (Object.keys(defaults.requests).length > 0) resources.requests = { ...defaults.requests, ...resources.requests };
  if (Object.keys(defaults.limits).length > 0) resources.limits = { ...defaults.limits, ...resources.limits };
}

/** periodSeconds left at 0 means probing as fast as sensible until ready, so no thresholds then. */
function defaultProbes(container: Mutable<Container>, serving: boolean): void {
  if (serving) {
    const probe = (container.readinessProbe ??= {});
    if (!probe.tcpSocket && !probe.httpGet && !probe.exec && !probe.grpc) probe.tcpSocket = { port: 0 };
  }
  const readiness = container.readinessProbe;
  if (readiness) {
    readiness.successThreshold ||= 1;
    if (readiness.periodSeconds) {
      readiness.failureThreshold ||= 3;
      readiness.timeoutSeconds ||= 1;
    }
  }
  for (const probe of [readiness, container.livenessProbe, container.startupProbe])
    if (probe?.grpc) probe.grpc.service ??= "";
}

/** Flag secure-pod-defaults: the settings of the `restricted` pod security standard where nothing was said. */
function defaultSecurity(
  spec: Mutable<RevisionSpec>,
  container: Mutable<Container>,
  { features }: ServingSettings,
): void {
  const flag = features("secure-pod-defaults");
  if (flag !== "Enabled" && flag !== "AllowRootBounded") return;
  const security = (container.securityContext ??= {});
  security.allowPrivilegeEscalation ??= false;
  if (!spec.securityContext?.seccompProfile?.type) security.seccompProfile ??= { type: "RuntimeDefault" };
  if (!security.capabilities) {
    const lowPort = (container.ports ?? []).some((port) => port.containerPort < 1024);
    security.capabilities = { drop: ["ALL"], ...(lowPort ? { add: ["NET_BIND_SERVICE"] } : {}) };
  }
  if (flag === "Enabled" && spec.securityContext?.runAsNonRoot === undefined) security.runAsNonRoot ??= true;
}
