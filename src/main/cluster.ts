/**
 * What ebb's parts on a real cluster share: the connection to its API server, informers, who this process is, and the
 * listener that tells the kubelet and Prometheus how it fares.
 */
import { hostname } from "node:os";
import { ServiceKind, PodKind, ConfigMapKind } from "../api/core/kinds.ts";
import { DeploymentKind, ReplicaSetKind } from "../api/apps/kinds.ts";
import { groupResourceKey, type Kind } from "../api/meta/kind.ts";
import { certificateAccessName } from "../api/ebb-keys.ts";
import { RoleBindingKind, RoleKind } from "../api/rbac/kinds.ts";
import { servingKeys, servingNamespace } from "../api/serving/keys.ts";
import { systemClock, type Clock } from "../client/clock.ts";
import { createInformers, type OpenInformers } from "../client/create-informers.ts";
import { createHttpClient, type HttpClient } from "../client/http-client.ts";
import { inClusterConfig, loadKubeconfig, type ConnectionConfig } from "../client/kubeconfig.ts";
import type { RateLimit } from "../client/rate-limit.ts";
import type { WatchScope } from "../client/reflector.ts";
import type { Logger } from "../telemetry/logger.ts";
import { startHealthListener, type HealthListener, type HealthPart } from "./health-listener.ts";
import { trimmed, trimPod } from "./trim-objects.ts";

export interface ClusterOptions {
  /** `controller` or `router`: names it to the API server. */
  readonly component: string;
  readonly version: string;
  /** Files and context of a kubeconfig; in a pod, its own service account serves. */
  readonly kubeconfig?: readonly string[];
  readonly context?: string;
  /** Namespace of ebb itself. */
  readonly namespace: string;
  /** Address and port of /healthz, /readyz and /metrics; port 0 takes any. */
  readonly health: { readonly host: string; readonly port: number };
  /** What is asked of the API server in a second, watches and leases not counted. */
  readonly limit: RateLimit;
  /** POD_NAME, POD_IP and where to find the API server from a pod. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Parts of kinds to keep, before {@link standardScope} is asked. */
  readonly scopeOf?: (kind: Kind) => WatchScope | undefined;
}

export interface Cluster {
  readonly client: HttpClient;
  /** For leases: nothing else waits in its line. */
  readonly leases: HttpClient;
  /**
   * Another client of the same server with a line of its own, for what must not wait behind other requests; ends with
   * the cluster. Without a limit it asks as much as it likes.
   */
  readonly connect: (name: string, limit?: RateLimit) => HttpClient;
  readonly informers: OpenInformers;
  readonly clock: Clock;
  readonly log: Logger;
  readonly namespace: string;
  readonly identity: Identity;
  readonly health: HealthListener;
}

export interface Identity {
  readonly podName: string;
  readonly podIp: string;
  /** `podname_podip`: what leases are held by. */
  readonly holder: string;
}

/**
 * Connects; what it opens is pushed to `closers`. Nothing is asked of the API server but what informers are asked for.
 * Throws KubeconfigError where there is no way to a cluster.
 */
export async function openCluster(
  options: ClusterOptions,
  parts: readonly HealthPart[],
  { log, closers }: { readonly log: Logger; readonly closers: AsyncDisposableStack },
): Promise<Cluster> {
  const config = await connectionOf(options);
  const userAgent = `ebb-${options.component}/${options.version}`;
  const connect = (name: string, limit?: RateLimit): HttpClient => {
    const made = createHttpClient(config, { userAgent: `${userAgent}${name}`, ...(limit ? { limit } : {}) });
    closers.defer(() => made.close());
    return made;
  };
  const client = connect("", options.limit);
  const scopeOf = (kind: Kind): WatchScope | undefined => options.scopeOf?.(kind) ?? standardScope(kind);
  const informers = createInformers(client, { log, clock: systemClock, scopeOf });
  closers.defer(() => informers.close());
  const health = await startHealthListener(options.health, parts);
  closers.defer(() => health.close());
  const { namespace } = options;
  const leases = connect(" leader-election");
  return {
    client,
    leases,
    connect,
    informers,
    clock: systemClock,
    log,
    namespace,
    identity: identityOf(options.env),
    health,
  };
}

function connectionOf({ kubeconfig, context, env }: ClusterOptions): Promise<ConnectionConfig> {
  const inPod = env["KUBERNETES_SERVICE_HOST"] !== undefined;
  if (kubeconfig === undefined && inPod) return inClusterConfig(env);
  const files = kubeconfig ?? (env["KUBECONFIG"] ?? "").split(":").filter((file) => file !== "");
  return files.length === 0 ? inClusterConfig(env) : loadKubeconfig(files, context, env);
}

function identityOf(env: ClusterOptions["env"]): Identity {
  const podName = env["POD_NAME"] ?? hostname();
  const podIp = env["POD_IP"] ?? "127.0.0.1";
  return { podName, podIp, holder: `${podName}_${podIp}` };
}

/**
 * What of a cluster that also runs other things is ebb's business: pods, Deployments and ReplicaSets of Revisions, the config maps
 * that configure Serving. Everything is kept without managed fields, which only the API server reads, and which it
 * keeps when an update comes without them.
 */
export function standardScope(kind: Kind): WatchScope {
  return scopes.get(groupResourceKey(kind)) ?? { trim: trimmed };
}

const ofRevisions = { labelSelector: servingKeys.revision };

/** The roles of others are none of ebb's business: its own permission is for this name. */
const ofCertificates = { fieldSelector: `metadata.name=${certificateAccessName}`, trim: trimmed };

const scopes: ReadonlyMap<string, WatchScope> = new Map<string, WatchScope>([
  [groupResourceKey(PodKind), { ...ofRevisions, trim: trimPod }],
  [groupResourceKey(DeploymentKind), { ...ofRevisions, trim: trimmed }],
  [groupResourceKey(ReplicaSetKind), { ...ofRevisions, trim: trimmed }],
  [groupResourceKey(ConfigMapKind), { namespace: servingNamespace, trim: trimmed }],
  [groupResourceKey(ServiceKind), { trim: trimmed }],
  ...[RoleKind, RoleBindingKind].map((kind) => [groupResourceKey(kind), ofCertificates] as const),
]);
