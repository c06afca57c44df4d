import { kind, type Kind } from "../meta/kind.ts";
import type { KubeObject } from "../meta/object.ts";
import type { Broker, EventPolicy, EventTransform, EventType, RequestReply, Trigger } from "./types.gen.ts";
import type { EventType as EventTypeV1beta2 } from "./types-v1beta2.gen.ts";

const eventing = <T extends KubeObject>(
  version: string,
  name: string,
  plural: string,
  shortNames: string[] = [],
): Kind<T> =>
  kind<T>({
    group: "eventing.knative.dev",
    version,
    kind: name,
    plural,
    shortNames,
    categories: ["all", "knative", "eventing"],
  });

export const BrokerKind: Kind<Broker> = eventing("v1", "Broker", "brokers");
export const TriggerKind: Kind<Trigger> = eventing("v1", "Trigger", "triggers");
export const EventTypeKind: Kind<EventType> = eventing("v1beta3", "EventType", "eventtypes");
export const EventTypeV1beta2Kind: Kind<EventTypeV1beta2> = eventing("v1beta2", "EventType", "eventtypes");
export const EventTypeV1beta1Kind: Kind<EventTypeV1beta2> = eventing("v1beta1", "EventType", "eventtypes");
export const EventPolicyKind: Kind<EventPolicy> = eventing("v1alpha1", "EventPolicy", "eventpolicies");
export const RequestReplyKind: Kind<RequestReply> = eventing("v1alpha1", "RequestReply", "requestreplies", ["rr"]);
export const EventTransformKind: Kind<EventTransform> = eventing("v1alpha1", "EventTransform", "eventtransforms");
