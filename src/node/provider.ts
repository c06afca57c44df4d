import type { Pod, PodStatus } from "../api/core/types.gen.ts";

/**
 * How pods of a node are run: as processes, later in OCI containers or by a cloud's service. The agent does the rest:
 * watching, status, deletion, the Node object. After virtual-kubelet's PodLifecycleHandler.
 */
export interface Provider {
  /** `process`, for node info and messages. */
  readonly name: string;
  /**
   * Accepts a pod and returns; what becomes of it is told to the listener. Called again for a pod it has: the pod may
   * have new labels, annotations or deadlines.
   */
  setPod(pod: Pod): void;
  /**
   * Ends a pod within the grace period; resolves when nothing of it runs and its last status was told. Further calls
   * may shorten the time. Unknown pods are ended already.
   */
  deletePod(uid: string, graceMs: number): Promise<void>;
  /** Uids of the pods it has. */
  pods(): readonly string[];
  /** Called once, before any pod. */
  onStatus(listener: (pod: Pod, status: PodStatus) => void): void;
  close(): Promise<void>;
}
