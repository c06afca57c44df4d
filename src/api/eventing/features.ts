/**
 * ConfigMap config-features of namespace knative-eventing (eventing pkg/apis/feature). What upstream still calls
 * experimental and ebb has is on: Retry-After, filters of ApiServerSources, EventTypes that make themselves.
 */
import type { WriteContext } from "../meta/definition.ts";
import { cached, finish, readConfig, type ConfigData, type Parsed } from "../serving/config-values.ts";
import { parseIsoDuration } from "./iso-duration.ts";
import { eventingNamespace } from "./keys.ts";

export interface EventingFeatures {
  readonly deliveryTimeout: boolean;
  readonly deliveryRetryAfter: boolean;
  readonly crossNamespaceEventLinks: boolean;
  readonly apiServerFilters: boolean;
  readonly eventTypeAutoCreate: boolean;
  readonly authenticationOidc: boolean;
  readonly authorizationMode: "allow-all" | "deny-all" | "allow-same-namespace";
  /** ISO 8601. */
  readonly requestReplyTimeout: string;
}

export function parseEventingFeatures(data: ConfigData): Parsed<EventingFeatures> {
  const config = readConfig(data);
  const isOn = (key: string, fallback: boolean): boolean => {
    const text = config.text(key, "").trim().toLowerCase();
    return text === "" ? fallback : text === "enabled";
  };
  const mode = config.text("default-authorization-mode", "allow-same-namespace").trim().toLowerCase();
  const timeout = config.text("requestreply-default-timeout", "PT30S").trim();
  config.require((parseIsoDuration(timeout) ?? 0) > 0, `requestreply-default-timeout: "${timeout}" is no duration`);
  return finish(config, {
    deliveryTimeout: isOn("delivery-timeout", true),
    deliveryRetryAfter: isOn("delivery-retryafter", true),
    crossNamespaceEventLinks: isOn("cross-namespace-event-links", false),
    apiServerFilters: isOn("new-apiserversource-filters", true),
    eventTypeAutoCreate: isOn("eventtype-auto-create", true),
    authenticationOidc: isOn("authentication-oidc", false),
    authorizationMode: mode === "allow-all" || mode === "deny-all" ? mode : "allow-same-namespace",
    requestReplyTimeout: timeout,
  });
}

export const eventingFeatures: (data: ConfigData) => EventingFeatures = cached(parseEventingFeatures);

export const featuresOf = (context: Pick<WriteContext, "configMap">): EventingFeatures =>
  eventingFeatures(context.configMap(eventingNamespace, "config-features"));
