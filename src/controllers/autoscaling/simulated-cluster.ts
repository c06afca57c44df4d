/**
 * For tests: a cluster in memory, on a clock that tests move. Deployments get pods that become ready after a while, and
 * a router reports whatever load it is told of. The autoscaler under test runs in it as it runs anywhere.
 */
import { DeploymentKind } from "../../api/apps/kinds.ts";
import type { Deployment } from "../../api/apps/types.gen.ts";
import { PodAutoscalerKind } from "../../api/autoscaling-internal/kinds.ts";
import type { PodAutoscaler } from "../../api/autoscaling-internal/types.gen.ts";
import { ConfigMapKind, PodKind } from "../../api/core/kinds.ts";
import type { ConfigMap, Pod } from "../../api/core/types.gen.ts";
import { conflict, notFound } from "../../api/meta/errors.ts";
import { apiVersionOf, groupResourceKey, type Kind } from "../../api/meta/kind.ts";
import { keyOf, type KubeObject, type ObjectKey } from "../../api/meta/object.ts";
import type { Patch, PatchOptions, UpdateOptions } from "../../api/meta/requests.ts";
import { formatTime } from "../../api/meta/time.ts";
import { servingKeys, servingNamespace } from "../../api/serving/keys.ts";
import type { Client } from "../../client/client.ts";
import { createController, type Controller } from "../../client/create-controller.ts";
import type { Informers } from "../../client/informer.ts";
import { ManualClock } from "../../client/manual-clock.ts";
import { ObjectCache } from "../../client/object-cache.ts";
import type { LoadSample } from "../../scaling/load.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { StartAhead } from "./launcher.ts";
import { LostInstances } from "./lost-instances.ts";
import { createAutoscaling } from "./pod-autoscaler.ts";

type Tree = Readonly<Record<string, unknown>>;

export interface Load {
  readonly concurrency?: number;
  readonly requestsPerSecond?: number;
  readonly queued?: number;
}

export interface RevisionFacts {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly containerConcurrency?: number;
  readonly replicas?: number;
  readonly reachability?: "Reachable" | "Unreachable";
}

const namespace = "default";
const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => silent,
  enabled: () => false,
};

export class SimulatedCluster {
  readonly clock = new ManualClock(Date.UTC(2026, 0, 1));
  readonly started: StartAhead[] = [];
  /** Whether the node starts what it is asked for ahead of pods. */
  startsAhead = true;
  /** Whether what the launcher starts needs the whole machine. */
  busy = false;
  /** Whether all routers report here. */
  seesAll = true;
  /** The router has taken all instances out, which their pods do not show. */
  drained = false;
  /** Writes the autoscaler made: `patch deployments/scale hello-deployment`. */
  readonly writes: string[] = [];
  readonly warnings: string[] = [];
  /** What routers cannot reach. */
  readonly lost = new LostInstances();
  /** How long a pod takes to become ready; Infinity for one that never does. */
  startMs = 500;
  /** How long after a write its watchers hear of a Deployment. */
  deploymentLagMs = 0;
  readonly #caches = new Map<string, ObjectCache<KubeObject>>();
  readonly #loads = new Map<string, Load>();
  readonly #stop = new AbortController();
  #autoscaling = createAutoscaling(this.#deps());
  #controllers: Controller[] = [];
  #version = 0;
  #pods = 0;

