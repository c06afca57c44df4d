/**
 * Plain Services of Kubernetes by their names, standalone: sinks and programs say `http://x.ns.svc`, and there is neither
 * cluster DNS nor a kube-proxy. The router knows the endpoints of all Services (router/service-endpoints.ts); here it gets
 * the names. Port 80 of a Service is meant, or its first one.
 */
import { ServiceKind } from "../api/core/kinds.ts";
import type { Service } from "../api/core/types.gen.ts";
import { keyOf } from "../api/meta/object.ts";
import type { Informers } from "../client/informer.ts";
import type { Router } from "../router/router.ts";
import { serviceTarget } from "../router/service-target.ts";
import { hostsOf, routeTo } from "./internal-routes.ts";

export interface PlainServicesDeps {
  readonly informers: Informers;
  readonly router: Pick<Router, "applyIngress">;
  readonly domain: string;
}

/** Returns what ends it. */
export function followPlainServices({ informers, router, domain }: PlainServicesDeps): () => void {
  const routed = new Set<string>();
  return informers.of(ServiceKind).onChange(({ type, object }) => {
    const { name, namespace = "" } = object.metadata;
    const key = keyOf(object.metadata);
    const wanted = type !== "deleted" && isPlain(object);
    // Most changes are of Revisions' Services: nothing is said of those.
    if (wanted === routed.has(key)) return;
    const target = serviceTarget(namespace, name);
    const route = wanted ? routeTo(target, hostsOf(`${name}.${namespace}`, domain)) : undefined;
    router.applyIngress(`ebb-system/service-${namespace}-${name}`, route);
    if (wanted) routed.add(key);
    else routed.delete(key);
  });
}

/** Not a part of Serving, not a name for something elsewhere, not the API itself. */
export function isPlain({ metadata, spec }: Service): boolean {
  if (spec?.type === "ExternalName" || !spec?.ports?.some(({ protocol = "TCP" }) => protocol === "TCP")) return false;
  if (metadata.namespace === "default" && metadata.name === "kubernetes") return false;
  return !Object.keys(metadata.labels ?? {}).some(
    (label) => label.startsWith("serving.knative.dev/") || label.startsWith("networking.internal.knative.dev/"),
  );
}
