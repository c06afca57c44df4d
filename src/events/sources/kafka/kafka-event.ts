/** Records of Kafka as events: the CloudEvents Kafka binding, and what upstream makes of other records. */
import type { CloudEvent } from "../../../api/cloudevents/cloud-event.ts";
import type { Logger } from "../../../telemetry/logger.ts";
import { eventsOfMessage, headerExtensions } from "../message-events.ts";

export interface TopicRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [Buffer | null, Buffer | null])[];
}

/** What the bytes of a key are: the label `kafkasources.sources.knative.dev/key-type`. */
export type KeyType = "string" | "int" | "float" | "byte-array";

export interface RecordFacts {
  /** `/apis/v1/namespaces/NS/kafkasources/NAME`. */
  readonly source: string;
  readonly keyType: KeyType;
}

const empty = Buffer.alloc(0);

export function kafkaEvents(record: TopicRecord, facts: RecordFacts, log: Logger): readonly CloudEvent[] {
  const headers = record.headers.map(([name, value]) => [textOf(name ?? empty), textOf(value ?? empty)] as const);
  const attributes: Record<string, string> = {};
  let contentType: string | undefined;
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (lower.startsWith("ce_")) attributes[lower.slice("ce_".length)] = value;
    else if (lower === "content-type") contentType = value;
  }
  const message = { attributes, contentType, body: record.value ?? empty };
  return eventsOfMessage(message, () => plainEvent(record, headers, { ...facts, contentType }), log);
}

/** Ids and names as eventing-kafka-broker has them (InvalidCloudEventInterceptor). */
function plainEvent(
  { topic, partition, offset, timestampMs, key, value }: TopicRecord,
  headers: readonly (readonly [string, string])[],
  { source, keyType, contentType }: RecordFacts & { readonly contentType: string | undefined },
): CloudEvent {
  const keyValue = key === null ? undefined : keyOf(key, keyType);
  return {
    specversion: "1.0",
    type: "dev.knative.kafka.event",
    source: `${source}#${topic}`,
    id: `partition:${partition}/offset:${offset}`,
    subject: `partition:${partition}#${offset}`,
    time: new Date(timestampMs).toISOString(),
    ...headerExtensions("kafkaheader", headers),
    ...(keyValue === undefined ? {} : { key: keyValue, partitionkey: String(keyValue) }),
    ...(contentType === undefined ? {} : { datacontenttype: contentType }),
    ...(value === null ? {} : { data: value }),
  };
}

/** Numbers are big-endian, as Kafka's own serializers write them; a key of another length is taken as bytes. */
function keyOf(key: Buffer, type: KeyType): string | number {
  if (type === "string") return textOf(key);
  if (type === "int" && key.length === 4) return key.readInt32BE();
  // Attributes are 32-bit integers; a longer one is text.
  if (type === "int" && key.length === 8) return String(key.readBigInt64BE());
  if (type === "float" && key.length === 4) return String(key.readFloatBE());
  if (type === "float" && key.length === 8) return String(key.readDoubleBE());
  return key.toString("base64");
}

/** Bytes that are no UTF-8 as base64. */
function textOf(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  return text.includes("\ufffd") && !Buffer.from(text).equals(bytes) ? bytes.toString("base64") : text;
}