  constructor() {
    this.cache(DeploymentKind).onChange(({ object }) => this.#replicate(object));
    this.start();
    this.#report();
  }

  /** Begins a new autoscaler with no memory, as after a restart of the process. */
  start(): void {
    this.#autoscaling = createAutoscaling(this.#deps());
    const { clock } = this;
    this.#controllers = this.#autoscaling.controllers.map((spec) =>
      createController(spec, { informers: this.#informers, log: silent, clock }),
    );
    for (const controller of this.#controllers) controller.start(this.#stop.signal);
  }

  async stopAutoscaler(): Promise<void> {
    await Promise.all(this.#controllers.map((controller) => controller.close()));
  }

  async close(): Promise<void> {
    await this.stopAutoscaler();
    this.#stop.abort(new Error("the test is over"));
  }

  get autoscaler(): ReturnType<typeof createAutoscaling>["autoscaler"] {
    return this.#autoscaling.autoscaler;
  }

  cache<T extends KubeObject>(kind: Kind<T>): ObjectCache<T> {
    const key = groupResourceKey(kind);
    let cache = this.#caches.get(key);
    if (!cache) {
      cache = new ObjectCache<KubeObject>((error) => {
        throw error;
      });
      cache.synced = true;
      this.#caches.set(key, cache);
    }
    return cache as unknown as ObjectCache<T>;
  }

  /** A Deployment and its PodAutoscaler, as the Revision controller makes them. */
  addRevision(name: string, { annotations = {}, replicas = 1, ...spec }: RevisionFacts = {}): void {
    const labels = { [servingKeys.revision]: name };
    const template = { metadata: { name: "", labels }, spec: { containers: [] } };
    this.put<Deployment>(DeploymentKind, {
      metadata: { name: `${name}-deployment`, namespace, labels },
      spec: { replicas, selector: { matchLabels: labels }, template },
    });
    this.put<PodAutoscaler>(PodAutoscalerKind, {
      metadata: { name, namespace, annotations },
      spec: {
        protocolType: "http1",
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: `${name}-deployment` },
        ...spec,
      },
    });
  }

  setConfig(name: string, data: Readonly<Record<string, string>>): void {
    this.put<ConfigMap>(ConfigMapKind, { metadata: { name, namespace: servingNamespace }, data });
  }

  setLoad(revision: string, load: Load): void {
    this.#loads.set(`${namespace}/${revision}`, load);
  }

  /** A request that finds no instance: the router's edge, told of as one request in flight for a second. */
  request(revision: string, waiting = 1): void {
    const first = { averageConcurrency: 1, requestCount: 1, periodS: 1, queued: waiting, readyInstances: 0 };
    if (waiting === 1)
      this.autoscaler.samples([{ revision: `${namespace}/${revision}`, ...first }], this.clock.steadyMs());
    this.autoscaler.demand(`${namespace}/${revision}`, waiting, this.clock.steadyMs(), this.inRouter(revision));
  }

  /** Instances the router would send requests to: unlike the pods, it knows at once that they are to go. */
  inRouter(revision: string): number {
    if (this.drained || this.replicas(revision) === 0) return 0;
    return this.autoscaler.podsOf(`${namespace}/${revision}`).ready;
  }

  podAutoscaler(name: string): PodAutoscaler {
    return this.#get(PodAutoscalerKind, { namespace, name });
  }

  replicas(name: string): number | undefined {
    return this.#get(DeploymentKind, { namespace, name: `${name}-deployment` }).spec.replicas;
  }

  /** `Unknown/Queued`, `True`: a condition's status and reason. */
  condition(name: string, type: string): string | undefined {
    const found = this.podAutoscaler(name).status?.conditions?.find((condition) => condition.type === type);
    return found && (found.reason ? `${found.status}/${found.reason}` : found.status);
  }

  /** Creates or replaces an object as somebody other than the autoscaler. */
  put<T extends KubeObject>(kind: Kind<T>, object: Omit<T, "apiVersion" | "kind">): T {
    const old = this.cache(kind).get(keyOf(object.metadata));
    const metadata = {
      uid: `uid-${++this.#version}`,
      generation: (old?.metadata.generation ?? 0) + 1,
      creationTimestamp: formatTime(this.clock.now()),
      ...(old ? { uid: old.metadata.uid } : {}),
      ...object.metadata,
      resourceVersion: String(++this.#version),
    };
    const stored = { apiVersion: apiVersionOf(kind), kind: kind.kind, ...object, metadata } as unknown as T;
    this.cache(kind).put(stored);
    return stored;
  }

  #deps(): Parameters<typeof createAutoscaling>[0] {
    const log: Logger = { ...silent, warn: (message) => this.warnings.push(message), with: () => log };
    const launcher = {
      startAhead: (request: StartAhead) => {
        this.started.push(request);
        return this.startsAhead;
      },
      isBusy: () => this.busy,
    };
    const seesAll = (): boolean => this.seesAll;
    const { clock, lost } = this;
    return { client: this.#client, informers: this.#informers, clock, log, launcher, seesAll, lost };
  }

  get #informers(): Informers {
    return { of: (kind) => this.cache(kind), synced: () => Promise.resolve() };
  }

  get #client(): Client {
    const refuse = (): never => {
      throw new Error("the autoscaler is not expected to do this");
    };
    return {
      get: async (kind, key) => this.#get(kind, key),
      list: refuse,
      watch: refuse,
      delete: refuse,
      create: async (kind, object) => {
        this.writes.push(`create ${kind.plural} ${object.metadata.name}`);
        return this.put(kind, object as never);
      },
      update: async (kind, object, options) => this.#update(kind, object, options),
      patch: async (kind, key, patch, options) => this.#patch(kind, { key, patch, options }),
    };
  }

  #get<T extends KubeObject>(kind: Kind<T>, key: ObjectKey): T {
    const found = this.cache(kind).get(keyOf(key));
    if (!found) throw notFound(kind, key.name);
    return found;
  }

  #update<T extends KubeObject>(kind: Kind<T>, object: T, { subresource }: UpdateOptions = {}): T {
    const stored = this.#get(kind, object.metadata);
    if (stored.metadata.resourceVersion !== object.metadata.resourceVersion) throw conflict(kind, object.metadata.name);
    this.writes.push(`update ${kind.plural}${subresource ? `/${subresource}` : ""} ${object.metadata.name}`);
    const changed = subresource === "status" ? { ...stored, status: (object as Tree & T).status } : object;
    return this.#keep(kind, changed as T, subresource !== "status");
  }

