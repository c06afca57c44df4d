import { DeploymentKind } from "../../api/apps/kinds.ts";
import type { Deployment } from "../../api/apps/types.gen.ts";
import type { Container, Pod } from "../../api/core/types.gen.ts";
import { NamespaceKind, PodKind } from "../../api/core/kinds.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import { keyOf, type Draft } from "../../api/meta/object.ts";
import { RevisionKind } from "../../api/serving/kinds.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../client/clock.ts";
import type { EventRecorder } from "../../client/event-recorder.ts";
import type { Informers } from "../../client/informer.ts";
import { HostLoadError } from "../../functions/pool/host-process.ts";
import { ClaimLost, ClaimRefused } from "../../functions/pool/remote-host.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { StartAhead } from "../instances/ahead.ts";
import { revisionOf, revisionUidLabel, servingContainer } from "../pod/serving.ts";
import { Adoption } from "./adoption.ts";
import { ClaimValues } from "./claim-values.ts";
import type { FunctionImage } from "./fetch-function.ts";
import { followShortages } from "./find-shortage.ts";
import { FunctionImages } from "./function-images.ts";
import { classOf, type PoolClass } from "./pool-class.ts";
import {
  WaitingPods,
  type TakenPod,
  type Trouble,
  type WaitingPodsDeps,
  type WaitingPodsOptions,
} from "./waiting-pods.ts";

/** Something that serves, or no longer does, as a router takes it. */
export interface WarmInstanceEvent {
  readonly type: "ready" | "draining" | "gone";
  readonly revision: string;
  /** The pod's uid. */
  readonly id: string;
  readonly address: { readonly host: string; readonly port: number };
  readonly protocol: "http1";
}

export interface WarmPodsDeps extends Pick<WaitingPodsDeps, "connect" | "known"> {
  readonly client: Client;
  /** Of Revisions and of what they are made of. */
  readonly informers: Pick<Informers, "of">;
  /** Of pods that wait. */
  readonly waiting: Pick<Informers, "of">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly recorder: Pick<EventRecorder, "record">;
  readonly fetch: (image: string, namespace: string, signal: AbortSignal) => Promise<FunctionImage | undefined>;
  /** Nobody needs the layer any more. */
  readonly drop: (digest: string) => void;
  readonly onInstance: (event: WarmInstanceEvent) => void;
  /** Why a revision's function does not load; undefined clears it. */
  readonly onFailure: (revision: string, reason: string | undefined) => void;
  readonly newName: (pool: PoolClass) => string;
  /** A claim for the revision of this uid came to nothing: what its pods are to do may have changed. */
  readonly onUncovered: (revisionUid: string) => void;
  /** Whether the pod's machine does not answer: nothing it was claimed for is served there. */
  readonly isLost: (podUid: string) => boolean;
}

export interface WarmPodsOptions extends WaitingPodsOptions {
  /** A function must be loaded within this time. */
  readonly loadTimeoutMs: number;
  /** Classes for which pods wait in one namespace; functions of others start as ordinary pods. */
  readonly maxClasses: number;
}

interface Function {
  readonly revision: string;
  readonly uid: string;
  readonly deployment: Deployment;
  readonly container: Container;
  class: PoolClass | undefined;
  /** Not claimed for before: it did not load. */
  brokenUntilMs: number;
}

/** Claims of other hosts after one that was refused or broke off. */
const moreTries = 2;
const brokenMs = 30_000;
/** A new Revision waits no longer than this to know what its image is. */
const knownWithinMs = 3_000;
/**
 * What follows from a claim in the API (a pod that its ReplicaSet makes and gives up again) costs the nodes more than the
 * claim: it waits until a burst is over.
 */
const quietMs = 300;

/**
 * Wakes functions in a cluster: pods wait for them, and a claim over the network makes one serve before the API server
 * hears of it. The leader claims, being told of every request that waits; see docs/decisions/0009.
 */
