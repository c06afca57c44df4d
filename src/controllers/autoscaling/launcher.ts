import type { PodTemplateSpec } from "../../api/core/types.gen.ts";

/** Asks for instances of a revision ahead of their pods. */
export interface StartAhead {
  /** `namespace/name` of the Revision. */
  readonly revision: string;
  readonly namespace: string;
  /** The pod template of the revision's ReplicaSet or Deployment, as stored. */
  readonly template: PodTemplateSpec;
  /** Instances wanted in all, running and starting ones included. */
  readonly count: number;
}

/**
 * The short way to a running instance: implemented by the node agent standalone (claims a warm host in memory), absent
 * in a cluster until warm pods exist. Returns at once. Whatever it starts is later given to the pods that the
 * ReplicaSet creates (matched by the template's serving.knative.dev/revisionUID label), so no instance runs twice;
 * what no pod has taken after a while is stopped.
 *
 * Tells whether instances that wait for their pods are there or starting now. If not (the template needs its pod, the
 * node is full, or pods still count that are about to go), only the pods themselves will bring what was asked for.
 */
export interface Launcher {
  startAhead(request: StartAhead): boolean;
  /** More starts are under way than the machine can work on at once: whatever can wait should. */
  isBusy(): boolean;
}
