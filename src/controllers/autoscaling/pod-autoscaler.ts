/** The controller of PodAutoscalers: one watches what can move them and carries decisions out. */
import { DeploymentKind } from "../../api/apps/kinds.ts";
import type { Deployment } from "../../api/apps/types.gen.ts";
import { annotationOf, autoscalerClasses, autoscalingKeys } from "../../api/autoscaling-internal/keys.ts";
import { PodAutoscalerKind } from "../../api/autoscaling-internal/kinds.ts";
import type { PodAutoscaler } from "../../api/autoscaling-internal/types.gen.ts";
import { HorizontalPodAutoscalerKind } from "../../api/autoscaling/kinds.ts";
import type { HorizontalPodAutoscaler } from "../../api/autoscaling/types.gen.ts";
import { ConfigMapKind, PodKind } from "../../api/core/kinds.ts";
import type { Kind } from "../../api/meta/kind.ts";
import { keyOf, type KubeObject } from "../../api/meta/object.ts";
import { controllerOf } from "../../api/meta/owner.ts";
import { servingKeys } from "../../api/serving/keys.ts";
import type { ControllerSpec, WatchRule } from "../../client/controller.ts";
import { isAutoscalerSettings, settingsReader } from "./autoscaler-settings.ts";
import { KpaAutoscaler, type KpaDeps } from "./kpa-autoscaler.ts";
import { reconcileHpa } from "./reconcile-hpa.ts";
import { reconcileKpa } from "./reconcile-kpa.ts";
import { countsDiffer, revisionOf } from "./revision-pods.ts";

/** The autoscaler's two faces: what routers report to, and the controllers that act on it. */
export interface Autoscaling {
  readonly autoscaler: KpaAutoscaler;
  readonly controllers: readonly ControllerSpec[];
}

/** Autoscaling of Knative revisions. Informers are asked for here; nothing runs until the controllers are started. */
export function createAutoscaling(deps: KpaDeps): Autoscaling {
  const { informers } = deps;
  const autoscaler = new KpaAutoscaler(deps);
  const podAutoscalers = informers.of(PodAutoscalerKind);
  const hpas = informers.of(HorizontalPodAutoscalerKind);
  const settings = settingsReader(informers, deps.log);
  const allKeys = (): string[] => podAutoscalers.list().map(({ metadata }) => keyOf(metadata));

  const controller: ControllerSpec = {
    name: "pod-autoscaler",
    watches: [
      rule(PodAutoscalerKind, ({ metadata }) => [keyOf(metadata)]),
      rule(DeploymentKind, keysOfDeployment),
      rule(PodKind, (pod, old) => (countsDiffer(pod, old) ? present(revisionOf(pod)) : [])),
      rule(HorizontalPodAutoscalerKind, keysOfHpa),
      rule(ConfigMapKind, (map) => (isAutoscalerSettings(map) ? allKeys() : [])),
    ],
    onStart: (queue, signal) => autoscaler.start(queue, signal),
    async reconcile(key, { log }) {
      const pa = podAutoscalers.get(key);
      if (!pa || pa.metadata.deletionTimestamp) return autoscaler.forget(key);
      const { config } = settings();
      const autoscalingClass = classOf(pa, config.podAutoscalerClass);
      if (autoscalingClass === autoscalerClasses.kpa) return reconcileKpa(deps, autoscaler, pa);
      autoscaler.forget(key);
      if (autoscalingClass === autoscalerClasses.hpa)
        return reconcileHpa({ ...deps, autoscaler, hpas, config, log }, pa);
      // Any other class has an autoscaler of its own somewhere.
    },
  };
  return { autoscaler, controllers: [controller] };
}

function rule<T extends KubeObject>(kind: Kind<T>, keysOf: WatchRule<T>["keysOf"]): WatchRule {
  return { kind, keysOf } as unknown as WatchRule;
}

const present = (key: string | undefined): readonly string[] => (key === undefined ? [] : [key]);

const classOf = (pa: PodAutoscaler, fallback: string): string =>
  annotationOf(pa.metadata.annotations, autoscalingKeys.class)?.value ?? fallback;

/** A Deployment matters when its replicas or its template change; its status updates do not. */
function keysOfDeployment(deployment: Deployment, old: Deployment | undefined): readonly string[] {
  const revision = deployment.metadata.labels?.[servingKeys.revision];
  if (revision === undefined || old?.metadata.generation === deployment.metadata.generation) return [];
  return [`${deployment.metadata.namespace}/${revision}`];
}

function keysOfHpa(hpa: HorizontalPodAutoscaler): readonly string[] {
  const owner = controllerOf(hpa);
  return owner?.kind === PodAutoscalerKind.kind ? [`${hpa.metadata.namespace}/${owner.name}`] : [];
}
