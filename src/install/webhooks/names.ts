import { eventsApi } from "../../api/eventing/events-api.ts";

/** Webhook configurations of an installation, MutatingWebhookConfiguration first. */
export const webhookNames: readonly string[] = ["defaults.webhook.ebb.dev", "validation.webhook.ebb.dev"];

/** The APIService of events themselves; without events it is not there. */
export const eventsApiServiceName = `${eventsApi.version}.${eventsApi.group}`;

/** APIServices that the controller serves. */
export const apiServiceNames: readonly string[] = [
  "v1beta1.external.metrics.k8s.io",
  "v1beta2.custom.metrics.k8s.io",
  "v1beta1.custom.metrics.k8s.io",
  eventsApiServiceName,
];
