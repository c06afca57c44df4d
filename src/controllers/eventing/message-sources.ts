/** Every kind of source that src/events/sources reads. */
import type { ControllerSpec } from "../../client/controller.ts";
import { KafkaSourceKind, NatsJetStreamSourceKind } from "../../api/sources/kinds.ts";
import type { KafkaSource } from "../../api/sources/types.gen.ts";
import type { EventingDeps } from "./deps.ts";
import { messageSourceController } from "./message-source-controller.ts";
import { storeSourceControllers } from "./store-sources.ts";

export function messageSourceControllers(deps: EventingDeps): readonly ControllerSpec[] {
  return [
    messageSourceController(deps, {
      kind: KafkaSourceKind,
      conditions: ["ConnectionEstablished", "Deployed", "InitialOffsetsCommitted"],
      settingsOf: keyTypeOf,
      attributesOf: ({ spec }, base) =>
        (spec.topics ?? []).map((topic) => ({ type: "dev.knative.kafka.event", source: `${base}#${topic}` })),
      statusOf: ({ spec }, state) => ({ consumers: state?.connected ? (spec.consumers ?? 1) : 0 }),
    }),
    messageSourceController(deps, {
      kind: NatsJetStreamSourceKind,
      conditions: ["ConnectionEstablished"],
      attributesOf: (_source, base) => [{ type: "dev.ebb.nats.message", source: base }],
    }),
    ...storeSourceControllers(deps),
  ];
}

/** What the bytes of keys are is said in a label, as upstream has it. */
function keyTypeOf({ metadata }: KafkaSource): object {
  const keyType = metadata.labels?.["kafkasources.sources.knative.dev/key-type"];
  return keyType === undefined ? {} : { keyType };
}
