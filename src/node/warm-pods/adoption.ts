import { PodKind } from "../../api/core/kinds.ts";
import { ReplicaSetKind } from "../../api/apps/kinds.ts";
import type { ReplicaSet } from "../../api/apps/types.gen.ts";
import type { Pod, PodTemplateSpec } from "../../api/core/types.gen.ts";
import { isConflict, isInvalid, isNotFound } from "../../api/meta/errors.ts";
import { keyOf } from "../../api/meta/object.ts";
import { controllerReference } from "../../api/meta/owner.ts";
import { RevisionKind } from "../../api/serving/kinds.ts";
import type { Revision } from "../../api/serving/types.gen.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../client/clock.ts";
import type { Informers } from "../../client/informer.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { revisionLabel, revisionUidLabel } from "../pod/serving.ts";
import { isGated } from "./gated-pods.ts";
import { warmAnnotations, warmLabels } from "./names.ts";

export interface AdoptionDeps {
  readonly client: Pick<Client, "patch" | "delete">;
  /** Of pods and ReplicaSets of Revisions. */
  readonly informers: Pick<Informers, "of">;
  readonly clock: Clock;
  readonly log: Logger;
  /** The pod is about to be ended: nothing more is to be sent to it. */
  readonly onDraining: (pod: Pod, revision: string) => void;
  /** Whether claims are on their way: what follows from others can wait. */
  readonly isBusy: () => boolean;
  /** Nobody can reach it. */
  readonly isLost: (podUid: string) => boolean;
  /** It went before anybody but us knew it. */
  readonly onGone: (pod: Pod, revision: string) => void;
}

/** What a pod was claimed for. */
export interface ClaimedFor {
  readonly revision: Revision;
  readonly template: PodTemplateSpec;
  readonly image: string;
  readonly host: string;
}

interface Entry {
  readonly pod: Pod;
  /** `namespace/name`. */
  readonly revision: string;
  readonly revisionUid: string;
  readonly sinceMs: number;
  /** Its labels are those of the revision, as far as we have heard. */
  marked: boolean;
  adopting: boolean;
  tries: number;
}

const templateHash = "pod-template-hash";
const byRevisionUid = "revision-uid";
/** A pod that no ReplicaSet has asked for after this long is not needed. */
const surplusMs = 60_000;
const lookMs = 1_000;
const quietLookMs = 25;
/** A pod that takes longer waits for something else than the processor. */
const startMs = 10_000;
/** Then the API is told, busy or not: until it is, only routers know the pod for what it is. */
const longestQuietMs = 2_000;
const retryMs = [100, 500, 2_000, 5_000] as const;

/**
 * Claimed pods on their way to their ReplicaSet.
 *
 * 1. *Marked*: the pod gets the labels of the revision's pods, all but the ReplicaSet's hash, and the Revision as its
 *    controller. The revision's Service, its autoscaler and `kubectl get pods -l` know it from here on; the ReplicaSet
 *    does not, and with the Revision it would go.
 * 2. *Adopted*: it gets the hash and loses its controller, and the ReplicaSet takes it for its own. Not before the
 *    ReplicaSet has acted on a size that has room for it: an orphan that comes earlier would be taken for one too many
 *    and ended, serving or not. Acting, the ReplicaSet has made a pod of its own; with two where one is wanted it ends
 *    the one that has come less far, which is that one (pkg/controller/controller_utils.go, ActivePodsWithRanks).
 *
 * Both are written on the pods, so that whoever leads next goes on from there.
 */
export class Adoption {
  readonly #deps: AdoptionDeps;
  readonly #entries = new Map<string, Entry>();
  readonly #unfollow: (() => void)[] = [];
  #cancel: (() => void) | undefined;
  #closed = false;

  constructor(deps: AdoptionDeps) {
    this.#deps = deps;
    const uidOf = ({ metadata }: Pod | ReplicaSet): readonly string[] => {
      const uid = metadata.labels?.[revisionUidLabel];
      return uid === undefined ? [] : [uid];
    };
    deps.informers.of(PodKind).addIndex(byRevisionUid, uidOf);
    deps.informers.of(ReplicaSetKind).addIndex(byRevisionUid, uidOf);
  }

