import { PodKind } from "../../api/core/kinds.ts";
import type { Namespace, Pod } from "../../api/core/types.gen.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import { keyOf } from "../../api/meta/object.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../client/clock.ts";
import type { Informer, Informers } from "../../client/informer.ts";
import { noHistory, noteClaim, wantedIdle, type PoolHistory, type PoolLimits } from "../../functions/pool/pool-size.ts";
import type { HostName } from "../../functions/hosts/protocol.ts";
import type { Believe, RemoteHost, RemotePlace } from "../../functions/pool/remote-host.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { makeWarmPod, versionOf, type HostImageSettings } from "./make-warm-pod.ts";
import type { KnownHosts } from "./known-hosts.ts";
import type { Shortage } from "./find-shortage.ts";
import { warmAnnotations, warmLabels } from "./names.ts";
import type { PoolClass } from "./pool-class.ts";
import { restingSize, type RestingLimits } from "./resting-size.ts";
import { startTrouble } from "./start-trouble.ts";

export interface WaitingPodsDeps {
  readonly client: Pick<Client, "create" | "delete">;
  /** Of pods with the label of a pool. */
  readonly informers: Pick<Informers, "of">;
  readonly namespaces: Pick<Informer<Namespace>, "get">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly connect: (place: RemotePlace, believe: Believe) => Promise<RemoteHost>;
  readonly known: Pick<KnownHosts, "believe" | "forget" | "keep">;
  readonly newName: (pool: PoolClass) => string;
  /** Whether requests wait for what nodes are starting: filling pools would be in their way. */
  readonly isBusy: () => boolean;
  /** A pool's state in one line, when it changes: undefined when all is well. */
  readonly onTrouble: (pool: PoolClass, trouble: Trouble | undefined) => void;
}

/** Why functions of a class start as ordinary pods. */
export interface Trouble {
  readonly reason: "WarmPodsRefused" | "WarmPodsNotStarting" | "WarmPodsGaveWay";
  readonly message: string;
}

export interface WaitingPodsOptions extends RestingLimits, Pick<PoolLimits, "maxIdle" | "burstWindowMs" | "memoryMs"> {
  /** What pods of each runtime are made from; functions of others start as ordinary pods. */
  readonly hosts: Readonly<Partial<Record<HostName, HostImageSettings>>>;
  /** Quiet time after a claim before more are made: the claimed function gets the processor first. */
  readonly refillAfterMs: number;
  /** The same while half of those wanted wait: who calls now and then should not meet the start of another's pod. */
  readonly calmRefillAfterMs: number;
  /** A pod that does not wait for a claim after this long never will. */
  readonly startMs: number;
}

/** A waiting pod, now the caller's, with the connection to claim it over. */
export interface TakenPod {
  readonly pod: Pod;
  readonly remote: RemoteHost;
}

interface Member {
  pod: Pod;
  remote: RemoteHost | undefined;
  connecting: boolean;
  readonly sinceMs: number;
  /** Made by this process: nobody else can have claimed it. */
  ours: boolean;
  /** It was connected to before. */
  hasAnswered: boolean;
  refusedSinceMs: number | undefined;
  /** Since when no function is known that it could be claimed for. */
  uselessSinceMs: number | undefined;
}

interface Pool {
  readonly class: PoolClass;
  readonly host: HostImageSettings;
  readonly version: string;
  history: PoolHistory;
  lastTakenMs: number;
  /** Being created. */
  creating: number;
  failures: number;
  /** Nothing is created before. */
  notBeforeMs: number;
  trouble: Trouble | undefined;
}

const connectAgainMs = 100;
/** Pods that gave way to others stay away for this long. */
const awayMs = 300_000;
/** A host that nobody can connect to for this long has been claimed by a leader that is gone, or is broken. */
const deadMs = 10_000;
const uselessMs = 30_000;
const lookMs = 5_000;
/** What keeps a pod from starting may pass by itself within this: a registry, a node. */
const stuckMs = 8_000;
const busyLookMs = 100;
const longestBusyMs = 5_000;
/**
 * Pods that start at once, for each node they are seen on. More would all be there as late as the last. While half of
 * those wanted wait it is one: nobody waits for it, and who wakes meanwhile needs the processor.
 */