export interface WarmPods {
  /** Implements controllers/autoscaling/launcher.ts. */
  readonly launcher: { startAhead(request: StartAhead): boolean; isBusy(): boolean };
  /** Instances that routers cannot know from the API yet: for one that joins. */
  instances(): readonly WarmInstanceEvent[];
  /**
   * Whether a function like this can be claimed for, known from its image, which is fetched here. False when that takes
   * too long.
   */
  mayBeClaimed(deployment: Draft<Deployment>): Promise<boolean>;
  /** Pods that serve the revision of this uid, or are about to, and are not their ReplicaSet's yet. */
  claimsOf(revisionUid: string): number;
  /** A pod of this uid serves the revision, says a router: whoever claimed it did not come to mark it. */
  adopt(revision: string, uid: string): void;
  /** A node may be gone: whether pods that wait there can be claimed is found out before they are. */
  doubt(node: string): void;
  /** Pods that wait, of all classes. */
  waiting(): number;
  /** Why none waits for a Revision, by its `namespace/name`; handlers are told of each Revision of which that changes. */
  readonly troubles: {
    of(revision: string): Trouble | undefined;
    onChange(handler: (revision: string) => void): void;
  };
  start(): void;
  /** Stops claiming and refilling. Pods stay. */
  close(): void;
}

