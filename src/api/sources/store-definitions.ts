/** Sources of Redis, PostgreSQL, MQTT, folders and web addresses as the API server serves them. */
import { ageAndReady, eventingKindFacts, sinkColumn } from "../eventing/columns.ts";
import { checkJsonata } from "../eventing/jsonata-syntax.ts";
import type { DeliverySpec, SourceSpec } from "../eventing/types-duck.gen.ts";
import { nameColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import type { Kind } from "../meta/kind.ts";
import type { KubeObject, Mutable } from "../meta/object.ts";
import { schemaOf } from "../schemas.ts";
import { column } from "../serving/columns.ts";
import { invalidValue, missingField, missingOneOf, multipleOneOf, within, type Problems } from "../serving/problems.ts";
import { checkSecretValue, messageSourceRules } from "./message-source.ts";
import {
  FileSourceKind,
  HttpPollSourceKind,
  MqttSourceKind,
  PostgresSourceKind,
  RedisListSourceKind,
  RedisStreamSourceKind,
} from "./store-kinds.ts";
import {
  checkCertificateSecrets,
  checkGoDuration,
  checkNames,
  checkRange,
  checkTls,
  checkUrl,
  checkWord,
} from "./store-source-checks.ts";
import type { PostgresSource, PostgresSourceSpec, RedisDialOptions } from "./types-stores.gen.ts";

/** Deliveries that may be asked for at once. */
export const inFlightRange = [1, 1000] as const;

interface StoreSource extends KubeObject {
  readonly spec: SourceSpec & { readonly delivery?: DeliverySpec };
}

interface Particulars<T extends StoreSource> {
  readonly kind: Kind<T>;
  /** What stands in the table beside the sink: a field of the spec. */
  readonly shown: readonly [title: string, field: keyof T["spec"] & string, description: string];
  defaults?(spec: Mutable<T["spec"]>): void;
  check(spec: T["spec"]): Problems;
}

/** A definition of a kind with sink, ceOverrides and delivery beside fields of its own. */
export function sourceDefinition<T extends StoreSource>(of: Particulars<T>): KindDefinition<T> {
  const [title, field, description] = of.shown;
  return {
    ...eventingKindFacts,
    kind: of.kind,
    schema: () => schemaOf(`sources.stores.v1alpha1.${of.kind.kind}`),
    columns: [
      nameColumn,
      column<T>(title, description, `.spec.${field}`, ({ spec }) => String(spec[field as keyof typeof spec] ?? "")),
      sinkColumn as KindDefinition<T>["columns"][number],
      ...(ageAndReady as KindDefinition<T>["columns"]),
    ],
    ...messageSourceRules<T>(of.kind, { ...(of.defaults ? { fill: of.defaults } : {}), check: of.check }),
  };
}

const checkRedis = (address: string | undefined, options: RedisDialOptions | undefined): Problems => [
  ...checkUrl(address, "address", ["redis", "rediss"]),
  ...within("dialOptions", [
    ...checkSecretValue("password", options?.password),
    ...checkCertificateSecrets(options ?? {}),
  ]),
];

export const redisStreamSourceDefinition = sourceDefinition({
  kind: RedisStreamSourceKind,
  shown: ["Stream", "stream", "The stream it reads."],
  defaults: (spec) => {
    spec.consumers ??= 1;
  },
  check: ({ address, dialOptions, stream, consumers }) => [
    ...checkRedis(address, dialOptions),
    ...(stream ? [] : [missingField("stream")]),
    ...checkRange(consumers, "consumers", [0, 1000]),
  ],
});

export const redisListSourceDefinition = sourceDefinition({
  kind: RedisListSourceKind,
  shown: ["List", "list", "The list it takes from."],
  defaults: (spec) => {
    spec.end ||= "right";
    spec.maxInFlight ??= 16;
  },
  check: ({ address, dialOptions, list, end, processingList, maxInFlight }) => [
    ...checkRedis(address, dialOptions),
    ...(list ? [] : [missingField("list")]),
    ...checkWord(end, "end", ["left", "right"]),
    ...(list && processingList === list
      ? [invalidValue(processingList, "processingList", "must be another list than the one that is read")]
      : []),
    ...checkRange(maxInFlight, "maxInFlight", inFlightRange),
  ],
});

export const postgresSourceDefinition: KindDefinition<PostgresSource> = sourceDefinition({
  kind: PostgresSourceKind,
  shown: ["Database", "url", "The database."],
  defaults: ({ replication, listen }) => {
    if (replication) replication.maxInFlight ??= 1;
    if (listen) listen.maxInFlight ??= 16;
  },
  check: (spec) => [
    ...checkUrl(spec.url, "url", ["postgres", "postgresql"]),
    ...checkSecretValue("password", spec.password),
    ...checkTls(spec.tls, "tls"),
    ...checkReplicationOrListen(spec),
  ],
});

const operations = ["insert", "update", "delete", "truncate"] as const;
/** Names of slots: lower-case letters, digits and underscores (PostgreSQL 17, replication slots). */
const slotName = /^[a-z0-9_]{1,63}$/;

function checkReplicationOrListen({ replication, listen }: PostgresSourceSpec): Problems {
  if (replication && listen) return [multipleOneOf("replication", "listen")];
  if (listen)
    return within("listen", [
      ...checkNames(listen.channels, "channels"),
      ...checkRange(listen.maxInFlight, "maxInFlight", inFlightRange),
    ]);
  if (!replication) return [missingOneOf("replication", "listen")];
  const { tables = [], publication, slot } = replication;
  return within("replication", [
    ...(tables.length === 0 && !publication ? [missingOneOf("tables", "publication")] : []),
    ...(tables.length > 0 ? checkNames(tables, "tables") : []),
    ...(tables.includes("*") && tables.length > 1
      ? [invalidValue(tables.join(", "), "tables", '"*" stands alone: it means every table')]
      : []),
    ...(slot && !slotName.test(slot)
      ? [invalidValue(slot, "slot", "must be of lower-case letters, digits and underscores, 63 at most")]
      : []),
    ...(replication.operations ?? []).flatMap((word, at) => checkWord(word, `operations[${at}]`, operations)),
    ...checkRange(replication.maxInFlight, "maxInFlight", inFlightRange),
  ]);
}

export const mqttSourceDefinition = sourceDefinition({
  kind: MqttSourceKind,
  shown: ["Broker", "url", "The broker."],
  defaults: (spec) => {
    spec.protocolVersion ||= "5";
    spec.qos ??= 1;
    spec.maxInFlight ??= 16;
    if (spec.protocolVersion === "5") spec.sessionExpirySeconds ??= 7 * 24 * 3600;
  },
  check: (spec) => [
    ...checkUrl(spec.url, "url", ["mqtt", "mqtts", "ws", "wss"]),
    ...checkNames(spec.topics, "topics"),
    ...(spec.topics ?? []).flatMap((topic, at) => checkTopicFilter(topic, `topics[${at}]`)),
    ...checkWord(spec.protocolVersion, "protocolVersion", ["3.1.1", "5"]),
    ...checkRange(spec.qos, "qos", [0, 1]),
    ...(spec.shareGroup && /[/+#]/.test(spec.shareGroup)
      ? [invalidValue(spec.shareGroup, "shareGroup", "must not contain /, + or #")]
      : []),
    ...checkRange(spec.sessionExpirySeconds, "sessionExpirySeconds", [0, 2 ** 31 - 1]),
    ...checkRange(spec.maxInFlight, "maxInFlight", inFlightRange),
    ...checkSecretValue("password", spec.password),
    ...checkTls(spec.tls, "tls"),
  ],
});

/** MQTT 5.0 §4.7.1: # only at the end, + and # only as a whole level. */
function checkTopicFilter(topic: string, path: string): Problems {
  const levels = topic.split("/");
  const isGood = levels.every(
    (level, at) => !/[+#\0]/.test(level) || level === "+" || (level === "#" && at === levels.length - 1),
  );
  return isGood ? [] : [invalidValue(topic, path, "+ and # must be whole levels, and # the last one")];
}

export const fileSourceDefinition = sourceDefinition({
  kind: FileSourceKind,
  shown: ["Path", "path", "The folder."],
  defaults: (spec) => {
    spec.pattern ||= "*";
    spec.events ??= ["created", "modified"];
    spec.content ||= "data";
    spec.maxBytes ??= 1024 * 1024;
    spec.settle ||= "1s";
    spec.interval ||= "2s";
    spec.existing ||= "send";
    spec.afterDelivery ||= "keep";
    spec.maxInFlight ??= 8;
  },
  check: (spec) => [
    ...(spec.path ? [] : [missingField("path")]),
    ...(spec.path && (!spec.path.startsWith("/") || spec.path.split("/").includes(".."))
      ? [invalidValue(spec.path, "path", "must be an absolute path without ..")]
      : []),
    ...(spec.events ?? []).flatMap((word, at) => checkWord(word, `events[${at}]`, ["created", "modified", "deleted"])),
    ...checkWord(spec.content, "content", ["data", "reference"]),
    ...checkRange(spec.maxBytes, "maxBytes", [1, 64 * 1024 * 1024]),
    ...checkGoDuration(spec.settle, "settle", 0),
    ...checkGoDuration(spec.interval, "interval", 100),
    ...checkWord(spec.existing, "existing", ["send", "skip"]),
    ...checkWord(spec.afterDelivery, "afterDelivery", ["keep", "delete"]),
    ...checkRange(spec.maxInFlight, "maxInFlight", inFlightRange),
  ],
});

export const httpPollSourceDefinition = sourceDefinition({
  kind: HttpPollSourceKind,
  shown: ["URL", "url", "The address it asks."],
  defaults: (spec) => {
    spec.interval ||= "1m";
    spec.timeout ||= "30s";
    spec.eventType ||= "dev.ebb.sources.httppoll";
    spec.maxBytes ??= 8 * 1024 * 1024;
    spec.maxInFlight ??= 1;
    spec.existing ||= "send";
  },
  check: (spec) => [
    ...checkUrl(spec.url, "url", ["http", "https"]),
    ...checkGoDuration(spec.interval, "interval", 1000),
    ...checkGoDuration(spec.timeout, "timeout", 100),
    ...Object.entries(spec.headers ?? {}).flatMap(([name]) => checkHeaderName(name, "headers")),
    ...Object.entries(spec.secretHeaders ?? {}).flatMap(([name, value]) => [
      ...checkHeaderName(name, "secretHeaders"),
      ...checkSecretValue(`secretHeaders.${name}`, value),
    ]),
    ...checkTls(spec.tls, "tls"),
    ...checkExpression(spec.items, "items"),
    ...checkExpression(spec.itemId, "itemId"),
    ...(spec.itemId && !spec.items ? [missingField("items")] : []),
    ...checkRange(spec.maxBytes, "maxBytes", [1, 64 * 1024 * 1024]),
    ...checkRange(spec.maxInFlight, "maxInFlight", inFlightRange),
    ...checkWord(spec.existing, "existing", ["send", "skip"]),
  ],
});

export const checkHeaderName = (name: string | undefined, path: string): Problems =>
  !name || /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name) ? [] : [invalidValue(name, path, "is no name of a header")];

function checkExpression(text: string | undefined, path: string): Problems {
  const complaint = text ? checkJsonata(text) : undefined;
  return complaint === undefined ? [] : [invalidValue(text, path, complaint)];
}
