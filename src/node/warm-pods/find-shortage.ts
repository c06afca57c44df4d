import { DeploymentKind } from "../../api/apps/kinds.ts";
import type { Deployment } from "../../api/apps/types.gen.ts";
import { PodKind } from "../../api/core/kinds.ts";
import type { Pod } from "../../api/core/types.gen.ts";
import type { Informers } from "../../client/informer.ts";

/** What pods of functions lack, and pods that wait may have taken. */
export interface Shortage {
  /** Whose quota is used up; absent: the nodes are full. */
  readonly namespace?: string;
  /** Whether every pod counts, or only those that request something. */
  readonly of: "pods" | "resources";
  /** As Kubernetes says it. */
  readonly message: string;
}

/** Tells of Revisions' pods that are not made or find no place because others are there. Returns what ends it. */
export function followShortages(informers: Pick<Informers, "of">, tell: (shortage: Shortage) => void): () => void {
  const stops = [
    informers.of(DeploymentKind).onChange(({ type, object }) => {
      const found = type === "deleted" ? undefined : ofQuota(object);
      if (found) tell(found);
    }),
    informers.of(PodKind).onChange(({ type, object }) => {
      const found = type === "deleted" ? undefined : ofNodes(object);
      if (found) tell(found);
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** `pods "x" is forbidden: exceeded quota: few, requested: pods=1, used: pods=2, limited: pods=2`. */
function ofQuota({ metadata, status }: Deployment): Shortage | undefined {
  const failure = status?.conditions?.find((one) => one.type === "ReplicaFailure" && one.status === "True");
  const { message = "" } = failure ?? {};
  return message.includes("exceeded quota") ? { namespace: metadata.namespace ?? "", of: "pods", message } : undefined;
}

/** `0/2 nodes are available: 2 Insufficient memory. …`, `… Too many pods. …`. */
function ofNodes({ status }: Pod): Shortage | undefined {
  const { message = "" } =
    status?.conditions?.find(
      (one) => one.type === "PodScheduled" && one.status === "False" && one.reason === "Unschedulable",
    ) ?? {};
  if (message.includes("Too many pods")) return { of: "pods", message };
  return message.includes("Insufficient ") ? { of: "resources", message } : undefined;
}
