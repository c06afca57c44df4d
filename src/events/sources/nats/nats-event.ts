/** Messages of NATS as events: the CloudEvents NATS binding, and plain messages. */
import type { CloudEvent } from "../../../api/cloudevents/cloud-event.ts";
import type { Logger } from "../../../telemetry/logger.ts";
import { decodeMessage, type NatsHeaders } from "../../log/jetstream-codec.ts";
import { eventsOfMessage, headerExtensions } from "../message-events.ts";
import { cloudEventOf } from "../source-delivery.ts";

export interface NatsMessage {
  readonly subject: string;
  readonly headers?: NatsHeaders | undefined;
  readonly data: Uint8Array;
}

/** What of a plain message's event is not the message's own. */
export interface PlainFacts {
  readonly id: string;
  readonly source: string;
  readonly time?: string;
}

export const natsEventType = "dev.ebb.nats.message";

export function natsEvents(message: NatsMessage, plain: PlainFacts, log: Logger): readonly CloudEvent[] {
  const { headers, data } = message;
  const names = headers?.keys() ?? [];
  const get = (wanted: string): string | undefined => {
    const name = names.find((one) => one.toLowerCase() === wanted);
    return name === undefined ? undefined : headers?.get(name);
  };
  const contentType = get("content-type");
  const isBinary = names.some((name) => /^ce-(specversion|type)$/i.test(name));
  const asPlain = (): CloudEvent => plainEvent(message, plain, contentType);
  // Attributes are decoded with the rest of the message, as those of ebb's own log are.
  const attributes = isBinary ? cloudAttributes(message) : {};
  return eventsOfMessage(
    { attributes, contentType: attributes["datacontenttype"] ?? contentType, body: data },
    asPlain,
    log,
  );
}

function cloudAttributes({ headers, data }: NatsMessage): Readonly<Record<string, string>> {
  try {
    const { data: _data, ...attributes } = cloudEventOf(decodeMessage(headers, data));
    return attributes as unknown as Readonly<Record<string, string>>;
  } catch {
    // It is found out and told again where events are made of it.
    return { specversion: headers?.get("ce-specversion") ?? "" };
  }
}

function plainEvent(
  { subject, headers, data }: NatsMessage,
  plain: PlainFacts,
  contentType: string | undefined,
): CloudEvent {
  const own = (headers?.keys() ?? []).filter((name) => !/^(nats-|content-type$|ce-)/i.test(name));
  return {
    specversion: "1.0",
    type: natsEventType,
    id: plain.id,
    source: plain.source,
    subject,
    ...(plain.time === undefined ? {} : { time: plain.time }),
    ...headerExtensions(
      "natsheader",
      own.map((name) => [name, headers?.get(name) ?? ""] as const),
    ),
    ...(contentType === undefined ? {} : { datacontenttype: contentType }),
    ...(data.length > 0 ? { data } : {}),
  };
}
