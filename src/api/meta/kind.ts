import type { KubeObject } from "./object.ts";

declare const objectType: unique symbol;

/** What names a kind and how it is spelt: the value that clients, informers and the server are called with. */
export interface Kind<T extends KubeObject = KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** Only for the type checker: the TypeScript type of the kind's objects. Never set. */
  readonly [objectType]?: T;
}

type KindFacts = Pick<Kind, "group" | "version" | "kind" | "plural"> &
  Partial<Pick<Kind, "singular" | "shortNames" | "categories" | "namespaced">>;

/** Makes a kind; namespaced and without short names or categories unless told. */
export function kind<T extends KubeObject>(facts: KindFacts): Kind<T> {
  return { singular: facts.kind.toLowerCase(), shortNames: [], categories: [], namespaced: true, ...facts };
}

/** `v1` or `group/v1`. */
export function apiVersionOf(k: Pick<Kind, "group" | "version">): string {
  return k.group === "" ? k.version : `${k.group}/${k.version}`;
}

/** `pods` or `deployments.apps`: how error messages and RBAC name the resource. */
export function resourceOf(k: Pick<Kind, "group" | "plural">): string {
  return k.group === "" ? k.plural : `${k.plural}.${k.group}`;
}

/** Storage and cache key of a kind: independent of the version, since versions of one kind share objects. */
export function groupResourceKey(k: Pick<Kind, "group" | "plural">): string {
  return `${k.group}/${k.plural}`;
}
