/**
 * Decodes `application/vnd.kubernetes.protobuf` bodies into the JSON form of the object, driven by the field tables.
 * Replies are never protobuf: every client that sends it accepts JSON.
 *
 * Envelope: `k8s\0`, then runtime.Unknown{1 typeMeta{1 apiVersion, 2 kind}, 2 raw, 3 contentEncoding, 4 contentType}
 * (apimachinery pkg/runtime/serializer/protobuf).
 */
import { badRequest, unsupportedMediaType } from "../../api/meta/errors.ts";
import type { Field, Message } from "../../api/meta/message.ts";
import { wellKnownTypes } from "../../api/meta/message.ts";
import { messagesByName } from "../../api/schemas.ts";
import { setOwn, type JsonObject } from "../schema/json-value.ts";
import { WireReader, wireType } from "./wire-reader.ts";

const magic = [0x6b, 0x38, 0x73, 0x00];

/** Throws 400 for bytes that are no envelope or no such message, 415 for kinds that only speak JSON. */
export function decodeProtobuf(bytes: Uint8Array): JsonObject {
  if (magic.some((byte, index) => bytes[index] !== byte))
    throw badRequest("protobuf: the body does not start with the Kubernetes protobuf prefix");
  const { apiVersion, kind, raw } = readEnvelope(bytes.subarray(magic.length));
  const message = messageFor(apiVersion, kind);
  return { apiVersion, kind, ...decodeMessage(raw, message) };
}

interface Envelope {
  apiVersion: string;
  kind: string;
  raw: Uint8Array;
}

function readEnvelope(bytes: Uint8Array): Envelope {
  const envelope: Envelope = { apiVersion: "", kind: "", raw: new Uint8Array() };
  const reader = new WireReader(bytes);
  while (!reader.done) {
    const { no, type } = reader.tag();
    if (no === 1) {
      const meta = new WireReader(reader.bytes());
      while (!meta.done) {
        const field = meta.tag();
        if (field.no === 1) envelope.apiVersion = meta.string();
        else if (field.no === 2) envelope.kind = meta.string();
        else meta.skip(field.type);
      }
    } else if (no === 2) envelope.raw = reader.bytes();
    else if (no === 3 && reader.string() !== "") throw badRequest("protobuf: content encodings are not supported");
    else if (no > 3) reader.skip(type);
  }
  return envelope;
}

/** `rbac.authorization.k8s.io/v1` Role → `rbac.v1.Role`; option kinds such as DeleteOptions belong to no group. */
function messageFor(apiVersion: string, kind: string): Message {
  const [version = "", group = ""] = apiVersion.split("/").toReversed();
  const pkg = group === "" ? "core" : group.split(".", 1)[0];
  const message = messagesByName.get(`${pkg}.${version}.${kind}`) ?? messagesByName.get(`meta.${kind}`);
  if (message) return message;
  throw unsupportedMediaType(`no protobuf form of kind "${kind}" in version "${apiVersion}" is known here: send JSON`);
}

const indexes = new WeakMap<Message, ReadonlyMap<number, Field>>();

function fieldsOf(message: Message): ReadonlyMap<number, Field> {
  const known = indexes.get(message);
  if (known) return known;
  const byNumber = new Map(message.fields.map((field) => [field.no, field]));
  indexes.set(message, byNumber);
  return byNumber;
}

function messageNamed(name: string): Message {
  const message = messagesByName.get(name);
  if (!message) throw new Error(`no message "${name}" in the field tables`);
  return message;
}

function decodeMessage(bytes: Uint8Array, message: Message): JsonObject {
  if (message.open) throw unsupportedMediaType(`no protobuf form of ${message.name} is known here: send JSON`);
  const fields = fieldsOf(message);
  const reader = new WireReader(bytes);
  const object: JsonObject = {};
  while (!reader.done) {
    const { no, type } = reader.tag();
    const field = fields.get(no);
    if (!field) reader.skip(type);
    else if (field.inline) Object.assign(object, decodeMessage(reader.bytes(), messageNamed(field.type)));
    else if (field.shape === "map") readEntry(reader, field, object);
    else if (field.shape === "list") readItems(reader, type, field, object);
    else {
      const value = readValue(reader, field.type);
      if (value !== undefined && !isAbsent(field, value)) setOwn(object, field.name, value);
    }
  }
  return object;
}