const startsPerNode = 4;

/**
 * Pods that wait for functions, in pools of pods that are alike. Each has its connection open, so that a claim is one
 * write; taking one is synchronous. Places are filled behind the requests that took them, and pools grow with the
 * bursts that are seen.
 */
export class WaitingPods {
  readonly #deps: WaitingPodsDeps;
  readonly #options: WaitingPodsOptions;
  readonly #pools = new Map<string, Pool>();
  /** By `namespace/name`. */
  readonly #members = new Map<string, Member>();
  #unfollow: (() => void) | undefined;
  #cancel: (() => void) | undefined;
  #busySinceMs: number | undefined;
  /** Until the next look, as the present one finds. */
  #nextMs = lookMs;
  #closed = false;

  constructor(deps: WaitingPodsDeps, options: WaitingPodsOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  start(): void {
    this.#unfollow = this.#deps.informers.of(PodKind).onChange(({ type, object }) => {
      const waits = type !== "deleted" && warmLabels.pool in (object.metadata.labels ?? {});
      if (waits) return this.#see(object);
      this.#drop(keyOf(object.metadata));
      this.#deps.known.forget(object.metadata.uid ?? "");
    });
    this.#schedule(0);
  }

  /** Says for which classes there are to be pods; others' pods are removed. */
  want(classes: readonly PoolClass[]): void {
    const wanted = new Map(classes.map((one) => [one.key, one]));
    for (const key of this.#pools.keys()) if (!wanted.has(key)) this.#pools.delete(key);
    for (const one of classes) {
      const host = this.#options.hosts[one.host];
      if (host && !this.#pools.has(one.key))
        this.#pools.set(one.key, {
          class: one,
          host,
          version: versionOf(host),
          history: noHistory,
          lastTakenMs: Number.NEGATIVE_INFINITY,
          creating: 0,
          failures: 0,
          notBeforeMs: 0,
          trouble: undefined,
        });
    }
    this.#schedule(0);
  }

  /**
   * A pod that waits, now the caller's, whose runtime is of the version (`3.13`; any when absent); undefined when none
   * does. Either way the wish is remembered.
   */
  take(key: string, runtime?: string): TakenPod | undefined {
    const pool = this.#pools.get(key);
    if (!pool) return undefined;
    pool.lastTakenMs = this.#deps.clock.steadyMs();
    pool.history = noteClaim(pool.history, this.#limits(pool), pool.lastTakenMs);
    this.#schedule(this.#options.refillAfterMs);
    for (const [name, { pod, remote }] of this.#members) {
      if (!remote || pod.metadata.labels?.[warmLabels.pool] !== key || pod.metadata.deletionTimestamp) continue;
      if (runtime !== undefined && !remote.runtime.startsWith(`${runtime}.`)) continue;
      this.#members.delete(name);
      return { pod, remote };
    }
    return undefined;
  }

  /** A pod that was thought to wait and does not, now the caller's; undefined when it is none of these. */
  giveUp(uid: string): Pod | undefined {
    for (const [name, { pod, remote }] of this.#members) {
      if (pod.metadata.uid !== uid) continue;
      this.#members.delete(name);
      remote?.close();
      return pod;
    }
    return undefined;
  }

  /** Ends the pods that take what others lack, and lets none come back for a while. */
  giveWay({ namespace, of, message }: Shortage): void {
    for (const pool of this.#pools.values()) {
      const { namespace: its, key, container } = pool.class;
      if ((namespace !== undefined && its !== namespace) || (of === "resources" && !asksForResources(container)))
        continue;
      const members = [...this.#members.values()].filter((one) => one.pod.metadata.labels?.[warmLabels.pool] === key);
      if (members.length === 0 && pool.creating === 0) continue;
      pool.notBeforeMs = Math.max(pool.notBeforeMs, this.#deps.clock.steadyMs() + awayMs);
      for (const member of members) this.#remove(member, "others need the room");
      this.#tell(pool, { reason: "WarmPodsGaveWay", message: `others need the room they take: ${message}` });
    }
  }

  /** Connects anew to the pods that wait on a node which may be gone: who does not answer cannot be taken. */
  doubt(node: string): void {
    for (const [key, member] of this.#members) {
      const { remote, pod } = member;
      if (!remote || pod.spec.nodeName !== node) continue;
      member.remote = undefined;
      remote.close();
      this.#connectLater(key, member);
    }
  }

  /** How many wait in a pool, or in all. */
  waiting(key?: string): number {
    let count = 0;
    for (const { pod, remote } of this.#members.values())
      if (remote && (key === undefined || pod.metadata.labels?.[warmLabels.pool] === key)) count += 1;
    return count;
  }

  /** Why no pods of a class wait. */
  troubleOf(key: string): Trouble | undefined {
    return this.#pools.get(key)?.trouble;
  }

  /** Lets the pods be: whoever leads next takes them over. */
  close(): void {
    this.#closed = true;
    this.#unfollow?.();
    this.#cancel?.();
    for (const { remote } of this.#members.values()) remote?.close();
    this.#members.clear();
  }

  #limits({ class: { container } }: Pool): PoolLimits {
    const minIdle = restingSize(this.#options, this.#pools.size, container);
    return { ...this.#options, minIdle, minPrepared: 0, maxPrepared: 0 };
  }

  #schedule(ms: number): void {
    if (this.#closed) return;
    this.#cancel?.();
    this.#cancel = this.#deps.clock.after(ms, () => this.#fill());
  }

  #see(pod: Pod): void {
    const key = keyOf(pod.metadata);
    const known = this.#members.get(key);
    const ended = pod.status?.phase === "Failed" || pod.status?.phase === "Succeeded";
    if (pod.metadata.deletionTimestamp || ended || known?.pod.metadata.uid !== (known && pod.metadata.uid))
      this.#drop(key);
    if (pod.metadata.deletionTimestamp) return;
    const member = this.#members.get(key) ?? newMember(pod, this.#deps.clock.steadyMs());
    member.pod = pod;
    this.#members.set(key, member);
    if (ended || hasRestarted(pod)) return this.#ended(member);
    if (!member.remote && !member.connecting) void this.#connect(key, member);
  }

  /** A host that ends before anybody could connect to it will not fare better in the next pod, nor at once. */
  #ended(member: Member): void {
    const { pod, hasAnswered } = member;
    const pool = this.#pools.get(pod.metadata.labels?.[warmLabels.pool] ?? "");
    this.#remove(member, "its container has ended");
    const message = hasAnswered ? undefined : startTrouble(pod);
    if (pool && message !== undefined)
      this.#fail(pool, { reason: "WarmPodsNotStarting", message }, this.#deps.clock.steadyMs());
  }

  #drop(key: string): void {
    const member = this.#members.get(key);
    if (!member) return;
    this.#members.delete(key);
    member.remote?.close();
    this.#schedule(this.#options.refillAfterMs);
  }

  async #connect(key: string, member: Member): Promise<void> {
    const place = placeOf(member.pod);
    if (!place) return;
    member.connecting = true;
    try {
      const remote = await this.#deps.connect(place, (shown) =>
        this.#deps.known.believe(member.pod, member.ours, shown),
      );
      if (this.#closed || this.#members.get(key) !== member) return remote.close();
      member.remote = remote;
      member.refusedSinceMs = undefined;
      member.hasAnswered = true;
      const pool = this.#pools.get(member.pod.metadata.labels?.[warmLabels.pool] ?? "");
      if (pool) pool.failures = 0;
      void remote.closed.then(() => {
        if (this.#members.get(key) !== member || member.remote !== remote) return;
        member.remote = undefined;
        this.#connectLater(key, member);
      });
      this.#schedule(0);
    } catch (error) {
      const nowMs = this.#deps.clock.steadyMs();
      member.refusedSinceMs ??= nowMs;
      const patienceMs = member.ours && !member.hasAnswered ? this.#options.startMs : deadMs;
      if (nowMs - member.refusedSinceMs > patienceMs && isRunning(member.pod))
        return this.#remove(member, "it takes no connections", error);
      this.#connectLater(key, member);
    } finally {
      member.connecting = false;
    }
  }

  #connectLater(key: string, member: Member): void {
    this.#deps.clock.after(connectAgainMs, () => {
      if (!this.#closed && this.#members.get(key) === member && !member.connecting) void this.#connect(key, member);
    });
  }

  #fill(): void {
    this.#cancel = undefined;
    this.#nextMs = lookMs;
    if (this.#closed) return;
    const nowMs = this.#deps.clock.steadyMs();
    if (this.#deps.isBusy()) {
      this.#busySinceMs ??= nowMs;
      if (nowMs - this.#busySinceMs < longestBusyMs) return this.#schedule(busyLookMs);
    } else this.#busySinceMs = undefined;
    const pods = this.#deps.informers.of(PodKind);
    if (pods.synced) this.#deps.known.keep(new Set(pods.list().map(({ metadata }) => metadata.uid ?? "")));
    for (const pool of this.#pools.values()) this.#fillPool(pool, nowMs);
    for (const member of this.#members.values()) this.#endUseless(member, nowMs);
    this.#schedule(this.#nextMs);
  }

  /** A leader that has just begun does not know yet what the functions are whose pods it finds. */
  #endUseless(member: Member, nowMs: number): void {
    if (this.#pools.has(member.pod.metadata.labels?.[warmLabels.pool] ?? "")) member.uselessSinceMs = undefined;
    else if (nowMs - (member.uselessSinceMs ??= nowMs) >= uselessMs) this.#remove(member, "nothing needs it");
  }

  #fillPool(pool: Pool, nowMs: number): void {
    const members = [...this.#members.values()].filter(
      (one) => one.pod.metadata.labels?.[warmLabels.pool] === pool.class.key,
    );
    const current = members.filter((one) => one.pod.metadata.annotations?.[warmAnnotations.version] === pool.version);
    const wanted = wantedIdle(pool.history, this.#limits(pool), nowMs);
    const waiting = current.filter(({ remote }) => remote !== undefined);
    const late = current.filter((one) => this.#isLate(one, nowMs));
    for (const one of late) this.#remove(one, "it did not start in time");
    const [first] = late;
    if (first) {
      const message = startTrouble(first.pod) ?? "pods that wait for functions do not start in time";
      this.#fail(pool, { reason: "WarmPodsNotStarting", message }, nowMs);
    }
    if (!first && waiting.length >= wanted) this.#tell(pool, undefined);
    // Those of an older version serve until there are enough of this one.
    if (waiting.length >= wanted)
      for (const one of members) if (!current.includes(one)) this.#remove(one, "it is out of date");
    for (const one of waiting.slice(wanted)) this.#remove(one, "more wait than are needed");
    const all = [...this.#pools.values()].reduce((sum, { creating }) => sum + creating, this.#members.size);
    const coming = current.length - late.length - waiting.length + pool.creating;
    const isCalm = 2 * waiting.length >= wanted;
    const few = isCalm ? 1 : startsPerNode * this.#nodes();
    const missing = Math.min(wanted - waiting.length - coming, this.#options.maxPods - all, few - coming);
    const calmMs = isCalm ? pool.lastTakenMs + this.#options.calmRefillAfterMs - nowMs : 0;
    if (calmMs > 0) this.#nextMs = Math.min(this.#nextMs, calmMs);
    if (calmMs > 0 || nowMs < pool.notBeforeMs) return;
    for (let n = 0; n < missing; n++) void this.#create(pool);
  }

  #isLate({ remote, sinceMs, pod }: Member, nowMs: number): boolean {
    const ageMs = nowMs - sinceMs;
    if (remote || ageMs <= stuckMs) return false;
    return ageMs > this.#options.startMs || startTrouble(pod) !== undefined;
  }

  #nodes(): number {
    const names = new Set<string>();
    for (const { pod } of this.#members.values()) if (pod.spec.nodeName) names.add(pod.spec.nodeName);
    return Math.max(1, names.size);
  }

  async #create(pool: Pool): Promise<void> {
    pool.creating += 1;
    try {
      const { namespace } = pool.class;
      const name = this.#deps.newName(pool.class);
      const namespaceUid = this.#deps.namespaces.get(namespace)?.metadata.uid;
      const draft = makeWarmPod(pool.class, pool.host, { name, namespaceUid });
      const pod = await this.#deps.client.create(PodKind, draft);
      const key = keyOf(pod.metadata);
      if (!this.#closed && !this.#members.has(key)) this.#see(pod);
      const member = this.#members.get(key);
      if (member) member.ours = true;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#fail(pool, { reason: "WarmPodsRefused", message }, this.#deps.clock.steadyMs());
    } finally {
      pool.creating -= 1;
    }
  }

  /** 10 s, 20 s, 40 s … 5 min until the next try. */
  #fail(pool: Pool, trouble: Trouble, nowMs: number): void {
    if (nowMs < pool.notBeforeMs) return;
    pool.notBeforeMs = nowMs + Math.min(300_000, 10_000 * 2 ** pool.failures);
    pool.failures += 1;
    this.#tell(pool, trouble);
  }

  /** Told once: the next refusal names another pod, and says nothing else. Where some wait, functions need not know. */
  #tell(pool: Pool, trouble: Trouble | undefined): void {
    if (pool.trouble?.reason === trouble?.reason) return;
    if (trouble && trouble.reason !== "WarmPodsGaveWay" && this.waiting(pool.class.key) > 0) return;
    pool.trouble = trouble;
    this.#deps.onTrouble(pool.class, trouble);
  }

  #remove(member: Member, why: string, error?: unknown): void {
    const { name, namespace = "", uid } = member.pod.metadata;
    this.#members.delete(`${namespace}/${name}`);
    member.remote?.close();
    this.#deps.log.info("a waiting pod is removed", {
      pod: `${namespace}/${name}`,
      why,
      ...(error ? { err: error } : {}),
    });
    const options = { preconditions: uid ? { uid } : {}, gracePeriodSeconds: 1 };
    this.#deps.client.delete(PodKind, { namespace, name }, options).catch((failure: unknown) => {
      if (!isNotFound(failure)) this.#deps.log.warn("a waiting pod could not be removed", { err: failure, pod: name });
    });
  }
}

const newMember = (pod: Pod, sinceMs: number): Member => ({
  pod,
  remote: undefined,
  connecting: false,
  ours: false,
  hasAnswered: false,
  sinceMs,
  refusedSinceMs: undefined,
  uselessSinceMs: undefined,
});

/** Where its kubelet says that it is. */
function placeOf({ status }: Pod): RemotePlace | undefined {
  const running = status?.containerStatuses?.[0]?.state?.running !== undefined;
  return running && status?.podIP ? { address: status.podIP } : undefined;
}

const asksForResources = ({ resources = {} }: PoolClass["container"]): boolean =>
  Object.keys({ ...resources.requests, ...resources.limits }).length > 0;

const isRunning = ({ status }: Pod): boolean => status?.phase === "Running";

/** Its key is gone with the first run of the container: it can never be claimed. */
const hasRestarted = ({ status }: Pod): boolean => (status?.containerStatuses?.[0]?.restartCount ?? 0) > 0;
