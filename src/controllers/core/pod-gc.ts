import { NodeKind, PodKind } from "../../api/core/kinds.ts";
import type { Pod } from "../../api/core/types.gen.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import { formatTime } from "../../api/meta/time.ts";
import type { ControllerSpec } from "../../client/controller.ts";
import type { CoreDeps } from "../core-deps.ts";
import { isPodTerminal } from "../pod-facts.ts";

/** Ended pods kept (kube-controller-manager --terminated-pod-gc-threshold). */
const maxTerminated = 12_500;
/** A node that vanished may come back under its name this long before its pods are given up. */
const quarantineMs = 40_000;
const sweepMs = 20_000;
const sweepKey = "sweep";

/**
 * Removes pods nobody else will: ended ones beyond a threshold, those of nodes that are gone, and those that were
 * deleted before they had a node (kubernetes pkg/controller/podgc). Sweeps only while there is something to wait for.
 */
export function podGarbageCollector(deps: CoreDeps): ControllerSpec {
  const pods = deps.informers.of(PodKind);
  const nodes = deps.informers.of(NodeKind);
  const missingSince = new Map<string, number>();
  return {
    name: "pod-garbage-collector",
    watches: [],
    onStart: (queue, signal) => {
      const removals = [
        nodes.onChange(({ type }) => type === "deleted" && queue.addAfter(sweepKey, sweepMs)),
        pods.onChange(({ type, object: { metadata, spec } }) => {
          const orphaned = spec.nodeName !== undefined && !nodes.get(spec.nodeName);
          const stuck = !spec.nodeName && metadata.deletionTimestamp !== undefined;
          if (type !== "deleted" && (orphaned || stuck)) queue.addAfter(sweepKey, sweepMs);
        }),
      ];
      signal.addEventListener("abort", () => removals.forEach((remove) => remove()), { once: true });
    },
    reconcile: async () => {
      const now = deps.clock.now();
      const all = pods.list();
      const orphans = all.filter(({ spec }) => spec.nodeName && !nodes.get(spec.nodeName));
      noteMissing(missingSince, orphans, now);
      const due = orphans.filter(({ spec }) => now - (missingSince.get(spec.nodeName ?? "") ?? now) >= quarantineMs);
      for (const pod of due) await giveUp(deps, pod);
      for (const pod of all) {
        if (!pod.spec.nodeName && pod.metadata.deletionTimestamp) await remove(deps, pod);
      }
      for (const pod of beyondThreshold(all)) await remove(deps, pod);
      return orphans.length > due.length ? { requeueAfterMs: sweepMs } : undefined;
    },
  };
}

function noteMissing(missingSince: Map<string, number>, orphans: readonly Pod[], now: number): void {
  const missing = new Set(orphans.map(({ spec }) => spec.nodeName ?? ""));
  for (const node of missingSince.keys()) if (!missing.has(node)) missingSince.delete(node);
  for (const node of missing) if (!missingSince.has(node)) missingSince.set(node, now);
}

function beyondThreshold(pods: readonly Pod[]): readonly Pod[] {
  const ended = pods.filter((pod) => isPodTerminal(pod) && !pod.metadata.deletionTimestamp);
  if (ended.length <= maxTerminated) return [];
  const made = ({ metadata }: Pod): string => metadata.creationTimestamp ?? "";
  return ended.sort((a, b) => (made(a) < made(b) ? -1 : 1)).slice(0, ended.length - maxTerminated);
}

/** Says in the pod's status that its node is gone, so that a Job counts it, and removes it. */
async function giveUp(deps: CoreDeps, pod: Pod): Promise<void> {
  if (!isPodTerminal(pod)) {
    const condition = {
      type: "DisruptionTarget",
      status: "True",
      reason: "DeletionByPodGC",
      message: "PodGC: node no longer exists",
      lastTransitionTime: formatTime(deps.clock.now()),
    };
    const conditions = [...(pod.status?.conditions ?? []).filter(({ type }) => type !== condition.type), condition];
    const status = { ...pod.status, phase: "Failed", conditions };
    try {
      await deps.client.update(PodKind, { ...pod, status }, { subresource: "status" });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  await remove(deps, pod);
}

async function remove({ client }: CoreDeps, { metadata }: Pod): Promise<void> {
  const { name, namespace = "", uid = "" } = metadata;
  try {
    await client.delete(PodKind, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
