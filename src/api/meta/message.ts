/**
 * The notation in which every built-in kind is written down, and its parser.
 *
 * One table per message is the single source of four things: the TypeScript type (scripts/gen-api-types.ts),
 * the OpenAPI/structural schema (schema.ts), the protobuf decoder and the strategic-merge and server-side-apply rules.
 *
 *     package core.v1
 *
 *     Container -- A process image to run.
 *     |            `-- description, our words
 *     `-- message name; `atomic` behind it: server-side apply treats the map as one value;
 *         `open`: any further fields are kept
 *       6 ports []ContainerPort merge=containerPort map=containerPort,protocol=TCP  -- Ports to list.
 *       | |     |               |                   |                                  `-- description, our words
 *       | |     |               |                   `-- SSA list-map keys (`=x` a key's default); `set` for sets
 *       | |     |               `-- strategic merge key; bare `merge` for lists of scalars; `replace`; `retainKeys`
 *       | |     `-- `[]` repeated, `map<string,T>`; suffix `?` Go pointer (a zero on the wire is meaningful),
 *       | |         `!` required, `~` always there after defaulting (required in the type, not in the schema)
 *       | `-- JSON name
 *       `-- protobuf field number
 *
 * Other words: `inline` (fields of the nested message stand in the parent's JSON), `atomicmap`, `enum=A|B` (the values
 * there are, for documents; validation says it in upstream's words).
 * Field numbers are facts of the Kubernetes wire format (generated.proto of Kubernetes 1.36).
 */

export type Presence = "optional" | "required" | "defaulted";

export interface Field {
  readonly no: number;
  readonly name: string;
  /** Scalar (`string`, `int32`, `int64`, `bool`, `bytes`, `double`), a well-known type or a full message name. */
  readonly type: string;
  readonly shape: "single" | "list" | "map";
  readonly presence: Presence;
  /** A Go pointer: its zero value on the protobuf wire is meaningful and kept. */
  readonly pointer: boolean;
  readonly inline: boolean;
  readonly patchMergeKey?: string;
  readonly patchStrategy?: string;
  readonly listType?: "map" | "set";
  readonly listMapKeys?: readonly string[];
  readonly listMapKeyDefaults?: Readonly<Record<string, string>>;
  readonly mapAtomic?: boolean;
  /** The values a string may have. */
  readonly values?: readonly string[];
  readonly description?: string;
}

export interface Message {
  /** Full name such as `core.v1.Container`. */
  readonly name: string;
  readonly atomic: boolean;
  readonly open: boolean;
  readonly description?: string;
  readonly fields: readonly Field[];
}

/** Types that are no messages: how they look in JSON is known to schema.ts and the type generator. */
export const wellKnownTypes: ReadonlySet<string> = new Set([
  "string",
  "int32",
  "int64",
  "bool",
  "bytes",
  "double",
  "Time",
  "MicroTime",
  "Duration",
  "Quantity",
  "IntOrString",
  "FieldsV1",
  "RawExtension",
]);

const presences: Readonly<Record<string, Presence>> = { "!": "required", "~": "defaulted" };

/** Parses one package of field tables. Throws on a line that is not in the notation, naming it. */
export function parseMessages(text: string): Message[] {
  let pkg = "";
  const messages: (Message & { fields: Field[] })[] = [];
  for (const line of text.split("\n")) {
    const body = line.trim();
    if (body === "") continue;
    if (body.startsWith("package ")) {
      pkg = body.slice("package ".length);
    } else if (line.startsWith(" ")) {
      const message = messages.at(-1);
      if (!message) throw new Error(`field outside a message: "${line}"`);
      message.fields.push(parseField(body, pkg));
    } else {
      const [head = "", description] = splitDescription(body);
      const [name, ...words] = head.split(" ");
      messages.push({
        name: `${pkg}.${name}`,
        atomic: words.includes("atomic"),
        open: words.includes("open"),
        fields: [],
        ...(description === undefined ? {} : { description }),
      });
    }
  }
  return messages;
}

function splitDescription(body: string): [facts: string, description: string | undefined] {
  const at = body.indexOf(" -- ");
  return at < 0 ? [body, undefined] : [body.slice(0, at).trimEnd(), body.slice(at + " -- ".length)];
}

const mapHead = "map<string,";

function parseField(body: string, pkg: string): Field {
  const [facts, description] = splitDescription(body);
  const [no = "", name = "", notation = "", ...words] = facts.split(" ");
  const presence = presences[notation.at(-1) ?? ""];
  let type = presence ? notation.slice(0, -1) : notation;
  const pointer = type.endsWith("?");
  if (pointer) type = type.slice(0, -1);
  const shape = type.startsWith("[]") ? "list" : type.startsWith(mapHead) && type.endsWith(">") ? "map" : "single";
  if (shape === "list") type = type.slice(2);
  if (shape === "map") type = type.slice(mapHead.length, -1);
  if (!/^\d+$/.test(no) || !/^[A-Za-z0-9.]+$/.test(type)) throw new Error(`not a field line: "${body}"`);
  return {
    no: Number(no),
    name,
    type: qualify(type, pkg),
    shape,
    presence: presence ?? "optional",
    pointer,
    ...parseWords(words),
    ...(description === undefined ? {} : { description }),
  };
}

function qualify(type: string, pkg: string): string {
  return wellKnownTypes.has(type) || type.includes(".") ? type : `${pkg}.${type}`;
}

type FieldWords = Pick<
  Field,
  | "inline"
  | "patchMergeKey"
  | "patchStrategy"
  | "listType"
  | "listMapKeys"
  | "listMapKeyDefaults"
  | "mapAtomic"
  | "values"
>;

const noWords: FieldWords = { inline: false };

function parseWords(words: readonly string[]): FieldWords {
  if (words.length === 0) return noWords;
  const found: { -readonly [K in keyof FieldWords]: FieldWords[K] } = { inline: false };
  const strategies: string[] = [];
  for (const word of words) {
    const at = word.indexOf("=");
    const [key, value] = at < 0 ? [word, ""] : [word.slice(0, at), word.slice(at + 1)];
    if (key === "inline") found.inline = true;
    else if (key === "atomicmap") found.mapAtomic = true;
    else if (key === "set") found.listType = "set";
    else if (key === "enum") found.values = value.split("|");
    else if (key === "map") Object.assign(found, parseListMapKeys(value));
    else if (key === "merge") {
      strategies.push("merge");
      if (value !== "") found.patchMergeKey = value;
    } else if (key === "retainKeys" || key === "replace") strategies.push(key);
    else throw new Error(`unknown word "${word}" in a field line`);
  }
  if (strategies.length > 0) found.patchStrategy = strategies.join(",");
  return found;
}

function parseListMapKeys(value: string): Pick<Field, "listType" | "listMapKeys" | "listMapKeyDefaults"> {
  const keys: string[] = [];
  const defaults: Record<string, string> = {};
  for (const part of value.split(",")) {
    const [key = "", fallback] = part.split("=", 2);
    keys.push(key);
    if (fallback !== undefined) defaults[key] = fallback;
  }
  return { listType: "map", listMapKeys: keys, listMapKeyDefaults: defaults };
}
