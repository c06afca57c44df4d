/** Bodies that come without a word of what they are. */
import { isUtf8 } from "node:buffer";
import { CloudEventError, type CloudEvent } from "../../api/cloudevents/cloud-event.ts";
import { parseStoredJson } from "../wire/parse-stored.ts";
import { cloudEventOf } from "./source-delivery.ts";

/** The event that a body is in the JSON format; undefined when it is none. */
export function structuredEventIn(body: Buffer): CloudEvent | undefined {
  if (!body.includes('"specversion"')) return undefined;
  try {
    return cloudEventOf(parseStoredJson(body.toString("utf8")));
  } catch (error) {
    if (error instanceof CloudEventError) return undefined;
    throw error;
  }
}

/** What a body seems to be. */
export function contentTypeOf(body: Buffer): string {
  if (!isUtf8(body)) return "application/octet-stream";
  try {
    JSON.parse(body.toString("utf8"));
    return "application/json";
  } catch {
    return "text/plain";
  }
}
