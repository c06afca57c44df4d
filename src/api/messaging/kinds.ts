import { kind } from "../meta/kind.ts";
import type { Channel, InMemoryChannel, Subscription } from "./types.gen.ts";

const group = "messaging.knative.dev";
const version = "v1";

export const ChannelKind = kind<Channel>({
  group,
  version,
  kind: "Channel",
  plural: "channels",
  shortNames: ["ch"],
  categories: ["all", "knative", "messaging", "channel"],
});
export const InMemoryChannelKind = kind<InMemoryChannel>({
  group,
  version,
  kind: "InMemoryChannel",
  plural: "inmemorychannels",
  shortNames: ["imc"],
  categories: ["all", "knative", "messaging", "channel"],
});
export const SubscriptionKind = kind<Subscription>({
  group,
  version,
  kind: "Subscription",
  plural: "subscriptions",
  shortNames: ["sub"],
  categories: ["all", "knative", "messaging"],
});
