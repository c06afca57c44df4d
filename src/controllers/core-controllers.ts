import type { Kind } from "../api/meta/kind.ts";
import type { ControllerSpec } from "../client/controller.ts";
import { deploymentController } from "./apps/deployment.ts";
import { replicaSetController } from "./apps/replica-set.ts";
import { cronJobController } from "./batch/cron-job.ts";
import { jobController } from "./batch/job.ts";
import { ttlAfterFinishedController } from "./batch/ttl-after-finished.ts";
import type { CoreDeps } from "./core-deps.ts";
import { eventExpiryController } from "./core/event-expiry.ts";
import { namespaceController } from "./core/namespace.ts";
import { podGarbageCollector } from "./core/pod-gc.ts";
import { rootObjectsController } from "./core/root-objects.ts";
import { endpointSliceController } from "./discovery/endpoint-slice.ts";
import { endpointSliceMirroringController } from "./discovery/endpoint-slice-mirroring.ts";
import { endpointsController } from "./discovery/endpoints.ts";
import { garbageCollector } from "./garbage-collection/garbage-collector.ts";
import { hpaController } from "./hpa/hpa-controller.ts";
import type { MetricsSource } from "./hpa/metrics-source.ts";
import { nodeLifecycleController, taintEvictionController } from "./node-lifecycle/node-lifecycle.ts";
import { disruptionController } from "./policy/disruption-budget.ts";
import { schedulerController } from "./scheduling/scheduler.ts";
import { createServedKinds } from "./served-kinds.ts";

export interface CoreControllersDeps extends CoreDeps {
  /** Every kind the API server serves by itself; those of CRDs are found. */
  readonly builtInKinds: readonly Kind[];
  /** PEM of the authority that signed the API server's certificate, for ConfigMap kube-root-ca.crt. */
  readonly rootCa?: string;
  /** What HorizontalPodAutoscalers measure by; without it they say that they have no metrics. */
  readonly metrics?: MetricsSource;
}

/** The controllers of Kubernetes' own kinds, as kube-controller-manager and kube-scheduler run them in a cluster. */
export function coreControllers(deps: CoreControllersDeps): readonly ControllerSpec[] {
  const kinds = createServedKinds(deps.informers, deps.builtInKinds);
  return [
    schedulerController(deps),
    replicaSetController(deps),
    deploymentController(deps),
    jobController(deps),
    cronJobController(deps),
    ttlAfterFinishedController(deps),
    endpointSliceController(deps),
    endpointsController(deps),
    endpointSliceMirroringController(deps),
    disruptionController(deps),
    rootObjectsController(deps),
    eventExpiryController(deps),
    podGarbageCollector(deps),
    nodeLifecycleController(deps),
    taintEvictionController(deps),
    namespaceController({ ...deps, kinds }),
    garbageCollector({ ...deps, kinds }),
    hpaController({ ...deps, kinds }),
  ];
}
