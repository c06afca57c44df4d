/**
 * Writes src/api/<group>/types.gen.ts from the field tables in messages*.ts beside it.
 * `--check` writes nothing and fails when a file on disk differs.
 */
import { readdirSync, readFileSync, writeFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseMessages, type Field, type Message } from "../src/api/meta/message.ts";

const apiDir = join(import.meta.dirname, "../src/api");
const check = process.argv.includes("--check");

interface Source {
  readonly dir: string;
  readonly file: string;
  readonly pkg: string;
  readonly messages: readonly Message[];
}

const sources: Source[] = [];
const folders = readdirSync(apiDir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
for (const dir of folders.map((entry) => entry.name).sort()) {
  for (const file of readdirSync(join(apiDir, dir))) {
    if (!/^messages(-[a-z0-9]+)?\.ts$/.test(file)) continue;
    const { messages: text } = await import(pathToFileURL(join(apiDir, dir, file)).href);
    const messages = parseMessages(text);
    const pkg = messages[0]?.name.split(".").slice(0, -1).join(".") ?? "";
    sources.push({ dir, file: file.replace("messages", "types").replace(".ts", ".gen.ts"), pkg, messages });
  }
}
const home = new Map(sources.map((s) => [s.pkg, s]));

const scalars: Record<string, string> = {
  string: "string",
  int32: "number",
  int64: "number",
  double: "number",
  bool: "boolean",
  bytes: "string",
  Time: "string",
  MicroTime: "string",
  Duration: "string",
  Quantity: "string",
  IntOrString: "number | string",
  FieldsV1: "Readonly<Record<string, unknown>>",
  RawExtension: "Readonly<Record<string, unknown>>",
};

function split(type: string): [pkg: string, name: string] {
  const at = type.lastIndexOf(".");
  return [type.slice(0, at), type.slice(at + 1)];
}

function render(source: Source): string {
  const imports = new Map<string, Set<string>>();
  const nameOf = (type: string): string => {
    const scalar = scalars[type];
    if (scalar) return scalar;
    const [pkg, name] = split(type);
    if (pkg === source.pkg) return name;
    const target = home.get(pkg);
    if (!target?.messages.some((m) => m.name === type)) throw new Error(`${source.pkg}: no message "${type}"`);
    const from = target.dir === source.dir ? `./${target.file}` : `../${target.dir}/${target.file}`;
    const alias = source.messages.some((m) => split(m.name)[1] === name)
      ? `${name} as ${pkg.split(".")[0]}${name}`
      : name;
    imports.set(from, (imports.get(from) ?? new Set()).add(alias));
    return alias.split(" as ").at(-1) ?? name;
  };
  const fieldType = (field: Field): string => {
    const inner = nameOf(field.type);
    if (field.shape === "map") return `Readonly<Record<string, ${inner}>>`;
    if (field.shape === "list") return inner.includes(" ") ? `readonly (${inner})[]` : `readonly ${inner}[]`;
    return inner;
  };
  const renderField = (field: Field): string => {
    const optional = field.presence === "required" || field.presence === "defaulted" ? "" : "?";
    const doc = field.description ? `  /** ${field.description} */\n` : "";
    return `${doc}  readonly ${field.name}${optional}: ${fieldType(field)};\n`;
  };
  let body = "";
  for (const message of source.messages) {
    const [, name] = split(message.name);
    if (name === "ExtraValue") {
      body += `export type ExtraValue = readonly string[];\n\n`;
      continue;
    }
    const inlined = message.fields.filter((f) => f.inline).map((f) => nameOf(f.type));
    const heads = isRoot(message) ? ["TypeMeta", ...inlined] : inlined;
    if (isRoot(message) && source.pkg !== "meta") imports.set("../meta/type-meta.ts", new Set(["TypeMeta"]));
    if (isRoot(message) && source.pkg === "meta") imports.set("./type-meta.ts", new Set(["TypeMeta"]));
    const ext = heads.length > 0 ? ` extends ${heads.join(", ")}` : "";
    const own = message.fields.filter((f) => !f.inline);
    if (message.open) body += `export type ${name} = Readonly<Record<string, unknown>>;\n\n`;
    else if (own.length === 0 && heads.length > 0) body += `export type ${name} = ${heads.join(" & ")};\n\n`;
    else if (own.length === 0) body += `export type ${name} = Readonly<Record<string, never>>;\n\n`;
    else body += `export interface ${name}${ext} {\n${own.map(renderField).join("")}}\n\n`;
  }
  const heads = [...imports].sort(([a], [b]) => a.localeCompare(b));
  const lines = heads.map(([from, names]) => `import type { ${[...names].sort().join(", ")} } from "${from}";\n`);
  return `// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.\n${lines.join("")}\n${body.trimEnd()}\n`;
}

/** A root message is an object of its own: its metadata is an ObjectMeta. Templates only carry one inside. */
function isRoot(message: Message): boolean {
  return (
    message.fields.some((f) => f.name === "metadata" && f.type === "meta.ObjectMeta") &&
    !message.name.endsWith("TemplateSpec")
  );
}

let stale = 0;
for (const source of sources) {
  const path = join(apiDir, source.dir, source.file);
  const text = render(source);
  const old = existsSync(path) ? readFileSync(path, "utf8") : "";
  if (old === text) continue;
  stale += 1;
  if (check) console.error(`stale: ${path}; run "npm run gen"`);
  else writeFileSync(path, text);
}
if (check && stale > 0) process.exit(1);
