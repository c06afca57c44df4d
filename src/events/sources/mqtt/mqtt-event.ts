/** Messages of MQTT as events: CloudEvents MQTT binding 1.0.2, and plain messages. */
import { randomUUID } from "node:crypto";
import type { IPublishPacket } from "mqtt";
import type { CloudEvent } from "../../../api/cloudevents/cloud-event.ts";
import { eventsOfMessage, headerExtensions } from "../message-events.ts";
import { contentTypeOf, structuredEventIn } from "../plain-body.ts";
import type { SourceContext } from "../source-reader.ts";

export const mqttEventType = "dev.ebb.sources.mqtt.message";

/**
 * Version 5 says in the content type that a message is an event in structured mode, in user properties one in binary
 * mode. Version 3.1.1 has no word for it: what is an event in JSON is one (§3, only structured mode).
 */
export function mqttEvents(packet: IPublishPacket, context: SourceContext): readonly CloudEvent[] {
  const body = Buffer.from(packet.payload);
  const { properties } = packet;
  const said = userPropertiesOf(packet);
  const contentType = properties?.contentType;
  const plain = (): CloudEvent => plainEvent(packet, body, { said, contentType, context });
  if (!properties) return [structuredEventIn(body) ?? plain()];
  const attributes = Object.fromEntries(said.filter(([name]) => /^[a-z0-9]+$/.test(name)));
  return eventsOfMessage(
    { attributes: "specversion" in attributes ? attributes : {}, contentType, body },
    plain,
    context.log,
  );
}

type UserProperties = readonly (readonly [string, string])[];

function userPropertiesOf({ properties }: IPublishPacket): UserProperties {
  return Object.entries(properties?.userProperties ?? {}).map(([name, value]) => [name, String([value].flat()[0])]);
}

interface Facts {
  readonly said: UserProperties;
  readonly contentType: string | undefined;
  readonly context: SourceContext;
}

function plainEvent(
  { topic, qos, retain }: IPublishPacket,
  body: Buffer,
  { said, contentType, context }: Facts,
): CloudEvent {
  return {
    specversion: "1.0",
    // Messages have no names.
    id: randomUUID(),
    source: context.sourceOf(),
    type: mqttEventType,
    subject: topic,
    time: new Date(context.clock.now()).toISOString(),
    ...headerExtensions("mqttuser", said),
    mqttqos: String(qos),
    ...(retain ? { mqttretain: "true" } : {}),
    // A Trigger that keeps order by it keeps a topic's messages in order.
    partitionkey: topic,
    datacontenttype: contentType ?? contentTypeOf(body),
    data: body,
  };
}

/** MQTT 5.0 §4.7: whether a topic is one that a filter names. Topics that begin with $ are none of a leading wildcard. */
export function matchesTopic(filter: string, topic: string): boolean {
  if (topic.startsWith("$") && /^[+#]/.test(filter)) return false;
  const [wanted, levels] = [filter.split("/"), topic.split("/")];
  for (const [at, level] of wanted.entries()) {
    if (level === "#") return true;
    if (levels[at] === undefined || (level !== "+" && level !== levels[at])) return false;
  }
  return wanted.length === levels.length;
}
