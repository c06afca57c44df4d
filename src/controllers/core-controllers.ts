import type { ControllerSpec } from "../client/controller.ts";
import { deploymentController } from "./apps/deployment.ts";
import { replicaSetController } from "./apps/replica-set.ts";
import type { CoreDeps } from "./core-deps.ts";

/** The controllers of Kubernetes' own kinds, as kube-controller-manager and kube-scheduler run them in a cluster. */
export function coreControllers(deps: CoreDeps): readonly ControllerSpec[] {
  return [deploymentController(deps), replicaSetController(deps)];
}
