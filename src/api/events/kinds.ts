import { kind } from "../meta/kind.ts";
import type { Event } from "./types.gen.ts";

export const EventsEventKind = kind<Event>({
  group: "events.k8s.io",
  version: "v1",
  kind: "Event",
  plural: "events",
  shortNames: ["ev"],
});
