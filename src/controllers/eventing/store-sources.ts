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
import type { EventingDeps } from "./deps.ts";
import { isFalse } from "../../api/serving/conditions.ts";
import { sourceFollower, type SourceFollower } from "./message-source-controller.ts";
import { makeWebhookWays } from "./webhook-ways.ts";

export function storeSourceControllers(deps: EventingDeps): readonly SourceFollower[] {
  return [
    sourceFollower(deps, {
      kind: RedisStreamSourceKind,
      conditions: ["Deployed"],
      // Upstream's: the address and the stream.
      sourceOf: ({ spec }) => `${withoutLogin(spec.address)}/${spec.stream}`,
      attributesOf: (_source, base) => [{ type: "dev.knative.sources.redisstream", source: base }],
      statusOf: ({ spec }, state) => ({ consumers: state?.connected ? (spec.consumers ?? 1) : 0 }),
    }),
    sourceFollower(deps, {
      kind: RedisListSourceKind,
      conditions: ["ConnectionEstablished"],
      attributesOf: (_source, base) => [{ type: "dev.ebb.sources.redislist", source: base }],
    }),
    sourceFollower(deps, {
      kind: MqttSourceKind,
      conditions: ["ConnectionEstablished"],
      attributesOf: (_source, base) => [{ type: "dev.ebb.sources.mqtt.message", source: base }],
    }),
    sourceFollower(deps, {
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
    sourceFollower(deps, {
      kind: WebhookSourceKind,
      conditions: ["Addressable"],
      attributesOf: ({ spec: { eventType, verify } }, source) => [
        { type: eventType || `dev.ebb.sources.webhook.${verify?.scheme ?? "none"}`, source },
      ],
      makeWays: (from, source) => makeWebhookWays(from, WebhookSourceKind, source),
      statusOf: (_source, state) => addressIn(state),
    }),
    sourceFollower(deps, {
      kind: GitHubSourceKind,
      conditions: ["SecretsProvided", "WebhookConfigured"],
      // Upstream's.
      sourceOf: ({ spec }) => `https://github.com/${spec.ownerAndRepository}`,
      attributesOf: ({ spec }, source) =>
        (spec.eventTypes ?? []).map((type) => ({ type: `dev.knative.source.github.${type}`, source })),
      makeWays: (from, source) => makeWebhookWays(from, GitHubSourceKind, source),
      statusOf: (_source, state) => {
        const id = state?.facts?.["webhook.id"];
        return { ...addressIn(state), ...(id === undefined ? {} : { webhookIDKey: id }) };
      },
    }),
    sourceFollower(deps, {
      kind: FileSourceKind,
      conditions: ["FolderReadable"],
      refusal: ({ folders }) => (folders === false ? noFolders : undefined),
      attributesOf: ({ spec }, source) =>
        (spec.events ?? []).map((word) => ({ type: `dev.ebb.sources.file.${word}`, source })),
    }),
    sourceFollower(deps, {
      kind: HttpPollSourceKind,
      conditions: ["ConnectionEstablished"],
      attributesOf: ({ spec }, source) => [{ type: spec.eventType ?? "", source }],
    }),
  ];
}

/** Pods of ebb-events come and go, on any node: no folder is theirs. */
const noFolders = isFalse(
  "NotOnACluster",
  "folders are read by ebb up alone: on a cluster, use an IntegrationSource of aws.s3, or a ContainerSource whose pods mount the volume",
);

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
