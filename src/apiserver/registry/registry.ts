import type { WriteContext } from "../../api/meta/definition.ts";
import { notFound } from "../../api/meta/errors.ts";
import { keyOf, type KubeObject } from "../../api/meta/object.ts";
import type { Admission } from "../admission/admission.ts";
import type { Entry } from "../storage/entry.ts";
import type { Store } from "../storage/store.ts";
import type { Catalog } from "./catalog.ts";
import type { Caller, Target } from "./request.ts";

/** What the verbs work on. One per server; everything that differs between requests is in Caller and Target. */
export interface Registry {
  readonly store: Store;
  readonly catalog: Catalog;
  readonly admission: Admission;
  readonly now: () => number;
  readonly newUid: () => string;
  /** A name that begins so; random when absent. */
  readonly generateName?: (base: string) => string;
  /** PEM of the CA that signed the serving certificate; published in every namespace. */
  readonly caCertificate: string;
}

export const keyOfTarget = (target: Pick<Target, "namespace" | "name">): string => keyOf(target);

/** The stored object a target names, or the 404 that says it is not there. */
export function entryOf(registry: Registry, target: Target): Entry {
  const entry = registry.store.get(target.served.resource, keyOfTarget(target));
  if (!entry) throw notFound(target.served.definition.kind, target.name);
  return entry;
}

const none: Readonly<Record<string, string>> = {};

export function writeContext(registry: Registry, caller: Caller, operation: "create" | "update"): WriteContext {
  return {
    operation,
    user: caller.user,
    now: registry.now(),
    configMap: (namespace, name) => {
      const object = registry.store.get("/configmaps", `${namespace}/${name}`)?.object as
        | (KubeObject & { data?: Readonly<Record<string, string>> })
        | undefined;
      return object?.data ?? none;
    },
  };
}
