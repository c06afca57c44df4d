/**
 * A CloudEvent as JSON would have it, with `data` as a value: parsed JSON, text, or bytes. Extensions are further
 * members. CloudEvents 1.0.2 §3; a specversion of 0.3 is read too, since its required attributes are the same.
 */
export interface CloudEvent {
  readonly specversion: string;
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly datacontenttype?: string;
  readonly dataschema?: string;
  readonly subject?: string;
  /** RFC 3339. */
  readonly time?: string;
  readonly data?: unknown;
  readonly [extension: string]: unknown;
}

/** What was sent is no CloudEvent; the message names the attribute. Told by its name, not by its class. */
export class CloudEventError extends Error {
  override readonly name = "CloudEventError";
}

const required = ["id", "source", "type"] as const;
const attributeName = /^[a-z0-9]+$/;
const rfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/** Checks what the specification requires of context attributes. Throws {@link CloudEventError}. */
export function checkCloudEvent(value: Readonly<Record<string, unknown>>): CloudEvent {
  const { specversion } = value;
  if (specversion === undefined) throw new CloudEventError('the attribute "specversion" is missing');
  if (specversion !== "1.0" && specversion !== "0.3")
    throw new CloudEventError(`specversion ${JSON.stringify(specversion)} is not supported: use "1.0"`);
  for (const name of required) {
    const given = value[name];
    if (given === undefined || given === null) throw new CloudEventError(`the attribute "${name}" is missing`);
    if (typeof given !== "string" || given === "")
      throw new CloudEventError(`the attribute "${name}" must be a string that is not empty`);
  }
  for (const [name, given] of Object.entries(value)) checkAttribute(name, given);
  return value as CloudEvent;
}

function checkAttribute(name: string, given: unknown): void {
  if (name === "data" || name === "data_base64") return;
  if (!attributeName.test(name))
    throw new CloudEventError(`the attribute "${name}" has a bad name: lower-case letters and digits only`);
  if (given !== null && typeof given === "object")
    throw new CloudEventError(`the attribute "${name}" must be text, a number or a boolean, not an object`);
  if (name === "time" && given !== null && (typeof given !== "string" || !rfc3339.test(given)))
    throw new CloudEventError(`the attribute "time" must be a date and time of RFC 3339, not ${JSON.stringify(given)}`);
}

/** Whether a value looks like a CloudEvent: what a function returned, say. Does not say that it is a valid one. */
export function looksLikeCloudEvent(value: unknown): value is CloudEvent {
  if (typeof value !== "object" || value === null) return false;
  return "specversion" in value && "type" in value && "source" in value && "id" in value;
}

/** `application/json`, `text/json` and everything that ends in `+json`, with or without parameters. */
export function isJsonType(contentType: string): boolean {
  const type = mediaType(contentType);
  return type === "application/json" || type === "text/json" || type.endsWith("+json");
}

/** Lower-case type without parameters. */
export const mediaType = (contentType: string): string => (contentType.split(";", 1)[0] ?? "").trim().toLowerCase();
