/**
 * ConfigMaps of namespace knative-eventing: bad values are refused when written, and what has no effect here is told
 * (eventing config/core/configmaps).
 */
import type { FieldError } from "../meta/field-error.ts";
import type { ConfigData, Parsed } from "../serving/config-values.ts";
import { parseBrokerDefaults, parseChannelDefaults, parseChannelTemplate } from "./config-defaults.ts";
import { parseEventingFeatures } from "./features.ts";
import { eventingNamespace } from "./keys.ts";

const parsePingDefaults = (data: ConfigData): Parsed<number> => {
  const text = data["data-max-size"] ?? "-1";
  return /^-?\d{1,15}$/.test(text.trim())
    ? { ok: true, value: Number(text) }
    : { ok: false, problems: [`data-max-size: ${JSON.stringify(text)} is not a number of bytes, or -1 for no limit`] };
};

const parsers: Readonly<Record<string, (data: ConfigData) => Parsed<unknown>>> = {
  "config-br-defaults": parseBrokerDefaults,
  "config-br-default-channel": parseChannelTemplate,
  "default-ch-webhook": parseChannelDefaults,
  "config-features": parseEventingFeatures,
  "config-ping-defaults": parsePingDefaults,
};

/** Those that ebb reads; an installation makes them. */
export const eventingConfigMapNames: readonly string[] = Object.keys(parsers);

interface ConfigMapLike {
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly data?: ConfigData;
}

export const isEventingConfigMap = ({ metadata }: ConfigMapLike): boolean =>
  metadata.namespace === eventingNamespace && parsers[metadata.name] !== undefined;

/** Errors in the form of a webhook denial; empty for maps that are none of Eventing's. */
export function checkEventingConfigMap(map: ConfigMapLike): readonly FieldError[] {
  if (!isEventingConfigMap(map)) return [];
  const parsed = parsers[map.metadata.name]?.(map.data ?? {});
  if (!parsed || parsed.ok) return [];
  return parsed.problems.map((message) => ({ type: "FieldValueInvalid", field: "", message }));
}

/** Keys that have an effect. */
const effective: Readonly<Record<string, readonly string[]>> = {
  "config-br-defaults": ["default-br-config"],
  "config-br-default-channel": ["channel-template-spec"],
  "default-ch-webhook": ["default-ch-config"],
  "config-ping-defaults": ["data-max-size"],
  "config-features": [
    "delivery-timeout",
    "delivery-retryafter",
    "cross-namespace-event-links",
    "new-apiserversource-filters",
    "eventtype-auto-create",
    "authentication-oidc",
    "default-authorization-mode",
    "requestreply-default-timeout",
  ],
};

/** Keys of upstream's that ebb has no use for, while they say what ebb does anyway. */
const asItIs: Readonly<Record<string, Readonly<Record<string, RegExp>>>> = {
  "config-features": {
    "transport-encryption": /^disabled$/i,
    "kreference-group": /^(?:disabled|enabled)$/i,
    "kreference-mapping": /^disabled$/i,
    "new-trigger-filters": /^enabled$/i,
    "strict-subscriber": /^(?:disabled|enabled)$/i,
    istio: /^disabled$/i,
    "oidc-discovery-base-url": /^https:\/\/kubernetes\.default\.svc\/?$/,
  },
  "config-observability": { "metrics-protocol": /^(?:prometheus|http\/protobuf|none)?$/, "tracing-protocol": /^none$/ },
};

const why: Readonly<Record<string, string>> = {
  "transport-encryption": "Brokers and channels are reached by http inside the cluster",
  "config-observability": "metrics are at /metrics of ebb-events, in the format of Prometheus",
  "config-leader-election": "ebb-events has options for that: --lease-duration and others",
  "config-logging": "ebb-events has an option for that: --log-level",
  "config-sugar": "Brokers are not made by labels of namespaces",
  "config-kreference-mapping": "destinations are found by their own status.address",
};

/** What of a map has no effect here, each in a sentence; empty for a map that is not Eventing's. */
export function remarksOnConfigMap({ metadata: { name, namespace }, data = {} }: ConfigMapLike): readonly string[] {
  const isKnown = effective[name] !== undefined || why[name] !== undefined;
  if (namespace !== eventingNamespace || !isKnown) return [];
  const remarks = Object.entries(data)
    .filter(([key]) => !key.startsWith("_"))
    .filter(([key]) => effective[name]?.includes(key) !== true)
    .filter(([key, value]) => asItIs[name]?.[key]?.test(value.trim()) !== true)
    .map(([key]) => {
      const reason = why[key] ?? why[name];
      return `"${key}" has no effect here${reason === undefined ? "" : `: ${reason}`}`;
    });
  return [...remarks, ...remarksOnChannels(name, data)];
}

/** Brokers and channels of ebb are streams of its own log, whatever is to be behind them. */
function remarksOnChannels(name: string, data: ConfigData): readonly string[] {
  if (name !== "config-br-default-channel") return [];
  const parsed = parseChannelTemplate(data);
  const kind = parsed.ok ? (parsed.value?.kind ?? "InMemoryChannel") : "InMemoryChannel";
  return kind === "InMemoryChannel"
    ? []
    : [`"channel-template-spec" names a ${kind}: Brokers keep their events in ebb's log all the same`];
}