  start(): void {
    this.#unfollow.push(
      this.#deps.informers.of(PodKind).onChange(({ type, object }) => this.#see(object, type === "deleted")),
      this.#deps.informers.of(ReplicaSetKind).onChange(({ object }) => {
        const uid = object.metadata.labels?.[revisionUidLabel];
        for (const entry of this.#entries.values()) if (entry.revisionUid === uid) this.#advance(entry);
      }),
    );
    this.#look();
  }

  /** Takes a pod that serves the revision now. */
  begin(pod: Pod, claimed: ClaimedFor): void {
    const { metadata } = claimed.revision;
    const entry: Entry = {
      pod,
      revision: keyOf(metadata),
      revisionUid: metadata.uid ?? "",
      sinceMs: this.#deps.clock.steadyMs(),
      marked: false,
      adopting: false,
      tries: 0,
    };
    this.#entries.set(keyOf(pod.metadata), entry);
    this.#markWhenQuiet(entry, claimed);
  }

  /** A burst's marks come after it: each is a dozen things that half the cluster is told of. */
  #markWhenQuiet(entry: Entry, claimed: ClaimedFor): void {
    const { clock, isBusy } = this.#deps;
    clock.after(quietLookMs, () => {
      if (this.#closed) return;
      if (isBusy() && clock.steadyMs() - entry.sinceMs < longestQuietMs) this.#markWhenQuiet(entry, claimed);
      else void this.#mark(entry, claimed);
    });
  }

  /** Pods that serve the revision and do not have its labels yet: nobody else counts them. */
  unmarked(revisionUid: string): readonly Pod[] {
    return [...this.#entries.values()]
      .filter((one) => one.revisionUid === revisionUid && !one.marked)
      .map(({ pod }) => pod);
  }

  /** Pods of a revision that are there or coming, by their labels; not those that may not start or cannot be reached. */
  bound(revisionUid: string): number {
    return this.#podsOf(revisionUid).filter(({ metadata }) => !this.#deps.isLost(metadata.uid ?? "")).length;
  }

  /** Pods of Revisions that a node has begun to start a short while ago. */
  get starting(): number {
    const sinceMs = this.#deps.clock.now() - startMs;
    return this.#deps.informers
      .of(PodKind)
      .list()
      .filter(
        ({ metadata, spec, status }) =>
          spec.nodeName &&
          !metadata.deletionTimestamp &&
          status?.phase === "Pending" &&
          Date.parse(metadata.creationTimestamp ?? "") > sinceMs,
      ).length;
  }

  /** Those whose adoption is not over. */
  get pending(): readonly Readonly<Pick<Entry, "pod" | "revision" | "revisionUid" | "marked">>[] {
    return [...this.#entries.values()];
  }

  close(): void {
    this.#closed = true;
    for (const stop of this.#unfollow.splice(0)) stop();
    this.#cancel?.();
    this.#entries.clear();
  }

  #podsOf(revisionUid: string): readonly Pod[] {
    return this.#deps.informers
      .of(PodKind)
      .byIndex(byRevisionUid, revisionUid)
      .filter(
        (pod) =>
          !pod.metadata.deletionTimestamp &&
          !isGated(pod) &&
          pod.status?.phase !== "Failed" &&
          pod.status?.phase !== "Succeeded",
      );
  }

  #see(pod: Pod, deleted: boolean): void {
    const key = keyOf(pod.metadata);
    const { labels = {}, deletionTimestamp } = pod.metadata;
    let entry = this.#entries.get(key);
    if (deleted || deletionTimestamp) {
      this.#entries.delete(key);
      return;
    }
    if (labels[warmLabels.claimed] === undefined || isOwnedByReplicaSet(pod)) {
      if (entry && isOwnedByReplicaSet(pod)) this.#entries.delete(key);
      return;
    }
    const revision = `${pod.metadata.namespace}/${labels[revisionLabel]}`;
    const nowMs = this.#deps.clock.steadyMs();
    const revisionUid = labels[revisionUidLabel] ?? "";
    entry ??= { pod, revision, revisionUid, sinceMs: nowMs, marked: true, adopting: false, tries: 0 };
    if (!entry.marked) this.#deps.log.debug("marked", { pod: key, ms: nowMs - entry.sinceMs });
    entry.marked = true;
    this.#entries.set(key, entry);
    this.#advance(entry);
  }

  async #mark(entry: Entry, { revision, template, image, host }: ClaimedFor): Promise<void> {
    const { labels = {}, annotations = {} } = template.metadata ?? {};
    const { [templateHash]: _, ...own } = labels;
    const body = {
      metadata: {
        uid: entry.pod.metadata.uid,
        labels: { ...own, [warmLabels.pool]: null, [warmLabels.claimed]: host },
        annotations: { ...annotations, [warmAnnotations.version]: null, [warmAnnotations.image]: image },
        ownerReferences: [controllerReference(RevisionKind, revision)],
      },
    };
    await this.#again(entry, async () => {
      await this.#deps.client.patch(PodKind, keyIn(entry.pod), { type: "merge", body });
    });
  }

  /** Until it is done, the pod is gone, or nobody needs it: the API server may be away for a while. */
  async #again(entry: Entry, work: () => Promise<void>): Promise<void> {
    const key = keyOf(entry.pod.metadata);
    try {
      await work();
      entry.tries = 0;
    } catch (error) {
      if (this.#closed || this.#entries.get(key) !== entry) return;
      // A pod of this name and another uid is another pod.
      if (isNotFound(error) || isConflict(error)) {
        this.#entries.delete(key);
        if (!entry.marked) this.#deps.onGone(entry.pod, entry.revision);
        return;
      }
      const afterMs = retryMs[Math.min(entry.tries++, retryMs.length - 1)] ?? 5_000;
      this.#deps.log.warn("a claimed pod could not be marked as its revision's", { err: error, pod: key, afterMs });
      this.#deps.clock.after(afterMs, () => void this.#again(entry, work));
    }
  }

  #look(): void {
    this.#cancel = this.#deps.clock.after(lookMs, () => {
      for (const entry of this.#entries.values()) this.#advance(entry);
      this.#look();
    });
  }

  #advance(entry: Entry): void {
    if (!entry.marked || entry.adopting || this.#closed) return;
    const [set] = this.#deps.informers
      .of(ReplicaSetKind)
      .byIndex(byRevisionUid, entry.revisionUid)
      .filter(({ metadata }) => !metadata.deletionTimestamp);
    if (set && hasRoom(set, this.#podsOf(entry.revisionUid), this.#adoptingOf(entry.revisionUid)))
      return void this.#adopt(entry, set);
    if (this.#deps.clock.steadyMs() - entry.sinceMs > surplusMs) void this.#discard(entry);
  }

  #adoptingOf(revisionUid: string): number {
    return [...this.#entries.values()].filter((one) => one.revisionUid === revisionUid && one.adopting).length;
  }

  async #adopt(entry: Entry, set: ReplicaSet): Promise<void> {
    entry.adopting = true;
    const hash = set.metadata.labels?.[templateHash] ?? "";
    const body = [
      { op: "test", path: "/metadata/uid", value: entry.pod.metadata.uid },
      { op: "add", path: `/metadata/labels/${templateHash}`, value: hash },
      { op: "remove", path: "/metadata/ownerReferences" },
    ] as const;
    const log = (message: string): void =>
      this.#deps.log.debug(message, { pod: entry.pod.metadata.name, ms: this.#deps.clock.steadyMs() - entry.sinceMs });
    try {
      log("adopting");
      await this.#deps.client.patch(PodKind, keyIn(entry.pod), { type: "json", body });
      log("adopted");
    } catch (error) {
      // What it is now will be seen.
      if (!isNotFound(error) && !isInvalid(error))
        this.#deps.log.info("a claimed pod could not be given to its ReplicaSet yet", { err: error });
      this.#deps.clock.after(lookMs, () => (entry.adopting = false));
    }
  }

  async #discard(entry: Entry): Promise<void> {
    const { pod, revision } = entry;
    this.#entries.delete(keyOf(pod.metadata));
    this.#deps.onDraining(pod, revision);
    this.#deps.log.info("a claimed pod that its revision has no room for is ended", {
      pod: pod.metadata.name,
      revision,
    });
    const { uid } = pod.metadata;
    await this.#deps.client
      .delete(PodKind, keyIn(pod), { preconditions: uid ? { uid } : {} })
      .catch((error: unknown) => {
        if (!isNotFound(error)) this.#deps.log.warn("a claimed pod could not be ended", { err: error });
      });
  }
}

const keyIn = ({ metadata }: Pod): { readonly namespace: string; readonly name: string } => ({
  namespace: metadata.namespace ?? "",
  name: metadata.name,
});

const isOwnedByReplicaSet = ({ metadata }: Pod): boolean =>
  metadata.ownerReferences?.some(({ kind, controller }) => kind === "ReplicaSet" && controller === true) ?? false;

/**
 * Whether a ReplicaSet has acted on a size beyond its pods that serve: its others have yet to start, and are what it
 * gives up for one that does. 1 wanted, 1 of its own just made, none ready: there is room for 1.
 */
export function hasRoom(set: ReplicaSet, pods: readonly Pod[], adopting: number): boolean {
  const { generation = 0, uid } = set.metadata;
  if ((set.status?.observedGeneration ?? 0) < generation) return false;
  const settled = pods.filter(
    ({ metadata, status }) =>
      metadata.ownerReferences?.some((one) => one.uid === uid) === true &&
      (metadata.labels?.[warmLabels.claimed] !== undefined ||
        status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") === true),
  );
  return (set.spec.replicas ?? 1) > settled.length + adopting;
}
