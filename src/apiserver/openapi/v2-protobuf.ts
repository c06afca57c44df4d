/**
 * The OpenAPI v2 document in protobuf, the only form in which kubectl before 1.27 asks for it: gnostic's Document
 * (github.com/google/gnostic openapiv2/OpenAPIv2.proto, whose field numbers these are). Extensions and defaults travel
 * as YAML text, of which JSON is a subset.
 */
import { isObject, type JsonObject } from "../schema/json-value.ts";
import { WireWriter } from "./wire-writer.ts";

/** Encodes the JSON form of a document. */
export function encodeOpenApiV2(document: JsonObject): Uint8Array {
  const writer = new WireWriter();
  writer.text(1, "2.0");
  writer.message(2, (info) => {
    const { title, version } = document["info"] as { title: string; version: string };
    info.text(1, title);
    info.text(2, version);
  });
  writer.message(8, (paths) => named(paths, 2, document["paths"], writePathItem));
  writer.message(9, (definitions) => named(definitions, 1, document["definitions"], writeSchema));
  return writer.bytes();
}

type Write = (writer: WireWriter, value: JsonObject) => void;

/** A map, as repeated (name, value) pairs. */
function named(writer: WireWriter, no: number, map: unknown, write: Write): void {
  for (const [name, value] of Object.entries(map as JsonObject)) {
    writer.message(no, (pair) => {
      pair.text(1, name);
      pair.message(2, (nested) => write(nested, value as JsonObject));
    });
  }
}

function writeAny(writer: WireWriter, no: number, value: unknown): void {
  writer.message(no, (any) => any.text(2, `${JSON.stringify(value)}\n`));
}

function writeExtensions(writer: WireWriter, no: number, value: JsonObject): void {
  for (const [name, extension] of Object.entries(value)) {
    if (!name.startsWith("x-")) continue;
    writer.message(no, (pair) => {
      pair.text(1, name);
      writeAny(pair, 2, extension);
    });
  }
}

const methods: Readonly<Record<string, number>> = { get: 2, put: 3, post: 4, delete: 5, patch: 8 };

function writePathItem(writer: WireWriter, item: JsonObject): void {
  for (const [method, no] of Object.entries(methods)) {
    const operation = item[method];
    if (isObject(operation)) writer.message(no, (nested) => writeOperation(nested, operation));
  }
  writeParameters(writer, 9, item["parameters"]);
}

function writeOperation(writer: WireWriter, operation: JsonObject): void {
  for (const tag of operation["tags"] as string[]) writer.text(1, tag);
  writer.text(5, operation["operationId"] as string);
  for (const type of operation["produces"] as string[]) writer.text(6, type);
  for (const type of operation["consumes"] as string[]) writer.text(7, type);
  writeParameters(writer, 8, operation["parameters"]);
  writer.message(9, (responses) => named(responses, 1, operation["responses"], writeResponse));
  writeExtensions(writer, 13, operation);
}

function writeResponse(writer: WireWriter, response: JsonObject): void {
  writer.message(1, (nested) => {
    nested.text(1, response["description"] as string);
    const { schema } = response;
    if (isObject(schema)) nested.message(2, (item) => item.message(1, (inner) => writeSchema(inner, schema)));
  });
}

function writeParameters(writer: WireWriter, no: number, parameters: unknown): void {
  for (const parameter of (parameters ?? []) as JsonObject[])
    writer.message(no, (item) => item.message(1, (nested) => writeParameter(nested, parameter)));
}

function writeParameter(writer: WireWriter, parameter: JsonObject): void {
  const place = parameter["in"] as string;
  const description = (parameter["description"] ?? "") as string;
  const required = parameter["required"] === true;
  if (place === "body") {
    writer.message(1, (body) => {
      body.text(1, description);
      body.text(2, parameter["name"] as string);
      body.text(3, place);
      body.integer(4, required);
      body.message(5, (schema) => writeSchema(schema, parameter["schema"] as JsonObject));
    });
    return;
  }
  const isQuery = place === "query";
  writer.message(2, (nonBody) =>
    nonBody.message(isQuery ? 3 : 4, (nested) => {
      nested.integer(1, required);
      nested.text(2, place);
      nested.text(3, description);
      nested.text(4, parameter["name"] as string);
      nested.text(isQuery ? 6 : 5, parameter["type"] as string);
    }),
  );
}

const texts: readonly (readonly [word: string, no: number])[] = [
  ["$ref", 1],
  ["format", 2],
  ["title", 3],
  ["description", 4],
  ["pattern", 13],
];
const doubles: readonly (readonly [word: string, no: number])[] = [
  ["multipleOf", 6],
  ["maximum", 7],
  ["minimum", 9],
];
const integers: readonly (readonly [word: string, no: number])[] = [
  ["exclusiveMaximum", 8],
  ["exclusiveMinimum", 10],
  ["maxLength", 11],
  ["minLength", 12],
  ["maxItems", 14],
  ["minItems", 15],
  ["uniqueItems", 16],
  ["maxProperties", 17],
  ["minProperties", 18],
];

function writeSchema(writer: WireWriter, schema: JsonObject): void {
  for (const [word, no] of texts) if (typeof schema[word] === "string") writer.text(no, schema[word]);
  if (schema["default"] !== undefined) writeAny(writer, 5, schema["default"]);
  for (const [word, no] of doubles) if (typeof schema[word] === "number") writer.double(no, schema[word]);
  for (const [word, no] of integers)
    if (schema[word] !== undefined) writer.integer(no, schema[word] as number | boolean);
  for (const name of (schema["required"] ?? []) as string[]) writer.text(19, name);
  for (const value of (schema["enum"] ?? []) as unknown[]) writeAny(writer, 20, value);
  const { additionalProperties, items, properties, type } = schema;
  if (isObject(additionalProperties))
    writer.message(21, (item) => item.message(1, (nested) => writeSchema(nested, additionalProperties)));
  if (typeof type === "string") writer.message(22, (item) => item.text(1, type));
  if (isObject(items)) writer.message(23, (item) => item.message(1, (nested) => writeSchema(nested, items)));
  if (isObject(properties)) writer.message(25, (nested) => named(nested, 1, properties, writeSchema));
  writeExtensions(writer, 31, schema);
}
