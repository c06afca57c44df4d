/** The config maps of namespace knative-serving as the controllers see them: always current, parsed once per change. */
import { ConfigMapKind } from "../../api/core/kinds.ts";
import { autoscalerConfig, type AutoscalerConfig } from "../../api/autoscaling-internal/config-autoscaler.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import { certManagerConfig, type CertManagerConfig } from "../../api/serving/config-certmanager.ts";
import { deploymentConfig, type DeploymentConfig } from "../../api/serving/config-deployment.ts";
import { domainConfig, type DomainConfig } from "../../api/serving/config-domain.ts";
import { servingFeatures, type ServingFeatures } from "../../api/serving/config-features.ts";
import { revisionGcConfig, type RevisionGcConfig } from "../../api/serving/config-gc.ts";
import { networkConfig, type NetworkConfig } from "../../api/serving/config-network.ts";
import type { ConfigData } from "../../api/serving/config-values.ts";
import { servingNamespace } from "../../api/serving/keys.ts";
import type { Informers } from "../../client/informer.ts";

export interface ServingConfig {
  autoscaler(): AutoscalerConfig;
  certManager(): CertManagerConfig;
  deployment(): DeploymentConfig;
  domain(): DomainConfig;
  features(): ServingFeatures;
  gc(): RevisionGcConfig;
  network(): NetworkConfig;
  /** Template of status.logUrl with `${REVISION_UID}`, empty when there is none. */
  logUrlTemplate(): string;
}

const none: ConfigData = {};

export function servingConfig(informers: Informers): ServingConfig {
  const maps = informers.of(ConfigMapKind);
  const data = (name: string): ConfigData => maps.get(`${servingNamespace}/${name}`)?.data ?? none;
  return {
    autoscaler: () => autoscalerConfig(data("config-autoscaler")),
    certManager: () => certManagerConfig(data("config-certmanager")),
    deployment: () => deploymentConfig(data("config-deployment")),
    domain: () => domainConfig(data("config-domain")),
    features: () => servingFeatures(data("config-features")),
    gc: () => revisionGcConfig(data("config-gc")),
    network: () => networkConfig(data("config-network")),
    logUrlTemplate: () => data("config-observability")["logging.revision-url-template"] ?? "",
  };
}

/** Whether the object is one of Serving's config maps by one of these names. */
export const isServingConfig = ({ metadata }: KubeObject, ...names: readonly string[]): boolean =>
  metadata.namespace === servingNamespace && names.includes(metadata.name);
