/** The settings of the ConfigMaps config-autoscaler and config-deployment, kept current; bad ones leave the last good. */
import {
  autoscalerConfig,
  parseAutoscalerConfig,
  type AutoscalerConfig,
} from "../../api/autoscaling-internal/config-autoscaler.ts";
import { ConfigMapKind } from "../../api/core/kinds.ts";
import type { ConfigMap } from "../../api/core/types.gen.ts";
import { deploymentConfig } from "../../api/serving/config-deployment.ts";
import { servingNamespace } from "../../api/serving/keys.ts";
import type { Informers } from "../../client/informer.ts";
import type { Logger } from "../../telemetry/logger.ts";

export interface AutoscalerSettings {
  readonly config: AutoscalerConfig;
  readonly progressDeadlineMs: number;
}

const autoscalerMap = `${servingNamespace}/config-autoscaler`;
const deploymentMap = `${servingNamespace}/config-deployment`;
const noData = {};

/** Whether a ConfigMap has autoscaler settings: then every PodAutoscaler is to be looked at again. */
export const isAutoscalerSettings = ({ metadata }: ConfigMap): boolean => {
  const key = `${metadata.namespace}/${metadata.name}`;
  return key === autoscalerMap || key === deploymentMap;
};

/** Reads the current settings; the same object as long as the ConfigMaps are the same. */
export function settingsReader(informers: Informers, log: Logger): () => AutoscalerSettings {
  const maps = informers.of(ConfigMapKind);
  let autoscaler: ConfigMap | undefined;
  let deployment: ConfigMap | undefined;
  let settings: AutoscalerSettings | undefined;
  return () => {
    const [nextAutoscaler, nextDeployment] = [maps.get(autoscalerMap), maps.get(deploymentMap)];
    if (settings && nextAutoscaler === autoscaler && nextDeployment === deployment) return settings;
    [autoscaler, deployment] = [nextAutoscaler, nextDeployment];
    const parsed = parseAutoscalerConfig(autoscaler?.data ?? noData);
    if (!parsed.ok)
      log.error("config-autoscaler is not usable, keeping the settings before", { problems: parsed.problems });
    const config = parsed.ok ? parsed.value : (settings?.config ?? autoscalerConfig(noData));
    const { progressDeadlineS } = deploymentConfig(deployment?.data ?? noData);
    settings = { config, progressDeadlineMs: progressDeadlineS * 1000 };
    return settings;
  };
}
