import { KIngressKind } from "../api/networking-internal/kinds.ts";
import type { Ingress } from "../api/networking-internal/types.gen.ts";
import { keyOf } from "../api/meta/object.ts";
import type { Informers } from "../client/informer.ts";

/** Begins to follow the core Services of a namespace; returns what ends it. */
export type FollowNamespace = (namespace: string) => () => void;

/**
 * Follows the core Services of just those namespaces that mapped domains lead to: a cluster has many Services that are
 * none of the router's business. Returns what ends it.
 */
export function followMappedNamespaces(informers: Informers, follow: FollowNamespace): () => void {
  const byIngress = new Map<string, ReadonlySet<string>>();
  const users = new Map<string, { count: number; readonly stop: () => void }>();
  const use = (namespace: string): void => {
    const known = users.get(namespace);
    if (known === undefined) users.set(namespace, { count: 1, stop: follow(namespace) });
    else known.count++;
  };
  const leave = (namespace: string): void => {
    const known = users.get(namespace);
    if (known === undefined || --known.count > 0) return;
    users.delete(namespace);
    known.stop();
  };
  const stop = informers.of(KIngressKind).onChange(({ type, object }) => {
    const key = keyOf(object.metadata);
    const before = byIngress.get(key) ?? none;
    const after = type === "deleted" ? none : mappedNamespaces(object);
    if (after.size === 0) byIngress.delete(key);
    else byIngress.set(key, after);
    // First those it has now: one in both is not stopped in between.
    for (const namespace of after) if (!before.has(namespace)) use(namespace);
    for (const namespace of before) if (!after.has(namespace)) leave(namespace);
  });
  return () => {
    stop();
    for (const { stop: end } of users.values()) end();
    users.clear();
  };
}

const none: ReadonlySet<string> = new Set();

/** Of Ingresses that rewrite the host (DomainMapping): their backends may be Services of no Route. */
function mappedNamespaces({ spec }: Ingress): ReadonlySet<string> {
  const paths = (spec.rules ?? []).flatMap(({ http }) => http?.paths ?? []);
  return new Set(
    paths
      .filter(({ rewriteHost }) => rewriteHost !== undefined)
      .flatMap(({ splits }) => splits.map(({ serviceNamespace }) => serviceNamespace)),
  );
}
