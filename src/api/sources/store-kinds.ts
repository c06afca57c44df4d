/** Sources of stores, MQTT, webhooks, folders and web addresses: upstream's where there is one, else ebb's own group. */
import { kind, type Kind } from "../meta/kind.ts";
import type { KubeObject } from "../meta/object.ts";
import type {
  FileSource,
  GitHubSource,
  HttpPollSource,
  MqttSource,
  PostgresSource,
  RedisListSource,
  RedisStreamSource,
  WebhookSource,
} from "./types-stores.gen.ts";

const source = <T extends KubeObject>(group: string, name: string): Kind<T> =>
  kind<T>({
    group,
    version: "v1alpha1",
    kind: name,
    plural: `${name.toLowerCase()}s`,
    categories: ["all", "knative", "sources"],
  });

export const RedisStreamSourceKind: Kind<RedisStreamSource> = source("sources.knative.dev", "RedisStreamSource");
export const GitHubSourceKind: Kind<GitHubSource> = source("sources.knative.dev", "GitHubSource");
export const RedisListSourceKind: Kind<RedisListSource> = source("sources.ebb.dev", "RedisListSource");
export const PostgresSourceKind: Kind<PostgresSource> = source("sources.ebb.dev", "PostgresSource");
export const MqttSourceKind: Kind<MqttSource> = source("sources.ebb.dev", "MqttSource");
export const WebhookSourceKind: Kind<WebhookSource> = source("sources.ebb.dev", "WebhookSource");
export const FileSourceKind: Kind<FileSource> = source("sources.ebb.dev", "FileSource");
export const HttpPollSourceKind: Kind<HttpPollSource> = source("sources.ebb.dev", "HttpPollSource");
