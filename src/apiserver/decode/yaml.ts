/**
 * YAML bodies with the habits of Kubernetes' own parser (sigs.k8s.io/yaml): one document, merge keys,
 * `y`, `yes`, `on` and their opposites as booleans and `0644` as octal, so that a file mode in a manifest means what its writer meant.
 */
import { createRequire } from "node:module";
import type { Document, ScalarTag } from "yaml";
import { badRequest } from "../../api/meta/errors.ts";

/** Loaded when the first YAML body comes, which on most servers is never: kubectl sends JSON. It weighs 10 MB. */
let loaded: typeof import("yaml") | undefined;
const yaml = (): typeof import("yaml") => (loaded ??= createRequire(import.meta.url)("yaml") as typeof import("yaml"));

export interface DecodedText {
  readonly value: unknown;
  /** Paths of keys set twice in one object. */
  readonly duplicates: readonly string[];
}

const oldBoolean: ScalarTag = {
  identify: (value) => typeof value === "boolean",
  default: true,
  tag: "tag:yaml.org,2002:bool",
  test: /^(?:y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF)$/,
  resolve: (text) => /^(?:y|yes|on)$/i.test(text),
};

const oldOctal: ScalarTag = {
  identify: () => false,
  default: true,
  tag: "tag:yaml.org,2002:int",
  test: /^[-+]?0[0-7]+$/,
  resolve: (text) => Number.parseInt(text, 8),
};

/** Throws 400 for text that is no YAML, naming line and column, and for one that blows up by its aliases. */
export function decodeYaml(text: string): DecodedText {
  try {
    return decode(text);
  } catch (error) {
    // What the library throws when aliases multiply (ReferenceError) and when nesting overflows the stack.
    if (!(error instanceof ReferenceError || error instanceof RangeError)) throw error;
    throw badRequest(`error converting YAML to JSON: ${firstLine(error.message)}`);
  }
}

function decode(text: string): DecodedText {
  const document = yaml().parseDocument(text, {
    version: "1.2",
    schema: "core",
    merge: true,
    uniqueKeys: false,
    customTags: (tags) => [oldBoolean, oldOctal, ...tags],
  });
  const [error] = document.errors;
  if (error) throw badRequest(`error converting YAML to JSON: yaml: ${firstLine(error.message)}`);
  return { value: document.toJS({ maxAliasCount: 1000 }), duplicates: duplicateKeys(document) };
}

const firstLine = (message: string): string => message.split("\n", 1)[0]?.replace(/:$/, "") ?? message;

function duplicateKeys(document: Document): string[] {
  const found: string[] = [];
  yaml().visit(document, {
    Map(_key, node, path) {
      const seen = new Set<string>();
      for (const pair of node.items) {
        const key = keyText(pair.key);
        if (key === "<<") continue;
        if (seen.has(key)) found.push(pathText([...path, node], key));
        seen.add(key);
      }
    },
  });
  return found;
}

const keyText = (key: unknown): string => String(yaml().isScalar(key) ? key.value : key);

/** The ancestors of a node are maps, pairs and sequences; pairs and positions in sequences name the steps. */
function pathText(ancestors: readonly unknown[], last: string): string {
  let path = "";
  ancestors.forEach((node, index) => {
    const next = ancestors[index + 1];
    if (yaml().isMap(node) || node === null || typeof node !== "object") return;
    if ("key" in node) path += path === "" ? keyText(node.key) : `.${keyText(node.key)}`;
    else if ("items" in node && Array.isArray(node.items)) path += `[${node.items.indexOf(next)}]`;
  });
  return path === "" ? last : `${path}.${last}`;
}
