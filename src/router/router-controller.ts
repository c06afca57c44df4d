import { isConflict, isNotFound } from "../api/meta/errors.ts";
import { keyOf } from "../api/meta/object.ts";
import { KIngressKind } from "../api/networking-internal/kinds.ts";
import type { Ingress } from "../api/networking-internal/types.gen.ts";
import { servingKeys } from "../api/serving/keys.ts";
import { RevisionKind } from "../api/serving/kinds.ts";
import type { Client } from "../client/client.ts";
import type { ControllerSpec } from "../client/controller.ts";
import type { Informers } from "../client/informer.ts";
import { selfKey, watching } from "../client/keys.ts";
import { makeIngressStatus, type RouterPlace } from "./ingress-status.ts";
import type { Router } from "./router.ts";

export interface RouterControllerDeps {
  readonly client: Client;
  readonly informers: Informers;
  readonly router: Pick<Router, "applyIngress" | "applyRevision" | "hasIngress">;
  readonly nowMs: () => number;
  readonly place: RouterPlace;
  /** Only Ingresses annotated with this class (networking.knative.dev/ingress-class) are ours. Default: all. */
  readonly ingressClass?: string;
  /** Where several routers have to have a route before it is live. */
  readonly others?: OtherRouters;
}

export interface OtherRouters {
  /** This router is the one that says so. */
  writes(key: string): boolean;
  /** All others have what the API server had at this version. */
  haveApplied(version: string): boolean;
}

/** An Ingress that others are late with, or that is another router's to confirm, is looked at again after this. */
const othersMs = 20;
const otherWriterMs = 1000;

/**
 * Keeps the route table equal to the Ingress and Revision objects: each change is live in the turn in which the
 * informer hands it out. Returns what ends it.
 */
export function followRoutes(deps: Pick<RouterControllerDeps, "informers" | "router" | "ingressClass">): () => void {
  const { informers, router } = deps;
  const stopRevisions = informers.of(RevisionKind).onChange(({ type, object }) => {
    const gone = type === "deleted" || object.metadata.deletionTimestamp !== undefined;
    router.applyRevision(keyOf(object.metadata), gone ? undefined : object);
  });
  const stopIngresses = informers.of(KIngressKind).onChange(({ type, object }) => {
    router.applyIngress(keyOf(object.metadata), type === "deleted" || !isOurs(object, deps) ? undefined : object);
  });
  return () => {
    stopRevisions();
    stopIngresses();
  };
}

/** Says in an Ingress' status that its routes are live; Routes and DomainMappings wait for that. */
export function routerController(deps: RouterControllerDeps): ControllerSpec {
  const ingresses = deps.informers.of(KIngressKind);
  return {
    name: "router-ingress",
    watches: [watching(KIngressKind, selfKey)],
    async reconcile(key) {
      const ingress = ingresses.get(key);
      if (ingress === undefined || ingress.metadata.deletionTimestamp !== undefined || !isOurs(ingress, deps)) return;
      if (!deps.router.hasIngress(key)) throw new Error(`ingress "${key}" is not in the route table yet`);
      const status = makeIngressStatus(ingress, deps.place, deps.nowMs());
      if (status === undefined) return;
      const { others } = deps;
      if (others !== undefined) {
        if (!others.writes(key)) return { requeueAfterMs: otherWriterMs };
        if (!others.haveApplied(ingress.metadata.resourceVersion ?? "")) return { requeueAfterMs: othersMs };
      }
      try {
        await deps.client.update(KIngressKind, { ...ingress, status }, { subresource: "status" });
      } catch (error) {
        // A newer one is on its way to the informer, or none is needed any more: either brings its own reconcile.
        if (!isConflict(error) && !isNotFound(error)) throw error;
      }
    },
  };
}

function isOurs({ metadata }: Ingress, { ingressClass }: Pick<RouterControllerDeps, "ingressClass">): boolean {
  return ingressClass === undefined || metadata.annotations?.[servingKeys.ingressClass] === ingressClass;
}
