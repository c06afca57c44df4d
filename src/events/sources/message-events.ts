/** What a message of a queue or a topic is as events: the CloudEvents bindings have one shape, with other names. */
import { checkCloudEvent, CloudEventError, type CloudEvent } from "../../api/cloudevents/cloud-event.ts";
import { contentMode } from "../../api/cloudevents/parse-http.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { parseStoredEvents } from "../wire/parse-stored.ts";
import { cloudEventOf } from "./source-delivery.ts";

export interface Message {
  /** Attributes that headers carry, by their names without a prefix and decoded; empty when it is no event in binary mode. */
  readonly attributes: Readonly<Record<string, string>>;
  /** What its content is said to be. */
  readonly contentType: string | undefined;
  readonly body: Uint8Array;
}

/**
 * The events of a message: structured (or a batch) when its content type says so, else binary when it has attributes,
 * else what `plain` makes of it. One that says it is an event and is none is taken as a plain one: whoever gets it can
 * tell, and nothing is lost or in the way.
 */
export function eventsOfMessage(message: Message, plain: () => CloudEvent, log: Logger): readonly CloudEvent[] {
  const { attributes, contentType, body } = message;
  try {
    const mode = contentType === undefined ? undefined : contentMode({ "content-type": contentType });
    if (mode) return parseStoredEvents({ "content-type": contentType }, body).map(cloudEventOf);
    if (attributes["specversion"] === undefined && attributes["type"] === undefined) return [plain()];
    const typed = contentType === undefined ? attributes : { datacontenttype: contentType, ...attributes };
    return [{ ...checkCloudEvent(typed), ...(body.length > 0 ? { data: body } : {}) }];
  } catch (error) {
    if (!(error instanceof CloudEventError)) throw error;
    log.warn("a message says it is an event and is none; it is sent on as a plain message", { reason: error.message });
    return [plain()];
  }
}

/** Headers as extensions of a plain message's event: names may have letters and digits only. */
export function headerExtensions(prefix: string, headers: Iterable<readonly [string, string]>): Record<string, string> {
  const extensions: Record<string, string> = {};
  for (const [name, value] of headers) {
    const clean = name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
    if (clean !== "") extensions[`${prefix}${clean}`] = value;
  }
  return extensions;
}
