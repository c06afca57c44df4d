/** The Deployment that runs a Revision (pkg/reconciler/revision/resources/deploy.go). */
import type { Deployment } from "../../api/apps/types.gen.ts";
import { annotationOf, autoscalingKeys } from "../../api/autoscaling-internal/keys.ts";
import type { Container as CoreContainer, EnvVar, PodSpec, Probe, Toleration } from "../../api/core/types.gen.ts";
import { claimGate } from "../../api/ebb-keys.ts";
import { parseDuration } from "../../api/meta/duration.ts";
import type { Draft } from "../../api/meta/object.ts";
import { controllerReference } from "../../api/meta/owner.ts";
import { servingKeys as keys } from "../../api/serving/keys.ts";
import { RevisionKind } from "../../api/serving/kinds.ts";
import type { Container, Revision, RevisionSpec } from "../../api/serving/types.gen.ts";
import { childLabels, deploymentNameOf, selectorOf, workloadAnnotations } from "./revision-metadata.ts";

const defaultUserPort = 8080;
/** Name of the port that requests come in by, on every Revision's pods. */
export const userPortName = "user-port";

export interface DeploymentSettings {
  readonly initialScale: number;
  readonly progressDeadlineS: number;
  /** See ServingDeps.podDrainS. */
  readonly drainS: number;
  /** See ServingDeps.leaveNodeS. */
  readonly leaveNodeS?: number;
  /** Whether pods wait to be let go; see ServingDeps.mayBeClaimed. */
  readonly gated?: boolean;
}

/** The container that takes requests: the only one, or the one with a port. */
function servingContainerOf({ containers }: RevisionSpec): Container | undefined {
  return containers.length === 1 ? containers[0] : containers.find((one) => (one.ports ?? []).length > 0);
}

const userPortOf = (spec: RevisionSpec): number =>
  servingContainerOf(spec)?.ports?.[0]?.containerPort || defaultUserPort;

export const protocolOf = ({ spec }: Revision): "http1" | "h2c" =>
  servingContainerOf(spec)?.ports?.[0]?.name === "h2c" ? "h2c" : "http1";

export function makeDeployment(revision: Revision, settings: DeploymentSettings): Draft<Deployment> {
  const { metadata, spec } = revision;
  const labels = childLabels(revision);
  const serving = servingContainerOf(spec);
  return {
    metadata: {
      name: deploymentNameOf(revision),
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      labels,
      annotations: workloadAnnotations(revision),
      ownerReferences: [controllerReference(RevisionKind, revision)],
    },
    spec: {
      replicas: initialScaleOf(revision, settings),
      selector: { matchLabels: selectorOf(revision) },
      progressDeadlineSeconds: progressDeadlineOf(revision, settings),
      revisionHistoryLimit: 0,
      // No instance goes before its successor is there.
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0 } },
      template: {
        metadata: {
          name: "",
          labels,
          annotations: {
            ...workloadAnnotations(revision),
            ...(serving?.name ? { "kubectl.kubernetes.io/default-container": serving.name } : {}),
          },
        },
        spec: makePodSpec(revision, settings),
      },
    } as Deployment["spec"],
  };
}

function initialScaleOf({ metadata }: Revision, settings: DeploymentSettings): number {
  const annotation = annotationOf(metadata.annotations, autoscalingKeys.initialScale);
  return annotation === undefined ? settings.initialScale : Number(annotation.value);
}

function progressDeadlineOf({ metadata }: Revision, settings: DeploymentSettings): number {
  const ms = parseDuration(metadata.annotations?.[keys.progressDeadline] ?? "");
  return ms === undefined ? settings.progressDeadlineS : ms / 1000;
}

