import type { ControllerSpec } from "../client/controller.ts";
import { configurationController } from "./serving/configuration-controller.ts";
import type { ServingDeps } from "./serving/deps.ts";
import { domainMappingController } from "./serving/domain-mapping-controller.ts";
import { labelerControllers } from "./serving/labeler-controllers.ts";
import { revisionController } from "./serving/revision-controller.ts";
import { revisionGcController } from "./serving/revision-gc-controller.ts";
import { routeController } from "./serving/route-controller.ts";
import { serviceController } from "./serving/service-controller.ts";

/** The controllers of Knative Serving but for autoscaling, which has a folder of its own. */
export function servingControllers(deps: ServingDeps): readonly ControllerSpec[] {
  return [
    serviceController(deps),
    configurationController(deps),
    revisionController(deps),
    routeController(deps),
    domainMappingController(deps),
    ...labelerControllers(deps),
    revisionGcController(deps),
  ];
}
