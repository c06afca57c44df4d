/** The config maps a write of a Serving object is judged by. */
import { autoscalerConfig, type AutoscalerConfig } from "../autoscaling-internal/config-autoscaler.ts";
import type { WriteContext } from "../meta/definition.ts";
import { servingDefaults, type ServingDefaults } from "./config-defaults.ts";
import { servingFeatures, type ServingFeatures } from "./config-features.ts";
import { servingNamespace } from "./keys.ts";

export interface ServingSettings {
  readonly defaults: ServingDefaults;
  readonly features: ServingFeatures;
  readonly autoscaler: AutoscalerConfig;
}

export function settingsOf(context: Pick<WriteContext, "configMap">): ServingSettings {
  return {
    defaults: servingDefaults(context.configMap(servingNamespace, "config-defaults")),
    features: servingFeatures(context.configMap(servingNamespace, "config-features")),
    autoscaler: autoscalerConfig(context.configMap(servingNamespace, "config-autoscaler")),
  };
}