/** Go writes every plain scalar, so its zero says nothing; behind a pointer, or where a number is required, it does. */
function isAbsent(field: Field, value: unknown): boolean {
  if (field.pointer) return false;
  return value === "" || (field.presence !== "required" && (value === 0 || value === false));
}

function readItems(reader: WireReader, type: number, field: Field, object: JsonObject): void {
  const list = (object[field.name] ??= []) as unknown[];
  const packable = field.type === "int32" || field.type === "int64" || field.type === "bool";
  if (packable && type === wireType.bytes) {
    const packed = new WireReader(reader.bytes());
    while (!packed.done) list.push(readValue(packed, field.type));
    return;
  }
  const value = readValue(reader, field.type);
  list.push(value === undefined ? null : value);
}

function readEntry(reader: WireReader, field: Field, object: JsonObject): void {
  const map = (object[field.name] ??= {}) as JsonObject;
  const entry = new WireReader(reader.bytes());
  let key = "";
  let value: unknown;
  while (!entry.done) {
    const { no, type } = entry.tag();
    if (no === 1) key = entry.string();
    else if (no === 2) value = readValue(entry, field.type);
    else entry.skip(type);
  }
  setOwn(map, key, value ?? zeroOf(field.type));
}

function zeroOf(type: string): unknown {
  if (type === "int32" || type === "int64" || type === "double") return 0;
  if (type === "bool") return false;
  return wellKnownTypes.has(type) ? "" : {};
}

/** One value of a type; undefined for a time that is not set. */
function readValue(reader: WireReader, type: string): unknown {
  switch (type) {
    case "string":
    case "Duration":
      return reader.string();
    case "int32":
    case "int64":
      return reader.int();
    case "bool":
      return reader.int() !== 0;
    case "double":
      return reader.double();
    case "bytes":
      return Buffer.from(reader.bytes()).toString("base64");
    case "Time":
      return readTime(reader.bytes(), 0);
    case "MicroTime":
      return readTime(reader.bytes(), 6);
    case "Quantity":
      return readNumbered(reader.bytes())[1] ?? "0";
    case "IntOrString":
      return readIntOrString(reader.bytes());
    case "FieldsV1":
    case "RawExtension":
      return readRawJson(reader.bytes());
    default:
      return readMessage(reader.bytes(), messageNamed(type));
  }
}

function readMessage(bytes: Uint8Array, message: Message): unknown {
  const value = decodeMessage(bytes, message);
  return message.name.endsWith(".ExtraValue") ? (value["items"] ?? []) : value;
}

/** The fields of a small well-known message by number: varints as numbers, the rest as text. */
function readNumbered(bytes: Uint8Array): Record<number, string | number> {
  const reader = new WireReader(bytes);
  const found: Record<number, string | number> = {};
  while (!reader.done) {
    const { no, type } = reader.tag();
    if (type === wireType.varint) found[no] = reader.int();
    else if (type === wireType.bytes) found[no] = reader.string();
    else reader.skip(type);
  }
  return found;
}

function readTime(bytes: Uint8Array, decimals: 0 | 6): string | undefined {
  if (bytes.length === 0) return undefined;
  const { 1: seconds = 0, 2: nanos = 0 } = readNumbered(bytes);
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) throw badRequest(`protobuf: ${seconds} s is no time`);
  const whole = date.toISOString().slice(0, 19);
  if (decimals === 0) return `${whole}Z`;
  return `${whole}.${String(Math.floor(Number(nanos) / 1000)).padStart(6, "0")}Z`;
}

function readIntOrString(bytes: Uint8Array): string | number {
  const { 1: type = 0, 2: number = 0, 3: text = "" } = readNumbered(bytes);
  return type === 0 ? number : text;
}

function readRawJson(bytes: Uint8Array): unknown {
  const { 1: text } = readNumbered(bytes);
  if (text === undefined || text === "") return undefined;
  try {
    return JSON.parse(String(text));
  } catch (error) {
    throw badRequest(`protobuf: a field that carries JSON does not parse: ${(error as Error).message}`);
  }
}
