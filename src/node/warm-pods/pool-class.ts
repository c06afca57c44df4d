import { createHash } from "node:crypto";
import type { Container, Lifecycle, PodSpec, PodTemplateSpec } from "../../api/core/types.gen.ts";
import type { HostName } from "../../functions/hosts/protocol.ts";
import { servingPort } from "../pod/serving.ts";

/** Pods that are alike but for the function they will run. */
export interface PoolClass {
  /** Ten hexadecimal digits, of everything below: the same for all templates that are served by the same pods. */
  readonly key: string;
  readonly namespace: string;
  readonly host: HostName;
  readonly port: number;
  /** What a pod has beside its containers: service account, node selection, policies. */
  readonly spec: Omit<Partial<PodSpec>, "containers">;
  /** What its container has beside the function. */
  readonly container: Partial<Pick<Container, "resources" | "securityContext" | "lifecycle">>;
}

export interface Unfit {
  /** One line for the function's owner. */
  readonly unfit: string;
}

export interface Classified {
  readonly namespace: string;
  readonly template: PodTemplateSpec;
  readonly host: HostName;
}

/**
 * The class of warm pods that can run what a template asks for. A pod is what it was made as: whatever of a pod cannot
 * be changed later is part of its class, and what can only be there from the start (volumes, probes of the
 * function's own, other containers) makes a template unfit; such functions start as ordinary pods.
 */
export function classOf({ namespace, template, host }: Classified): PoolClass | Unfit {
  const { containers = [], ...spec } = template.spec ?? { containers: [] };
  const [container] = containers;
  const unfit = container ? (reasonOfPod(containers, spec) ?? reasonOfContainer(container)) : "it has no container";
  if (!container || unfit !== undefined) return { unfit: unfit ?? "" };
  const port = servingPort(container)?.containerPort;
  if (port === undefined) return { unfit: "its container declares no port" };
  const { resources, securityContext, lifecycle } = container;
  const parts = {
    namespace,
    host,
    port,
    spec: withoutEmpty(
      spec,
      new Set(["imagePullSecrets", "restartPolicy", "volumes", "initContainers", "schedulingGates"]),
    ),
    container: withoutEmpty(
      {
        ...(resources ? { resources } : {}),
        ...(securityContext ? { securityContext } : {}),
        ...(lifecycle ? { lifecycle } : {}),
      },
      new Set(),
    ),
  };
  return { key: digestOf(parts), ...parts };
}

function reasonOfPod(containers: readonly Container[], spec: Omit<Partial<PodSpec>, "containers">): string | undefined {
  if (containers.length > 1) return "it has several containers";
  if ((spec.initContainers?.length ?? 0) > 0) return "it has init containers";
  if ((spec.volumes?.length ?? 0) > 0) return "it has volumes";
  if (spec.hostNetwork === true) return "it uses the network of its node";
  if ((spec.topologySpreadConstraints?.length ?? 0) > 0) return "its pods are to be spread";
  if (spec.affinity?.podAffinity || spec.affinity?.podAntiAffinity) return "its place depends on other pods";
  return undefined;
}

function reasonOfContainer(container: Container): string | undefined {
  if ((container.command?.length ?? 0) > 0 || (container.args?.length ?? 0) > 0) return "it has a command of its own";
  if (container.workingDir) return "it has a working directory of its own";
  if ((container.volumeMounts?.length ?? 0) > 0) return "it mounts volumes";
  if (container.lifecycle && !isDrain(container.lifecycle)) return "it has hooks";
  if (container.livenessProbe || container.startupProbe) return "it has probes of its own";
  if (container.readinessProbe && !container.readinessProbe.tcpSocket) return "it has a readiness probe of its own";
  if (container.env?.some(({ valueFrom }) => valueFrom?.fieldRef ?? valueFrom?.resourceFieldRef))
    return "its environment tells of its pod";
  return undefined;
}

function withoutEmpty<T extends object>(fields: T, leftOut: ReadonlySet<string>): T {
  const kept = Object.entries(fields).filter(([name, value]) => {
    if (value === undefined || leftOut.has(name)) return false;
    return typeof value !== "object" || value === null || Object.keys(value as object).length > 0;
  });
  return Object.fromEntries(kept) as T;
}

/** Of the parts in one order, however the API server wrote them. */
function digestOf(parts: unknown): string {
  const sorted = (_name: string, value: unknown): unknown =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return createHash("sha256").update(JSON.stringify(parts, sorted)).digest("hex").slice(0, 10);
}

/** The pause before TERM that every pod of a Revision gets on a cluster: any pod can be made with it. */
function isDrain({ preStop, ...others }: Lifecycle): boolean {
  const { sleep, ...hooks } = preStop ?? {};
  return sleep !== undefined && Object.keys(hooks).length === 0 && Object.keys(others).length === 0;
}