function makePodSpec(revision: Revision, { drainS, gated, leaveNodeS }: DeploymentSettings): PodSpec {
  const {
    containers,
    containerConcurrency: _concurrency,
    timeoutSeconds,
    responseStartTimeoutSeconds: _start,
    idleTimeoutSeconds: _idle,
    ...pod
  } = revision.spec;
  const serving = servingContainerOf(revision.spec);
  const digests = revision.status?.containerStatuses ?? [];
  const made = containers.map((container, index) => {
    const one = container === serving ? makeServingContainer(container, revision) : makeContainer(container, revision);
    const digest = digests[index]?.imageDigest;
    // All of them: the serving one may need the others to the end.
    const lifecycle = drainS > 0 ? { lifecycle: { preStop: { sleep: { seconds: drainS } } } } : {};
    return { ...one, ...lifecycle, ...(digest ? { image: digest } : {}) };
  });
  return {
    ...(pod as Partial<PodSpec>),
    ...(leaveNodeS === undefined ? {} : { tolerations: leavingLostNodes(pod, leaveNodeS) }),
    containers: made,
    ...(gated ? { schedulingGates: [{ name: claimGate }] } : {}),
    // A request may take this long, so its instance is given this long to end it.
    ...(timeoutSeconds === undefined ? {} : { terminationGracePeriodSeconds: timeoutSeconds + drainS }),
  } as PodSpec;
}

const nodeProblems = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

/** What the user says of a node's troubles holds; else an instance stays so many seconds. It keeps nothing there. */
function leavingLostNodes(
  { tolerations = [] }: Pick<Partial<PodSpec>, "tolerations">,
  tolerationSeconds: number,
): readonly Toleration[] {
  const said = (problem: string): boolean => tolerations.some(({ key }) => !key || key === problem);
  const added = nodeProblems
    .filter((key) => !said(key))
    .map((key) => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds }));
  return [...tolerations, ...added];
}

function makeServingContainer(container: Container, revision: Revision): CoreContainer {
  const port = userPortOf(revision.spec);
  const { livenessProbe, readinessProbe, startupProbe } = container;
  return {
    ...makeContainer(container, revision, [{ name: "PORT", value: String(port) }]),
    ports: [{ name: userPortName, containerPort: port, protocol: "TCP" }],
    ...(livenessProbe ? { livenessProbe: onPort(livenessProbe, port) } : {}),
    ...(readinessProbe ? { readinessProbe: onPort(withPeriod(readinessProbe), port) } : {}),
    ...(startupProbe ? { startupProbe: onPort(startupProbe, port) } : {}),
  };
}

function makeContainer(container: Container, revision: Revision, portEnv: readonly EnvVar[] = []): CoreContainer {
  return {
    ...(container as CoreContainer),
    env: [...(container.env ?? []), ...portEnv, ...knativeEnv(revision)],
    terminationMessagePolicy: container.terminationMessagePolicy || "FallbackToLogsOnError",
  };
}

function knativeEnv({ metadata }: Revision): readonly EnvVar[] {
  const labels = metadata.labels ?? {};
  return [
    { name: "K_REVISION", value: metadata.name },
    { name: "K_CONFIGURATION", value: labels[keys.configuration] ?? "" },
    { name: "K_SERVICE", value: labels[keys.service] ?? "" },
  ];
}

/** Probes that name no port, or the port by its content name, mean the serving port. */
function onPort(probe: Probe, port: number): Probe {
  const number = (value: number | string | undefined): number =>
    typeof value === "number" && value > 0 ? value : port;
  return {
    ...probe,
    ...(probe.httpGet ? { httpGet: { ...probe.httpGet, port: number(probe.httpGet.port) } } : {}),
    ...(probe.tcpSocket ? { tcpSocket: { ...probe.tcpSocket, port: number(probe.tcpSocket.port) } } : {}),
    ...(probe.grpc ? { grpc: { ...probe.grpc, port: number(probe.grpc.port) } } : {}),
  };
}

/** "As fast as sensible" (periodSeconds 0) in the pod's terms: every second, the shortest period Kubernetes knows. */
const withPeriod = (probe: Probe): Probe => (probe.periodSeconds ? probe : { ...probe, periodSeconds: 1 });