  #patch<T extends KubeObject>(
    kind: Kind<T>,
    call: { readonly key: ObjectKey; readonly patch: Patch; readonly options: PatchOptions | undefined },
  ): T {
    const { key, patch, options } = call;
    const stored = this.#get(kind, key);
    if (patch.type !== "merge") throw new Error(`the simulated cluster knows merge patches only, not ${patch.type}`);
    const suffix = options?.subresource ? `/${options.subresource}` : "";
    this.writes.push(`patch ${kind.plural}${suffix} ${key.name}`);
    return this.#keep(
      kind,
      merged(stored as unknown as Tree, patch.body) as unknown as T,
      patch.body.spec !== undefined,
    );
  }

  #keep<T extends KubeObject>(kind: Kind<T>, object: T, isSpecChange: boolean): T {
    const generation = (object.metadata.generation ?? 0) + (isSpecChange ? 1 : 0);
    const kept = { ...object, metadata: { ...object.metadata, generation, resourceVersion: String(++this.#version) } };
    const lagMs = (kind as unknown) === DeploymentKind ? this.deploymentLagMs : 0;
    if (lagMs > 0) this.clock.after(lagMs, () => this.cache(kind).put(kept));
    else this.cache(kind).put(kept);
    return kept;
  }

  /** Deployment, ReplicaSet, scheduler and node in a few lines: pods come, become ready, and go. */
  #replicate({ metadata, spec }: Deployment): void {
    const revision = metadata.labels?.[servingKeys.revision] ?? "";
    const mine = this.cache(PodKind)
      .list(namespace)
      .filter((pod) => pod.metadata.labels?.[servingKeys.revision] === revision);
    const wanted = spec.replicas ?? 1;
    for (const pod of mine.slice(wanted)) this.cache(PodKind).remove(pod);
    for (let i = mine.length; i < wanted; i++) this.#startPod(revision);
  }

  #startPod(revision: string): void {
    const name = `${revision}-${++this.#pods}`;
    const labels = { [servingKeys.revision]: revision };
    const spec = { containers: [] };
    const pod = this.put<Pod>(PodKind, {
      metadata: { name, namespace, labels, uid: name },
      spec,
      status: { phase: "Pending" },
    });
    if (!Number.isFinite(this.startMs)) return;
    this.clock.after(this.startMs, () => {
      if (!this.cache(PodKind).get(keyOf(pod.metadata))) return;
      const conditions = [{ type: "Ready", status: "True" }];
      this.put<Pod>(PodKind, { ...pod, status: { phase: "Running", conditions } });
    });
  }

  /** The router's clock: every revision with load, or one that is still asked for, once a second. */
  #report(): void {
    this.clock.after(1000, () => {
      const samples: LoadSample[] = [];
      for (const [revision, load] of this.#loads) {
        const { concurrency = 0, requestsPerSecond = 0, queued = 0 } = load;
        if (concurrency === 0 && requestsPerSecond === 0 && !this.autoscaler.wantsSamples(revision)) continue;
        samples.push({
          revision,
          averageConcurrency: concurrency,
          requestCount: requestsPerSecond,
          periodS: 1,
          queued,
          readyInstances: this.autoscaler.podsOf(revision).ready,
        });
      }
      if (this.seesAll) this.autoscaler.samples(samples, this.clock.steadyMs());
      if (!this.#stop.signal.aborted) this.#report();
    });
  }
}

function merged(target: Tree, patch: Tree): Tree {
  const result: Record<string, unknown> = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    const old = result[key];
    const nested = typeof value === "object" && value !== null && !Array.isArray(value);
    result[key] = nested ? merged(typeof old === "object" && old !== null ? (old as Tree) : {}, value as Tree) : value;
  }
  return result;
}
