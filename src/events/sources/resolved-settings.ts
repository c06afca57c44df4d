import type { SecretValue } from "../../api/sources/types-stores.gen.ts";

/** A spec as a reader gets it: the values of Secrets in place of what named them. */
export type Resolved<T> = T extends SecretValue
  ? string
  : T extends readonly (infer E)[]
    ? readonly Resolved<E>[]
    : T extends object
      ? { readonly [K in keyof T]: Resolved<T[K]> }
      : T;
