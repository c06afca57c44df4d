/** Messages of RabbitMQ as events: the CloudEvents AMQP binding, upstream's own headers, and plain messages. */
import { randomUUID } from "node:crypto";
import type { ConsumeMessage } from "amqplib";
import type { CloudEvent } from "../../../api/cloudevents/cloud-event.ts";
import type { Logger } from "../../../telemetry/logger.ts";
import { eventsOfMessage } from "../message-events.ts";

export interface QueueFacts {
  /** `/apis/v1/namespaces/NS/rabbitmqsources/NAME#QUEUE`. */
  readonly source: string;
  readonly nowMs: number;
}

export function rabbitmqEvents(message: ConsumeMessage, facts: QueueFacts, log: Logger): readonly CloudEvent[] {
  const { properties, content } = message;
  const headers = Object.entries(properties.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const);
  const inHeader = headers.find(([name]) => name === "content-type")?.[1];
  const contentType = textOf(properties.contentType ?? inHeader);
  const attributes = attributesOf(headers);
  return eventsOfMessage({ attributes, contentType, body: content }, () => plainEvent(message, facts), log);
}

const prefix = /^(?:cloudevents[:_]|ce[-_])/;

/**
 * AMQP binding §3.1.3: application properties `cloudEvents_` or `cloudEvents:` and the name. eventing-rabbitmq writes
 * names as they are, beside a header `specversion`, and takes `ce-`, too (pkg/rabbit/message.go).
 */
function attributesOf(headers: readonly (readonly [string, unknown])[]): Readonly<Record<string, string>> {
  const attributes: Record<string, string> = {};
  const isBare = headers.some(([name]) => name === "specversion");
  for (const [name, value] of headers) {
    const text = textOf(value);
    const isNamed = prefix.test(name) || (isBare && /^[a-z0-9]+$/.test(name));
    if (isNamed && text !== undefined) attributes[name.replace(prefix, "")] = text;
  }
  return attributes;
}

/** Times are sent as such by some. */
function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (Buffer.isBuffer(value)) return value.toString("utf8");
  const { "!": type, value: inner } = value as { readonly "!"?: unknown; readonly value?: unknown };
  if (type === "timestamp") return new Date(Number(inner) * 1000).toISOString();
  return typeof value === "object" ? undefined : String(value as string | number | boolean);
}

/** Without an id of the message's own it is another event each time it is delivered: two that are alike are two. */
function plainEvent({ content, properties, fields }: ConsumeMessage, { source, nowMs }: QueueFacts): CloudEvent {
  const id = textOf(properties.messageId) || randomUUID();
  const contentType = textOf(properties.contentType);
  const seconds = Number(properties.timestamp);
  return {
    specversion: "1.0",
    type: "dev.knative.rabbitmq.event",
    source,
    id,
    subject: id,
    time: new Date(seconds > 0 ? seconds * 1000 : nowMs).toISOString(),
    ...(fields.routingKey === "" ? {} : { rabbitmqroutingkey: fields.routingKey }),
    ...(contentType ? { datacontenttype: contentType } : {}),
    ...(content.length > 0 ? { data: content } : {}),
  };
}
