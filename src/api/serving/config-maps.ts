/** What is wrong with a `config-*` ConfigMap of namespace knative-serving: bad values are refused when written. */
import { parseAutoscalerConfig } from "../autoscaling-internal/config-autoscaler.ts";
import type { FieldError } from "../meta/field-error.ts";
import { parseCertManagerConfig } from "./config-certmanager.ts";
import { parseServingDefaults } from "./config-defaults.ts";
import { parseDeploymentConfig } from "./config-deployment.ts";
import { parseDomainConfig } from "./config-domain.ts";
import { parseServingFeatures } from "./config-features.ts";
import { parseRevisionGcConfig } from "./config-gc.ts";
import { parseNetworkConfig } from "./config-network.ts";
import type { ConfigData, Parsed } from "./config-values.ts";
import { servingNamespace } from "./keys.ts";

const parsers: Readonly<Record<string, (data: ConfigData) => Parsed<unknown>>> = {
  "config-defaults": parseServingDefaults,
  "config-features": parseServingFeatures,
  "config-autoscaler": parseAutoscalerConfig,
  "config-deployment": parseDeploymentConfig,
  "config-network": parseNetworkConfig,
  "config-domain": parseDomainConfig,
  "config-gc": parseRevisionGcConfig,
  "config-certmanager": parseCertManagerConfig,
};

export const servingConfigMapNames: readonly string[] = [...Object.keys(parsers), "config-observability"];

interface ConfigMapLike {
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly data?: ConfigData;
}

export const isServingConfigMap = ({ metadata }: ConfigMapLike): boolean =>
  metadata.namespace === servingNamespace && parsers[metadata.name] !== undefined;

/** Errors in the form of a webhook denial; empty for maps that are none of Serving's. */
export function checkServingConfigMap(map: ConfigMapLike): readonly FieldError[] {
  if (!isServingConfigMap(map)) return [];
  const parsed = parsers[map.metadata.name]?.(map.data ?? {});
  if (!parsed || parsed.ok) return [];
  return parsed.problems.map((message) => ({ type: "FieldValueInvalid", field: "", message }));
}
