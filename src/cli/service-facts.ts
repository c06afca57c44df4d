import { text } from "node:stream/consumers";
import { PodAutoscalerKind } from "../api/autoscaling-internal/kinds.ts";
import { PodKind } from "../api/core/kinds.ts";
import { summarizePod } from "../api/core/pod-summary.ts";
import type { Pod } from "../api/core/types.gen.ts";
import { RevisionKind } from "../api/serving/kinds.ts";
import type { Condition, Revision, Service } from "../api/serving/types.gen.ts";
import type { PingSource } from "../api/sources/types.gen.ts";
import type { HttpClient } from "../client/http-client.ts";
import { explainDecision } from "../scaling/explain.ts";
import { schedulesOf } from "./function-schedule.ts";
import { lastDecisionAnnotation, parseRecordedDecision } from "../scaling/recorded-decision.ts";

export interface RevisionFacts {
  readonly name: string;
  readonly generation: number;
  /** Of the traffic that is not asked for by tag. */
  readonly percent: number;
  readonly tags: readonly string[];
  readonly ready: Condition["status"];
  /** What its Ready condition says where it is not True. */
  readonly message?: string;
  readonly createdAt: string;
  readonly instances: readonly InstanceFacts[];
  /** The autoscaler's last word, one sentence per line. */
  readonly decision: readonly string[];
}

export interface InstanceFacts {
  readonly name: string;
  /** As `kubectl get pods` says it. */
  readonly status: string;
  readonly restarts: number;
  readonly createdAt: string;
}

export interface ScheduleFacts {
  readonly cron: string;
  readonly timezone?: string;
  readonly lastAt?: string;
  readonly nextAt?: string;
}

/** All that `ebb describe` tells of a service, newest revision first. */
export interface ServiceFacts {
  readonly name: string;
  readonly namespace: string;
  readonly url?: string;
  readonly image: string;
  readonly env: readonly string[];
  readonly conditions: readonly Condition[];
  readonly revisions: readonly RevisionFacts[];
  readonly schedule?: ScheduleFacts;
  /** The last lines of the newest revision, when it is not ready. */
  readonly log: readonly string[];
}

/** Asks the API for everything a person wants to know of a service. */
export async function readServiceFacts(client: HttpClient, service: Service): Promise<ServiceFacts> {
  const { name, namespace = "default" } = service.metadata;
  const mine = { namespace, labelSelector: `serving.knative.dev/service=${name}` };
  const [revisions, pods, scalers, schedules] = await Promise.all([
    client.list(RevisionKind, mine),
    client.list(PodKind, mine),
    client.list(PodAutoscalerKind, mine),
    schedulesOf(client, { namespace, name }),
  ]);
  const decisions = new Map(
    scalers.items.map((pa) => [pa.metadata.name, pa.metadata.annotations?.[lastDecisionAnnotation]] as const),
  );
  const container = service.spec.template.spec.containers[0];
  const all = revisions.items
    .map((r) => revisionFacts(r, service, pods.items, decisions.get(r.metadata.name)))
    .toSorted((a, b) => b.generation - a.generation);
  const [schedule] = schedules;
  const failing = all[0] && all[0].ready !== "True" ? all[0] : undefined;
  const pod = pods.items.find((p) => p.metadata.labels?.["serving.knative.dev/revision"] === failing?.name);
  return {
    name,
    namespace,
    ...(service.status?.url === undefined ? {} : { url: service.status.url }),
    image: container?.image ?? "",
    env: (container?.env ?? []).map((e) => e.name),
    conditions: service.status?.conditions ?? [],
    revisions: all,
    ...(schedule ? { schedule: scheduleFacts(schedule) } : {}),
    log: failing && pod ? await lastLines(client, pod) : [],
  };
}

function scheduleFacts({ spec, status }: PingSource): ScheduleFacts {
  const [lastAt, nextAt] = ["last-run", "next-run"].map((run) => status?.annotations?.[`events.ebb.dev/${run}`]);
  return {
    cron: spec.schedule ?? "",
    ...(spec.timezone ? { timezone: spec.timezone } : {}),
    ...(lastAt === undefined ? {} : { lastAt }),
    ...(nextAt === undefined ? {} : { nextAt }),
  };
}

function revisionFacts(
  { metadata, status }: Revision,
  service: Service,
  pods: readonly Pod[],
  decision: string | undefined,
): RevisionFacts {
  const traffic = (service.status?.traffic ?? []).filter((t) => t.revisionName === metadata.name);
  const ready = status?.conditions?.find((c) => c.type === "Ready");
  const recorded = parseRecordedDecision(decision);
  const message = ready?.status === "True" ? undefined : (ready?.message ?? ready?.reason);
  return {
    name: metadata.name,
    generation: Number(metadata.labels?.["serving.knative.dev/configurationGeneration"] ?? 0),
    percent: traffic.reduce((sum, t) => sum + (t.percent ?? 0), 0),
    tags: traffic.flatMap((t) => t.tag ?? []),
    ready: ready?.status ?? "Unknown",
    ...(message === undefined ? {} : { message }),
    createdAt: metadata.creationTimestamp ?? "",
    instances: pods
      .filter((pod) => pod.metadata.labels?.["serving.knative.dev/revision"] === metadata.name)
      .map((pod) => {
        const { status, restarts } = summarizePod(pod);
        return { name: pod.metadata.name, status, restarts, createdAt: pod.metadata.creationTimestamp ?? "" };
      }),
    decision: recorded ? explainDecision(recorded) : [],
  };
}

async function lastLines(client: HttpClient, { metadata, spec }: Pod): Promise<readonly string[]> {
  const container = encodeURIComponent(spec.containers[0]?.name ?? "");
  const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/log?container=${container}&tailLines=12`;
  try {
    const answer = await client.raw(path, { accept: "*/*", signal: AbortSignal.timeout(3000) });
    return (await text(answer.body)).trimEnd().split("\n");
  } catch {
    // A pod that never started has no log; the rest is worth telling without it.
    return [];
  }
}
