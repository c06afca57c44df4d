import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SourceError } from "../../build/source.ts";

/** What ebb reads of a package.json. */
export interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly main?: string;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  /** Range of Node versions it is made for. */
  readonly node?: string;
  /** Patterns of member folders. */
  readonly workspaces: readonly string[];
  /** ebb's own: packages to keep out of the bundle, or in it, whatever they look like. */
  readonly external: readonly string[];
  readonly bundled: readonly string[];
  /** Programs by name, as paths in the package. */
  readonly bin: Readonly<Record<string, string>>;
  /** For native addons: it is compiled at its installation, or loads what was. */
  readonly gypfile: boolean;
}

/** Undefined when the folder has no package.json. Throws SourceError, with the place, for one that is no package's. */
export function readManifest(dir: string): Manifest | undefined {
  const file = join(dir, "package.json");
  if (!existsSync(file)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new SourceError(`cannot read "${file}": ${error instanceof Error ? error.message : error}`, { cause: error });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new SourceError(`"${file}" should hold a JSON object`);
  return toManifest(value as Fields);
}

type Fields = Readonly<Record<string, unknown>>;

function toManifest(value: Fields): Manifest {
  const ebb = fieldsOf(value["ebb"]);
  const workspaces = value["workspaces"];
  return {
    ...textField(value, "name"),
    ...textField(value, "version"),
    ...textField(value, "main"),
    ...textField(fieldsOf(value["engines"]), "node"),
    scripts: texts(value["scripts"]),
    dependencies: texts(value["dependencies"]),
    devDependencies: texts(value["devDependencies"]),
    optionalDependencies: texts(value["optionalDependencies"]),
    peerDependencies: texts(value["peerDependencies"]),
    // Yarn also has the form { packages: […] }.
    workspaces: list(Array.isArray(workspaces) ? workspaces : fieldsOf(workspaces)["packages"]),
    external: list(ebb["external"]),
    bundled: list(ebb["bundle"]),
    bin: typeof value["bin"] === "string" ? { [baseName(value["name"])]: value["bin"] } : texts(value["bin"]),
    gypfile: value["gypfile"] === true,
  };
}

const baseName = (name: unknown): string => (typeof name === "string" ? name.replace(/^@[^/]+\//, "") : "");

const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};

const textField = <Name extends string>(value: Fields, name: Name): { readonly [K in Name]?: string } => {
  const text = value[name];
  return typeof text === "string" ? ({ [name]: text } as { [K in Name]: string }) : {};
};

const texts = (value: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(fieldsOf(value)).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );

const list = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