export function createWarmPods(deps: WarmPodsDeps, options: WarmPodsOptions): WarmPods {
  const { clock, log, informers } = deps;
  const functions = new Map<string, Function>();
  const unfollow: (() => void)[] = [];
  let inFlight = 0;
  let lastClaimMs = Number.NEGATIVE_INFINITY;
  let closed = false;
  const claiming = new Map<string, number>();
  const troubled: ((revision: string) => void)[] = [];

  const isBusy = (): boolean => inFlight > 0 || clock.steadyMs() - lastClaimMs < quietMs;
  const event = (type: WarmInstanceEvent["type"], pod: Pod, revision: string): WarmInstanceEvent => ({
    type,
    revision,
    id: pod.metadata.uid ?? "",
    address: { host: pod.status?.podIP ?? "", port: portOf(pod) },
    protocol: "http1",
  });
  const pods = new WaitingPods(
    {
      ...deps,
      informers: deps.waiting,
      namespaces: informers.of(NamespaceKind),
      isBusy: () => isBusy() || adoption.starting > 0,
      onTrouble: (pool, trouble) => tellTrouble(pool, trouble),
    },
    options,
  );
  const adoption = new Adoption({
    ...deps,
    isBusy,
    onDraining: (pod, revision) => deps.onInstance(event("draining", pod, revision)),
    onGone: (pod, revision) => deps.onInstance(event("gone", pod, revision)),
  });
  const values = new ClaimValues(deps);
  const images = new FunctionImages({
    ...deps,
    onKnown: () => sort(),
    drop: ({ layers }, needed) => {
      for (const { digest } of layers) if (!needed.has(digest)) deps.drop(digest);
    },
  });

  function see(deployment: Deployment): void {
    const { metadata } = deployment;
    const read = readDeployment(deployment);
    if (!read) return;
    const { revision, uid, container } = read;
    const known = functions.get(revision);
    if (known?.deployment.metadata.generation === metadata.generation && known?.uid === uid) return;
    if (known && known.container.image !== container.image) images.release(known.container.image ?? "", revision);
    functions.set(revision, { revision, uid, deployment, container, class: known?.class, brokenUntilMs: 0 });
    images.use(container.image ?? "", revision, metadata.namespace ?? "");
    values.use(revision, metadata.namespace ?? "", container);
    sort();
  }

  function forget(revision: string): void {
    images.forget(revision);
    if (!functions.delete(revision)) return;
    values.release(revision);
    sort();
  }

  /** Which classes there are to be pods of: those of functions that requests can reach, the most used first. */
  function sort(): void {
    const uses = new Map<string, { readonly class: PoolClass; count: number }>();
    for (const one of functions.values()) {
      one.class = classify(one);
      if (!one.class || !isReachable(one.revision)) continue;
      const use = uses.get(one.class.key) ?? { class: one.class, count: 0 };
      use.count += 1;
      uses.set(one.class.key, use);
    }
    const perNamespace = new Map<string, number>();
    const wanted = [...uses.values()]
      .toSorted((a, b) => b.count - a.count)
      .filter(({ class: { namespace } }) => {
        const count = perNamespace.get(namespace) ?? 0;
        perNamespace.set(namespace, count + 1);
        return count < options.maxClasses;
      });
    pods.want(wanted.map((one) => one.class));
  }

  function classify({
    revision,
    deployment,
    container,
  }: Pick<Function, "revision" | "container"> & { readonly deployment: Draft<Deployment> }): PoolClass | undefined {
    const image = images.get(container.image ?? "");
    if (typeof image !== "object" || !options.hosts[image.host]) return undefined;
    // A host speaks HTTP/1 only.
    const [first] = informers.of(RevisionKind).get(revision)?.spec.containers ?? [];
    if (first?.ports?.[0]?.name === "h2c") return undefined;
    const namespace = deployment.metadata.namespace ?? "";
    const found = classOf({ namespace, template: deployment.spec.template, host: image.host });
    if (!("unfit" in found)) return found;
    log.debug("a function starts as an ordinary pod", { revision, why: found.unfit });
    return undefined;
  }

  const isReachable = (revision: string): boolean =>
    informers.of(RevisionKind).get(revision)?.metadata.labels?.["serving.knative.dev/routingState"] !== "reserve";

  function tellTrouble(pool: PoolClass, trouble: Trouble | undefined): void {
    for (const { revision, class: its } of functions.values())
      if (its?.key === pool.key) for (const handler of troubled) handler(revision);
    if (!trouble) return;
    log.warn("no pods can wait for functions here", { namespace: pool.namespace, class: pool.key, ...trouble });
    for (const one of functions.values()) {
      const object = one.class?.key === pool.key ? informers.of(RevisionKind).get(one.revision) : undefined;
      if (!object) continue;
      deps.recorder.record({ kind: RevisionKind, object, type: "Warning", ...explained(trouble) });
    }
  }

  /** Whether a claim is on its way now. */
  function claimOne(one: Function, tries: number): boolean {
    const { class: pool, container, deployment, revision } = one;
    const image = images.get(container.image ?? "");
    const object = informers.of(RevisionKind).get(revision);
    if (!pool || typeof image !== "object" || !object) return false;
    const env = values.envOf(pool.namespace, deployment.spec.template, container);
    const taken = env && pods.take(pool.key, image.runtime);
    if (!taken) return false;
    inFlight += 1;
    claiming.set(one.uid, (claiming.get(one.uid) ?? 0) + 1);
    const { pod, remote } = taken;
    const sinceMs = clock.steadyMs();
    lastClaimMs = sinceMs;
    const claim = { ...image.claim, env: { ...image.env, ...env }, loadTimeoutMs: options.loadTimeoutMs };
    remote
      .claim(
        { host: image.host, ...(image.runtime === undefined ? {} : { runtime: image.runtime }), claim },
        image.layers,
      )
      .then(
        () => {
          if (closed) return;
          deps.onInstance(event("ready", pod, revision));
          log.debug("claimed", { revision, pod: pod.metadata.name, ms: clock.steadyMs() - sinceMs });
          deps.onFailure(revision, undefined);
          const claimed = { revision: object, template: deployment.spec.template, image: container.image ?? "" };
          adoption.begin(pod, { ...claimed, host: image.host });
        },
        (error: unknown) => claimFailed(one, taken, error, tries),
      )
      .finally(() => {
        inFlight -= 1;
        const left = (claiming.get(one.uid) ?? 1) - 1;
        if (left > 0) claiming.set(one.uid, left);
        else claiming.delete(one.uid);
        deps.onUncovered(one.uid);
      })
      .catch((error: unknown) => log.error("a claim could not be followed up", { err: error }));
    return true;
  }

  function claimFailed(one: Function, { pod }: TakenPod, error: unknown, tries: number): void {
    const { revision } = one;
    const taken = error instanceof ClaimRefused && error.reason === "Taken";
    // Whatever it is now, it waits no longer.
    if (!taken) void end(pod);
    if (error instanceof HostLoadError) {
      one.brokenUntilMs = clock.steadyMs() + brokenMs;
      deps.onFailure(revision, error.message);
      return;
    }
    if (error instanceof ClaimLost && error.unreachable && pod.spec.nodeName) pods.doubt(pod.spec.nodeName);
    log.info("a waiting pod was not to be had", { revision, pod: pod.metadata.name, err: error });
    if (tries > 0 && !closed && (taken || error instanceof ClaimLost || error instanceof ClaimRefused))
      claimOne(one, tries - 1);
  }

  const claimsOf = (uid: string): number =>
    (claiming.get(uid) ?? 0) + adoption.pending.filter(({ revisionUid }) => revisionUid === uid).length;

  async function mayBeClaimed(deployment: Draft<Deployment>): Promise<boolean> {
    const read = readDeployment(deployment);
    if (!read || closed) return false;
    const { revision, container } = read;
    // Whoever uses it now will go on when the Deployment is there, or end with the Revision.
    images.use(container.image ?? "", revision, deployment.metadata.namespace ?? "");
    await images.whenKnown(container.image ?? "", knownWithinMs);
    return classify({ revision, deployment, container }) !== undefined;
  }

  async function end({ metadata }: Pod): Promise<void> {
    const { namespace, name, uid } = metadata;
    const where = { name, ...(namespace === undefined ? {} : { namespace }) };
    try {
      await deps.client.delete(PodKind, where, { preconditions: uid ? { uid } : {}, gracePeriodSeconds: 1 });
    } catch (error) {
      if (!isNotFound(error)) log.warn("a pod could not be ended", { err: error, pod: name });
    }
  }

  return {
    launcher: {
      startAhead({ revision, count }) {
        const one = functions.get(revision);
        if (closed || !one || clock.steadyMs() < one.brokenUntilMs) return false;
        const underWay = claiming.get(one.uid) ?? 0;
        const have = adoption.bound(one.uid) + underWay + adoption.unmarked(one.uid).length;
        const waiting = claimsOf(one.uid);
        let claimed = 0;
        while (have + claimed < count && claimOne(one, moreTries)) claimed += 1;
        // Whatever these do not cover, pods must bring, and at once.
        return have + claimed >= count && waiting + claimed > 0;
      },
      isBusy,
    },
    instances: () =>
      adoption.pending.filter(({ marked }) => !marked).map(({ pod, revision }) => event("ready", pod, revision)),
    mayBeClaimed,
    claimsOf,
    adopt(revision, uid) {
      const one = functions.get(revision);
      const object = informers.of(RevisionKind).get(revision);
      const image = one && images.get(one.container.image ?? "");
      const pod = one && object && pods.giveUp(uid);
      if (!pod || closed) return;
      const host = typeof image === "object" ? image.host : "node";
      const { template } = one.deployment.spec;
      adoption.begin(pod, { revision: object, template, image: one.container.image ?? "", host });
    },
    doubt: (node) => pods.doubt(node),
    waiting: () => pods.waiting(),
    troubles: {
      of(revision) {
        const key = functions.get(revision)?.class?.key;
        const trouble = key === undefined ? undefined : pods.troubleOf(key);
        return trouble && explained(trouble);
      },
      onChange: (handler) => void troubled.push(handler),
    },
    start() {
      unfollow.push(
        informers.of(DeploymentKind).onChange(({ type, object }) => {
          const revision = revisionOf(object.metadata.namespace ?? "", object.spec.template.metadata);
          if (type !== "deleted") see(object);
          else if (revision !== undefined) forget(revision);
        }),
        informers.of(RevisionKind).onChange(({ type, object, old }) => {
          if (type === "deleted") forget(keyOf(object.metadata));
          else if (object.metadata.labels !== old?.metadata.labels) sort();
        }),
        followShortages(informers, (shortage) => pods.giveWay(shortage)),
      );
      adoption.start();
      pods.start();
    },
    close() {
      closed = true;
      for (const stop of unfollow.splice(0)) stop();
      pods.close();
      adoption.close();
      values.close();
      images.close();
    },
  };
}

const explained = ({ reason, message }: Trouble): Trouble => ({
  reason,
  message: `starts as an ordinary pod, no pod can wait for it: ${message}`,
});

interface ReadDeployment {
  /** `namespace/name` of its Revision. */
  readonly revision: string;
  readonly uid: string;
  readonly container: Container;
}

function readDeployment({ metadata, spec }: Draft<Deployment>): ReadDeployment | undefined {
  const revision = revisionOf(metadata.namespace ?? "", spec.template.metadata);
  const uid = spec.template.metadata?.labels?.[revisionUidLabel];
  const container = servingContainer(spec.template.spec?.containers ?? []);
  return revision === undefined || uid === undefined || !container ? undefined : { revision, uid, container };
}

const portOf = ({ spec }: Pod): number => spec.containers[0]?.ports?.[0]?.containerPort ?? 8080;
