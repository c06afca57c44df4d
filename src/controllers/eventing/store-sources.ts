/** Sources of stores: what is particular to them as objects. */
import {
  MqttSourceKind,
  PostgresSourceKind,
  RedisListSourceKind,
  RedisStreamSourceKind,
} from "../../api/sources/store-kinds.ts";
import type { ControllerSpec } from "../../client/controller.ts";
import type { EventingDeps } from "./deps.ts";
import { messageSourceController } from "./message-source-controller.ts";

export function storeSourceControllers(deps: EventingDeps): readonly ControllerSpec[] {
  return [
    messageSourceController(deps, {
      kind: RedisStreamSourceKind,
      conditions: ["Deployed"],
      // Upstream's: the address and the stream.
      sourceOf: ({ spec }) => `${withoutLogin(spec.address)}/${spec.stream}`,
      attributesOf: (_source, base) => [{ type: "dev.knative.sources.redisstream", source: base }],
      statusOf: ({ spec }, state) => ({ consumers: state?.connected ? (spec.consumers ?? 1) : 0 }),
    }),
    messageSourceController(deps, {
      kind: RedisListSourceKind,
      conditions: ["ConnectionEstablished"],
      attributesOf: (_source, base) => [{ type: "dev.ebb.sources.redislist", source: base }],
    }),
    messageSourceController(deps, {
      kind: MqttSourceKind,
      conditions: ["ConnectionEstablished"],
      attributesOf: (_source, base) => [{ type: "dev.ebb.sources.mqtt.message", source: base }],
    }),
    messageSourceController(deps, {
      kind: PostgresSourceKind,
      conditions: ["ConnectionEstablished"],
      attributesOf: ({ spec: { replication, listen } }, source) => {
        const operations = replication?.operations ?? ["insert", "update", "delete", "truncate"];
        return (listen ? ["notification"] : operations).map((word) => ({
          type: `dev.ebb.sources.postgres.${word}`,
          source,
        }));
      },
    }),
  ];
}

/** A URL without the user in it: it is in every event. */
function withoutLogin(address: string | undefined): string {
  const url = URL.parse(address ?? "");
  return url ? `${url.protocol}//${url.host}${url.pathname === "/" ? "" : url.pathname}` : (address ?? "");
}
