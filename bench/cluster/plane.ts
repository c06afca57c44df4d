/** What the benchmarks of a cluster share: its API, Services that come and go, the way to the router. */
import { request } from "node:http";
import { KnativeServiceKind } from "../../src/api/serving/kinds.ts";
import type { Service } from "../../src/api/serving/types.gen.ts";
import { ConfigMapKind, NamespaceKind, PodKind, ServiceKind } from "../../src/api/core/kinds.ts";
import type { Pod } from "../../src/api/core/types.gen.ts";
import { isNotFound } from "../../src/api/meta/errors.ts";
import { conditionOf } from "../../src/api/serving/conditions.ts";
import { servingKeys, servingNamespace } from "../../src/api/serving/keys.ts";
import { createHttpClient, type HttpClient } from "../../src/client/http-client.ts";
import { loadKubeconfig } from "../../src/client/kubeconfig.ts";

export interface Plane {
  readonly client: HttpClient;
  readonly namespace: string;
  /** Image of bench/cluster/hello, by digest. */
  readonly image: string;
}

export interface ServiceFacts {
  readonly name: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export async function connect(): Promise<HttpClient> {
  const files = (process.env["KUBECONFIG"] ?? "").split(":").filter((file) => file !== "");
  if (files.length === 0) throw new Error("KUBECONFIG is to name the cluster to measure");
  return createHttpClient(await loadKubeconfig(files, undefined, process.env), { userAgent: "ebb-bench" });
}

/** Runs with a namespace of its own, and with initial scale 0 allowed; leaves nothing behind. */
export async function withPlane<T>(client: HttpClient, image: string, run: (plane: Plane) => Promise<T>): Promise<T> {
  const namespace = `ebb-bench-${Math.random().toString(36).slice(2, 8)}`;
  const key = { namespace: servingNamespace, name: "config-autoscaler" };
  const before = (await client.get(ConfigMapKind, key)).data?.["allow-zero-initial-scale"] ?? null;
  const allow = (value: string | null): Promise<unknown> =>
    client.patch(ConfigMapKind, key, { type: "merge", body: { data: { "allow-zero-initial-scale": value } } });
  await client.create(NamespaceKind, { metadata: { name: namespace } });
  await allow("true");
  // Every replica hears of the setting before it judges the first Service.
  await pause(1000);
  try {
    return await run({ client, namespace, image });
  } finally {
    await allow(before);
    await client.delete(NamespaceKind, { name: namespace });
    await untilGone(client, namespace);
  }
}

async function untilGone(client: HttpClient, name: string): Promise<void> {
  for (let tries = 0; tries < 60; tries++) {
    try {
      await client.get(NamespaceKind, { name });
    } catch (error) {
      if (isNotFound(error)) return;
      throw error;
    }
    await pause(1000);
  }
}

export async function createService(plane: Plane, { name, annotations = {} }: ServiceFacts): Promise<void> {
  const { client, namespace, image } = plane;
  await client.create(KnativeServiceKind, {
    metadata: { name, namespace },
    spec: { template: { metadata: { name: "", annotations }, spec: { containers: [{ image }] } } },
  } as unknown as Service);
}

export const asleep = { "autoscaling.knative.dev/initial-scale": "0" };

/**
 * Resolves with the hosts of so many Services, by name, when all are ready; throws with what one of the others waits for.
 * By one watch: lists of a thousand Services, again and again, would be work of the API server that nobody else makes.
 */
export async function untilReady(plane: Plane, count: number, withinMs: number): Promise<ReadonlyMap<string, string>> {
  const hosts = new Map<string, string>();
  const late = AbortSignal.timeout(withinMs);
  const done = new AbortController();
  let waiting: Service | undefined;
  const signal = AbortSignal.any([late, done.signal]);
  while (!signal.aborted) {
    for await (const event of plane.client.watch(KnativeServiceKind, { namespace: plane.namespace, signal })) {
      if (event.type !== "ADDED" && event.type !== "MODIFIED") continue;
      const { metadata, status } = event.object;
      if (conditionOf(event.object, "Ready")?.status === "True")
        hosts.set(metadata.name, new URL(status?.url ?? "").host);
      else waiting = event.object;
      if (hosts.size >= count) done.abort();
    }
  }
  if (hosts.size >= count) return hosts;
  const why = `${waiting?.metadata.name}: ${JSON.stringify(waiting?.status?.conditions)}`;
  throw new Error(`${count - hosts.size} of ${count} Services are not ready after ${withinMs} ms, such as ${why}`);
}

/** `host:port` of the router for a Service's host: names of the cluster are answered inside only. */
export async function routerFor(client: HttpClient, host: string): Promise<string> {
  const name = host.endsWith(".svc.cluster.local") ? "ebb-router-internal" : "ebb-router";
  const { spec } = await client.get(ServiceKind, { namespace: "ebb-system", name });
  return `${spec?.clusterIP}:80`;
}

export interface Called {
  /** Milliseconds since 1970, when the request was sent and when its answer had ended. */
  readonly sentMs: number;
  readonly endedMs: number;
  /** The same of the beginning of the process that answered. */
  readonly beganMs: number;
}

const nowMs = (): number => performance.timeOrigin + performance.now();

/** One request on a connection of its own. Throws on any answer but 200. */
export function call(router: string, host: string): Promise<Called> {
  const sentMs = nowMs();
  return new Promise((resolve, reject) => {
    const asked = request(`http://${router}/`, { headers: { host }, agent: false }, (answer) => {
      const beganMs = Number(answer.headers["x-began-us"]) / 1000;
      answer.resume().on("end", () => {
        if (answer.statusCode === 200) resolve({ sentMs, endedMs: nowMs(), beganMs });
        else reject(new Error(`${host} answered ${answer.statusCode}`));
      });
    });
    asked.on("error", reject).end();
  });
}

export const podsOf = async ({ client, namespace }: Plane, service: string): Promise<readonly Pod[]> =>
  (await client.list(PodKind, { namespace, labelSelector: `${servingKeys.service}=${service}` })).items;

/** When each pod of the namespace was first heard of, until the signal: milliseconds since 1970 by name of its Service. */
export function watchBirths({ client, namespace }: Plane, signal: AbortSignal): ReadonlyMap<string, number> {
  const births = new Map<string, number>();
  void (async () => {
    for await (const event of client.watch(PodKind, { namespace, signal })) {
      if (event.type !== "ADDED") continue;
      const service = event.object.metadata.labels?.[servingKeys.service];
      if (service !== undefined && !births.has(service)) births.set(service, nowMs());
    }
  })().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  return births;
}

/** Resident memory in MB, by component, of all pods of ebb. */
export async function memoryOf(client: HttpClient): Promise<Readonly<Record<"controller" | "router", number>>> {
  const sums = { controller: 0, router: 0 };
  const { items } = await client.list(PodKind, { namespace: "ebb-system" });
  for (const { metadata, status } of items) {
    const component = metadata.labels?.["app.kubernetes.io/component"];
    if ((component !== "controller" && component !== "router") || status?.podIP === undefined) continue;
    const text = await (await fetch(`http://${status.podIP}:9090/metrics`)).text();
    sums[component] += Number(/^process_resident_memory_bytes (\d+)/m.exec(text)?.[1]) / 1e6;
  }
  return sums;
}
