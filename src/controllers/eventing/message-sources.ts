/** Every kind of source that src/events/sources reads. */
import type { ControllerSpec } from "../../client/controller.ts";
import { NatsJetStreamSourceKind } from "../../api/sources/kinds.ts";
import type { EventingDeps } from "./deps.ts";
import { messageSourceController } from "./message-source-controller.ts";
import { storeSourceControllers } from "./store-sources.ts";

export function messageSourceControllers(deps: EventingDeps): readonly ControllerSpec[] {
  return [
    messageSourceController(deps, {
      kind: NatsJetStreamSourceKind,
      conditions: ["ConnectionEstablished"],
      attributesOf: (_source, base) => [{ type: "dev.ebb.nats.message", source: base }],
    }),
    ...storeSourceControllers(deps),
  ];
}
