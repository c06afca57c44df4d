import { ReplicaSetKind } from "../../api/apps/kinds.ts";
import { PodKind } from "../../api/core/kinds.ts";
import type { Pod } from "../../api/core/types.gen.ts";
import { claimGate } from "../../api/ebb-keys.ts";
import { isConflict, isInvalid, isNotFound } from "../../api/meta/errors.ts";
import { controllerOf } from "../../api/meta/owner.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../client/clock.ts";
import type { Informers } from "../../client/informer.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { revisionUidLabel } from "../pod/serving.ts";

export interface GatedPodsDeps {
  readonly client: Pick<Client, "patch">;
  /** Of pods and ReplicaSets of Revisions. */
  readonly informers: Pick<Informers, "of">;
  readonly clock: Clock;
  readonly log: Logger;
  /** Pods that serve the revision of this uid, or are about to, and are yet to become its ReplicaSet's. */
  readonly claimsOf: (revisionUid: string) => number;
}

const byReplicaSet = "replica-set-uid";
const byRevision = "gated-revision-uid";
const lookMs = 500;

export const isGated = ({ spec }: Pod): boolean =>
  spec.schedulingGates?.some(({ name }) => name === claimGate) ?? false;

const isLive = ({ metadata, status }: Pod): boolean =>
  !metadata.deletionTimestamp && status?.phase !== "Failed" && status?.phase !== "Succeeded";

/**
 * Pods that a ReplicaSet made for a function, held by their gate. A ReplicaSet makes its pods before it can be given one
 * that serves already (adoption.ts); such a pod is never needed, and would start at the very moment at which what it
 * costs hurts most. Whatever claims do not cover is let go at once.
 */
export class GatedPods {
  readonly #deps: GatedPodsDeps;
  readonly #unfollow: (() => void)[] = [];
  /** Uids of pods being let go. */
  readonly #lifting = new Set<string>();
  #cancel: (() => void) | undefined;

  constructor(deps: GatedPodsDeps) {
    this.#deps = deps;
    const pods = deps.informers.of(PodKind);
    pods.addIndex(byReplicaSet, (pod) => {
      const owner = controllerOf(pod);
      return owner?.kind === "ReplicaSet" ? [owner.uid] : [];
    });
    pods.addIndex(byRevision, (pod) => {
      const uid = pod.metadata.labels?.[revisionUidLabel];
      return uid !== undefined && isGated(pod) ? [uid] : [];
    });
  }

  start(): void {
    const { informers } = this.#deps;
    this.#unfollow.push(
      informers.of(PodKind).onChange(({ object }) => {
        const uid = object.metadata.labels?.[revisionUidLabel];
        if (uid !== undefined) this.look(uid);
      }),
      informers.of(ReplicaSetKind).onChange(({ object }) => {
        const uid = object.metadata.labels?.[revisionUidLabel];
        if (uid !== undefined) this.look(uid);
      }),
    );
  }

  close(): void {
    for (const stop of this.#unfollow.splice(0)) stop();
    this.#cancel?.();
  }

  /** What covers pods of this revision may have changed. */
  look(revisionUid: string): void {
    const pods = this.#deps.informers.of(PodKind).byIndex(byRevision, revisionUid);
    if (pods.length === 0) return;
    const held = new Map<string, Pod[]>();
    for (const pod of pods) {
      if (!isLive(pod) || this.#lifting.has(pod.metadata.uid ?? "")) continue;
      const set = controllerOf(pod)?.uid ?? "";
      held.set(set, [...(held.get(set) ?? []), pod]);
    }
    for (const gated of held.values()) {
      const needed = this.#needed(gated[0], revisionUid);
      for (const pod of gated.slice(0, needed)) void this.#lift(pod);
      // Claims end without a word in the API, too.
      if (gated.length > needed) this.#lookLater();
    }
  }

  /** How many more its ReplicaSet wants than run or will. */
  #needed(pod: Pod | undefined, revisionUid: string): number {
    const { informers, claimsOf } = this.#deps;
    const owner = pod && controllerOf(pod);
    const set = owner && informers.of(ReplicaSetKind).get(`${pod.metadata.namespace}/${owner.name}`);
    // Made by somebody unknown: not ours to hold.
    if (set?.metadata.uid !== owner?.uid) return Number.POSITIVE_INFINITY;
    const free = informers
      .of(PodKind)
      .byIndex(byReplicaSet, owner?.uid ?? "")
      .filter((one) => isLive(one) && (!isGated(one) || this.#lifting.has(one.metadata.uid ?? "")));
    return Math.max(0, (set?.spec.replicas ?? 1) - free.length - claimsOf(revisionUid));
  }

  async #lift(pod: Pod): Promise<void> {
    const { uid = "", name, namespace = "" } = pod.metadata;
    const index = pod.spec.schedulingGates?.findIndex((gate) => gate.name === claimGate) ?? -1;
    const path = `/spec/schedulingGates/${index}`;
    const body = [
      { op: "test", path: "/metadata/uid", value: uid },
      { op: "test", path: `${path}/name`, value: claimGate },
      { op: "remove", path },
    ] as const;
    this.#lifting.add(uid);
    try {
      await this.#deps.client.patch(PodKind, { namespace, name }, { type: "json", body });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error) && !isInvalid(error))
        this.#deps.log.warn("a pod could not be let go", { err: error, pod: `${namespace}/${name}` });
    } finally {
      // The informer has the answer by then; if not, it is tried once more, in vain.
      this.#deps.clock.after(lookMs, () => {
        this.#lifting.delete(uid);
        this.look(pod.metadata.labels?.[revisionUidLabel] ?? "");
      });
    }
  }

  #lookLater(): void {
    this.#cancel ??= this.#deps.clock.after(lookMs, () => {
      this.#cancel = undefined;
      const uids = new Set<string>();
      for (const pod of this.#deps.informers.of(PodKind).list())
        if (isGated(pod)) uids.add(pod.metadata.labels?.[revisionUidLabel] ?? "");
      for (const uid of uids) this.look(uid);
    });
  }
}
