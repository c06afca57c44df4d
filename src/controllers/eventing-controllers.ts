import type { ControllerSpec } from "../client/controller.ts";
import { brokerController } from "./eventing/broker-controller.ts";
import { channelController } from "./eventing/channel-controller.ts";
import type { EventingDeps } from "./eventing/deps.ts";
import { inMemoryChannelController } from "./eventing/in-memory-channel-controller.ts";
import { subscriptionController } from "./eventing/subscription-controller.ts";
import { triggerController } from "./eventing/trigger-controller.ts";

/** The controllers of Knative Eventing. */
export function eventingControllers(deps: EventingDeps): readonly ControllerSpec[] {
  return [
    brokerController(deps),
    triggerController(deps),
    channelController(deps),
    inMemoryChannelController(deps),
    subscriptionController(deps),
  ];
}
