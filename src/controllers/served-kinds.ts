import { CustomResourceDefinitionKind } from "../api/apiextensions/kinds.ts";
import type { CustomResourceDefinition } from "../api/apiextensions/types.gen.ts";
import { groupResourceKey, kind, type Kind } from "../api/meta/kind.ts";
import type { Informers } from "../client/informer.ts";

/** The kinds that exist now; more come and go with CustomResourceDefinitions. */
export interface ServedKinds {
  list(): readonly Kind[];
  /** The kind an owner reference or the like names, in whatever version; undefined when nothing serves it. */
  find(apiVersion: string, kindName: string): Kind | undefined;
  /** Calls for every kind now and every one that is added; returns the removal. */
  onAdded(handler: (kind: Kind) => void): () => void;
}

/**
 * `builtIn` and what established CRDs define, in their storage version. Of several versions of one resource only the
 * first counts: they are the same objects.
 */
export function createServedKinds(informers: Informers, allBuiltIn: readonly Kind[]): ServedKinds {
  const builtIn = [...new Map(allBuiltIn.toReversed().map((known) => [kindKey(known), known])).values()].toReversed();
  const keys = new Set(builtIn.map(kindKey));
  const definitions = informers.of(CustomResourceDefinitionKind);
  const custom = new Map<string, Kind>();
  const handlers = new Set<(kind: Kind) => void>();
  definitions.onChange(({ type, object }) => {
    const found = kindOf(object);
    const defined = found && keys.has(kindKey(found)) ? undefined : found;
    const key = object.metadata.name;
    if (type === "deleted" || !defined) custom.delete(key);
    else if (!custom.has(key)) {
      custom.set(key, defined);
      for (const handler of handlers) handler(defined);
    }
  });
  const list = (): readonly Kind[] => [...builtIn, ...custom.values()];
  return {
    list,
    find(apiVersion, kindName) {
      const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
      return list().find((known) => known.group === group && known.kind === kindName);
    },
    onAdded(handler) {
      for (const known of list()) handler(known);
      handlers.add(handler);
      return () => void handlers.delete(handler);
    },
  };
}

function kindOf({ spec, status }: CustomResourceDefinition): Kind | undefined {
  const established = status?.conditions?.some(({ type, status }) => type === "Established" && status === "True");
  const version = spec.versions.find(({ storage }) => storage) ?? spec.versions[0];
  if (!established || !version) return undefined;
  const { kind: name, plural } = spec.names;
  return kind({
    group: spec.group,
    version: version.name,
    kind: name,
    plural,
    namespaced: spec.scope === "Namespaced",
  });
}

/** Names a kind in work queue keys. */
export const kindKey = (k: Pick<Kind, "group" | "plural">): string => groupResourceKey(k);
