import type { ObjectMeta } from "./types.gen.ts";
import type { TypeMeta } from "./type-meta.ts";

/** Any object of the API. Objects that travel are deeply immutable and may be shared: copy before changing. */
export interface KubeObject extends TypeMeta {
  readonly metadata: ObjectMeta;
}

/** A copy that its owner may change in place, from `structuredClone` or a decoder. */
export type Mutable<T> = T extends readonly (infer E)[]
  ? Mutable<E>[]
  : T extends object
    ? { -readonly [K in keyof T]: Mutable<T[K]> }
    : T;

/** An object to be created: the server fills in the rest of metadata, and the name too if `generateName` is given. */
export type Draft<T extends KubeObject> = Omit<T, "metadata"> & { readonly metadata: Partial<ObjectMeta> };

/** Names one object of a kind; `namespace` is absent for cluster-scoped kinds. */
export interface ObjectKey {
  readonly namespace?: string;
  readonly name: string;
}

/** `namespace/name`, or `name` for cluster-scoped objects: the key used in caches and work queues. */
export function keyOf(ref: ObjectKey): string {
  return ref.namespace ? `${ref.namespace}/${ref.name}` : ref.name;
}

/** The inverse of {@link keyOf}. */
export function parseKey(key: string): ObjectKey {
  const at = key.indexOf("/");
  return at < 0 ? { name: key } : { namespace: key.slice(0, at), name: key.slice(at + 1) };
}
