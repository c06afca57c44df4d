/** Turns a request body into the plain JSON object that everything behind it works on. */
import { badRequest, unsupportedMediaType } from "../../api/meta/errors.ts";
import { isObject, type JsonObject } from "../schema/json-value.ts";
import { findDuplicateKeys } from "./duplicate-keys.ts";
import { checkNesting } from "./nesting.ts";
import { decodeProtobuf } from "./protobuf.ts";
import { decodeYaml } from "./yaml.ts";

export interface DecodedBody {
  /** Fresh: the caller may change it. */
  readonly object: JsonObject;
  /** Paths of keys given twice, such as `spec.replicas`; only looked for when `strict`. */
  readonly duplicates: readonly string[];
}

export interface DecodeOptions {
  /** Look for duplicate keys (fieldValidation Warn and Strict). */
  readonly strict: boolean;
}

/** The media types of objects; patches have their own. */
const bodyMediaTypes: readonly string[] = [
  "application/json",
  "application/yaml",
  "application/vnd.kubernetes.protobuf",
];

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Decodes an object by its Content-Type; a missing one means JSON (kubectl 1.20 sends none for some requests).
 * Throws 415 for other types and 400 for bodies that are no object of their type.
 */
export function decodeBody(
  bytes: Uint8Array,
  contentType: string | undefined,
  options: DecodeOptions = { strict: false },
): DecodedBody {
  switch (mediaTypeOf(contentType)) {
    case "":
    case "application/json":
      return decodeJsonObject(decodeUtf8(bytes), options);
    case "application/yaml":
    case "application/x-yaml":
      return decodeYamlObject(decodeUtf8(bytes), options);
    case "application/vnd.kubernetes.protobuf":
      return { object: decodeProtobuf(bytes), duplicates: [] };
    default:
      throw unsupportedMediaType(
        `the body of the request was in an unknown format - accepted media types include: ${bodyMediaTypes.join(", ")}`,
      );
  }
}

/** `application/json; charset=utf-8` → `application/json`. */
export function mediaTypeOf(contentType: string | undefined): string {
  return (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

/** A JSON or YAML text of any shape: the bodies of patches. A text that starts like JSON is read as JSON. */
export function decodeText(
  bytes: Uint8Array,
  options: DecodeOptions,
): { value: unknown; duplicates: readonly string[] } {
  const text = decodeUtf8(bytes);
  if (!/^\s*[[{]/.test(text)) return decodeYaml(text);
  checkNesting(text);
  try {
    return { value: JSON.parse(text) as unknown, duplicates: options.strict ? findDuplicateKeys(text) : [] };
  } catch {
    // Flow-style YAML starts like JSON; its parser says best what is wrong with a text that is neither.
    return decodeYaml(text);
  }
}

function decodeJsonObject(text: string, options: DecodeOptions): DecodedBody {
  checkNesting(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${(error as Error).message}`);
  }
  if (!isObject(value)) throw notAnObject(value, "json");
  return { object: value, duplicates: options.strict ? findDuplicateKeys(text) : [] };
}

function decodeYamlObject(text: string, options: DecodeOptions): DecodedBody {
  const { value, duplicates } = decodeYaml(text);
  if (!isObject(value)) throw notAnObject(value, "yaml");
  return { object: value, duplicates: options.strict ? duplicates : [] };
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw badRequest("the body of the request is not valid UTF-8");
  }
}

function notAnObject(value: unknown, format: string): Error {
  const type = Array.isArray(value) ? "array" : value === null ? "null" : typeof value;
  return badRequest(`couldn't get version/kind; ${format} parse error: an object was expected, not ${type}`);
}
