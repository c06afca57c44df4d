/** ConfigMap config-features of knative-eventing, as controllers see it. */
import { ConfigMapKind } from "../../api/core/kinds.ts";
import { eventingFeatures, type EventingFeatures } from "../../api/eventing/features.ts";
import { eventingNamespace } from "../../api/eventing/keys.ts";
import { keyOf, type KubeObject } from "../../api/meta/object.ts";
import type { WatchRule } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { watching } from "../../client/keys.ts";
import type { EventingDeps } from "./deps.ts";

const name = "config-features";

export const featuresNow = ({ informers }: Pick<EventingDeps, "informers">): EventingFeatures =>
  eventingFeatures(informers.of(ConfigMapKind).get(`${eventingNamespace}/${name}`)?.data ?? {});

/** Wakes all objects of an informer when a feature is turned on or off. */
export const watchFeatures = <T extends KubeObject>(informer: Informer<T>): WatchRule =>
  watching(ConfigMapKind, ({ metadata }) =>
    metadata.name === name && metadata.namespace === eventingNamespace
      ? informer.list().map((object) => keyOf(object.metadata))
      : [],
  ) as unknown as WatchRule;
