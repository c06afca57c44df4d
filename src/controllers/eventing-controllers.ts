import { IntegrationSourceKind } from "../api/sources/kinds.ts";
import type { ControllerSpec } from "../client/controller.ts";
import { apiServerSource } from "./eventing/api-server-source-controller.ts";
import { brokerController } from "./eventing/broker-controller.ts";
import { channelController } from "./eventing/channel-controller.ts";
import { containerSourceController } from "./eventing/container-source-controller.ts";
import { eventPolicyController } from "./eventing/event-policy-controller.ts";
import { eventTransformController } from "./eventing/event-transform-controller.ts";
import { eventTypeController } from "./eventing/event-type-controller.ts";
import type { EventingDeps } from "./eventing/deps.ts";
import { inMemoryChannelController } from "./eventing/in-memory-channel-controller.ts";
import { eventTypeMaker } from "./eventing/event-type-maker.ts";
import { integrationSinkController } from "./eventing/integration-sink-controller.ts";
import { integrationSourceController, integrationSourceFollower } from "./eventing/integration-source-controller.ts";
import type { SourceFollower } from "./eventing/message-source-controller.ts";
import { messageSourceControllers } from "./eventing/message-sources.ts";
import { jobSinkController } from "./eventing/job-sink-controller.ts";
import { parallelController } from "./eventing/parallel-controller.ts";
import { pingSourceController } from "./eventing/ping-source-controller.ts";
import { requestReplyController } from "./eventing/request-reply-controller.ts";
import { sequenceController } from "./eventing/sequence-controller.ts";
import { settingsController } from "./eventing/settings-controller.ts";
import { sinkBindingController } from "./eventing/sink-binding-controller.ts";
import { subscriptionController } from "./eventing/subscription-controller.ts";
import { triggerController } from "./eventing/trigger-controller.ts";

/** Those that drive the engines of streams and of sinks: every process that has these runs them. */
export const engineControllers = (deps: EventingDeps): readonly ControllerSpec[] => [
  brokerController(deps),
  triggerController(deps),
  inMemoryChannelController(deps),
  subscriptionController(deps),
  jobSinkController(deps),
  integrationSinkController(deps),
  eventTransformController(deps),
  requestReplyController(deps),
];

/** Those that say what is to be read: every process that shares the reading runs them. */
export const sourceFollowers = (deps: EventingDeps): readonly SourceFollower[] => [
  ...messageSourceControllers(deps),
  apiServerSource(deps),
  { kind: IntegrationSourceKind, spec: integrationSourceFollower(deps) },
];

/** The controllers of Knative Eventing. */
export function eventingControllers(deps: EventingDeps): readonly ControllerSpec[] {
  return [
    ...engineControllers(deps),
    channelController(deps),
    sequenceController(deps),
    parallelController(deps),
    pingSourceController(deps),
    apiServerSource(deps).spec,
    containerSourceController(deps),
    sinkBindingController(deps),
    eventTypeController(deps),
    eventTypeMaker(deps),
    integrationSourceController(deps),
    ...messageSourceControllers(deps).map(({ spec }) => spec),
    eventPolicyController(deps),
    settingsController(deps),
  ];
}
