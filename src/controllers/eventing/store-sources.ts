/** Sources of stores: what is particular to them as objects. */
import {
  FileSourceKind,
  GitHubSourceKind,
  HttpPollSourceKind,
  MqttSourceKind,
  PostgresSourceKind,
  RedisListSourceKind,
  RedisStreamSourceKind,
  WebhookSourceKind,
} from "../../api/sources/store-kinds.ts";
import type { SourceState } from "../../api/eventing/source-engine.ts";
import type { Addressable } from "../../api/serving/types.gen.ts";
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
    messageSourceController(deps, {
      kind: WebhookSourceKind,
      conditions: ["Addressable"],
      attributesOf: ({ spec: { eventType, verify } }, source) => [
        { type: eventType || `dev.ebb.sources.webhook.${verify?.scheme ?? "none"}`, source },
      ],
      statusOf: (_source, state) => addressIn(state),
    }),
    messageSourceController(deps, {
      kind: GitHubSourceKind,
      conditions: ["SecretsProvided", "WebhookConfigured"],
      // Upstream's.
      sourceOf: ({ spec }) => `https://github.com/${spec.ownerAndRepository}`,
      attributesOf: ({ spec }, source) =>
        (spec.eventTypes ?? []).map((type) => ({ type: `dev.knative.source.github.${type}`, source })),
      statusOf: (_source, state) => {
        const id = state?.facts?.["webhook.id"];
        return { ...addressIn(state), ...(id === undefined ? {} : { webhookIDKey: id }) };
      },
    }),
    messageSourceController(deps, {
      kind: FileSourceKind,
      conditions: ["FolderReadable"],
      attributesOf: ({ spec }, source) =>
        (spec.events ?? []).map((word) => ({ type: `dev.ebb.sources.file.${word}`, source })),
    }),
    messageSourceController(deps, {
      kind: HttpPollSourceKind,
      conditions: ["ConnectionEstablished"],
      attributesOf: ({ spec }, source) => [{ type: spec.eventType ?? "", source }],
    }),
  ];
}

/** Where the provider is to send. */
function addressIn(state: SourceState | undefined): { readonly address?: Addressable } {
  const url = state?.facts?.["webhook.url"];
  return url === undefined ? {} : { address: { url } };
}

/** A URL without the user in it: it is in every event. */
function withoutLogin(address: string | undefined): string {
  const url = URL.parse(address ?? "");
  return url ? `${url.protocol}//${url.host}${url.pathname === "/" ? "" : url.pathname}` : (address ?? "");
}
