import type { Conversion, KindDefinition } from "../../api/meta/definition.ts";
import { failure, type ApiError } from "../../api/meta/errors.ts";
import { apiVersionOf, groupResourceKey, type Kind } from "../../api/meta/kind.ts";

/** One version of one resource as it is served. */
export interface Served {
  readonly definition: KindDefinition;
  /** The definition in whose version objects are stored and checked; `definition` itself for most. */
  readonly storage: KindDefinition;
  readonly conversion?: Conversion;
  /** Storage key: `group/plural`. */
  readonly resource: string;
  readonly apiVersion: string;
  /** Behaves as a custom resource: brought by a CustomResourceDefinition, or one of ebb's that upstream brings by one. */
  readonly custom: boolean;
  /** What every stored object's JSON begins with, up to the opening brace of metadata. */
  readonly head: string;
}

const key = (k: Pick<Kind, "group" | "version" | "plural">): string => `${k.group}/${k.version}/${k.plural}`;

/** What is served now: the built-in definitions and those of established CustomResourceDefinitions. */
export class Catalog {
  readonly #builtin: readonly Served[];
  readonly #custom = new Map<string, readonly Served[]>();
  #byResource = new Map<string, Served>();
  #groupVersions: ReadonlySet<string> = new Set();
  #all: readonly Served[] = [];
  #version = 0;

  constructor(definitions: readonly KindDefinition[]) {
    this.#builtin = definitions.map((definition) => serve(definition, definitions));
    this.#rebuild();
  }

  /** Goes up with every change of what is served; discovery documents are cached by it. */
  get version(): number {
    return this.#version;
  }

  /** In order of priority: the first that answers to a name or short name wins. */
  all(): readonly Served[] {
    return this.#all;
  }

  find(group: string, version: string, plural: string): Served | undefined {
    return this.#byResource.get(`${group}/${version}/${plural}`);
  }

  /** Whether ebb itself serves the resource, whatever CustomResourceDefinitions say of it. */
  isBuiltIn(group: string, plural: string): boolean {
    return this.#builtin.some(({ definition: { kind } }) => kind.group === group && kind.plural === plural);
  }

  /** Whether anything of a group's version is served: its paths are then answered with a Status. */
  hasGroupVersion(group: string, version: string): boolean {
    return this.#groupVersions.has(`${group}/${version}`);
  }

  /** The version of a kind; throws the 404 a client would get when it is not served. */
  of(kind: Pick<Kind, "group" | "version" | "plural">): Served {
    const served = this.#byResource.get(key(kind));
    if (!served) throw resourceNotFound();
    return served;
  }

  findKind(apiVersion: string, kind: string): Served | undefined {
    return this.#all.find((served) => served.apiVersion === apiVersion && served.definition.kind.kind === kind);
  }

  /** Serves the versions a CustomResourceDefinition brings, in place of those it brought before; none to stop. */
  setCustom(name: string, definitions: readonly KindDefinition[]): void {
    if (definitions.length === 0) this.#custom.delete(name);
    else
      this.#custom.set(
        name,
        definitions.map((definition) => serve(definition, definitions)),
      );
    this.#rebuild();
  }

  #rebuild(): void {
    this.#all = [...this.#builtin, ...[...this.#custom.values()].flat()];
    this.#byResource = new Map(this.#all.map((served) => [key(served.definition.kind), served]));
    this.#groupVersions = new Set(
      this.#all.map(({ definition }) => `${definition.kind.group}/${definition.kind.version}`),
    );
    this.#version += 1;
  }
}

function serve(definition: KindDefinition, siblings: readonly KindDefinition[]): Served {
  const { conversion } = definition;
  const storage = conversion ? siblings.find((other) => key(other.kind) === key(conversion.storedAs)) : definition;
  if (!storage) throw new Error(`${key(definition.kind)} is stored as a kind that is not among the definitions`);
  const head = `{"apiVersion":"${apiVersionOf(storage.kind)}","kind":"${storage.kind.kind}","metadata":{`;
  return {
    definition,
    storage,
    resource: groupResourceKey(storage.kind),
    apiVersion: apiVersionOf(definition.kind),
    // Custom resources have no protobuf form.
    custom: definition.message === undefined,
    head,
    ...(conversion ? { conversion } : {}),
  };
}

/** What an unknown resource in a known group answers: a Status with empty details. */
export const resourceNotFound = (): ApiError =>
  failure(404, "NotFound", "the server could not find the requested resource", {});
