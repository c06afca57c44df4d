/** Checks of webhook configurations (Kubernetes pkg/apis/admissionregistration/validation/validation.go). */
import { checkOneOf, checkRange, eachItem, requireText } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import { checkDnsSubdomain } from "../meta/names.ts";
import type { MutatingWebhook, RuleWithOperations, ValidatingWebhook, WebhookClientConfig } from "./types.gen.ts";

type Webhook = MutatingWebhook | ValidatingWebhook;

export function validateWebhooks(webhooks: readonly Webhook[]): readonly FieldError[] {
  const seen = new Set<string>();
  return eachItem("webhooks", webhooks, (webhook, field) => {
    const twice = seen.has(webhook.name) ? [fieldError.duplicate(`${field}.name`, webhook.name)] : [];
    seen.add(webhook.name);
    return [...twice, ...webhookErrors(webhook, field)];
  });
}

function webhookErrors(webhook: Webhook, field: string): readonly FieldError[] {
  const { name, admissionReviewVersions: versions = [], sideEffects, timeoutSeconds, failurePolicy } = webhook;
  const qualified = (name ?? "").split(".").length >= 3;
  const wanted = "should be a domain with at least three segments separated by dots";
  return [
    ...requireText(`${field}.name`, name, checkDnsSubdomain),
    ...(name && !qualified ? [fieldError.invalid(`${field}.name`, name, wanted)] : []),
    ...(versions.length === 0
      ? [fieldError.required(`${field}.admissionReviewVersions`, "must specify one of v1, v1beta1")]
      : versions.includes("v1")
        ? []
        : [fieldError.invalid(`${field}.admissionReviewVersions`, versions, "must include at least one of v1")]),
    ...(sideEffects === undefined
      ? [fieldError.required(`${field}.sideEffects`, "must specify one of None, NoneOnDryRun")]
      : checkOneOf(`${field}.sideEffects`, sideEffects, ["None", "NoneOnDryRun"])),
    ...(timeoutSeconds !== undefined && (timeoutSeconds < 1 || timeoutSeconds > 30)
      ? checkRange(`${field}.timeoutSeconds`, timeoutSeconds, [1, 30])
      : []),
    ...checkOneOf(`${field}.failurePolicy`, failurePolicy, ["Fail", "Ignore"]),
    ...checkOneOf(`${field}.matchPolicy`, webhook.matchPolicy, ["Equivalent", "Exact"]),
    ...eachItem(`${field}.rules`, webhook.rules ?? [], ruleErrors),
    ...clientErrors(webhook.clientConfig, `${field}.clientConfig`),
    ...eachItem(`${field}.matchConditions`, webhook.matchConditions ?? [], (condition, at) => [
      ...(condition.name ? [] : [fieldError.required(`${at}.name`, "")]),
      ...(condition.expression?.trim() ? [] : [fieldError.required(`${at}.expression`, "")]),
    ]),
  ];
}

function ruleErrors({ operations, apiGroups, apiVersions, resources, scope }: RuleWithOperations, field: string) {
  const needed = { operations, apiGroups, apiVersions, resources };
  return [
    ...Object.entries(needed)
      .filter(([, values]) => !values?.length)
      .map(([name]) => fieldError.required(`${field}.${name}`, "")),
    ...eachItem(`${field}.operations`, operations ?? [], (operation, at) =>
      checkOneOf(at, operation, ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"]),
    ),
    ...checkOneOf(`${field}.scope`, scope, ["*", "Cluster", "Namespaced"]),
  ];
}

function clientErrors(client: WebhookClientConfig | undefined, field: string): readonly FieldError[] {
  const { url, service } = client ?? {};
  if ((url === undefined) === (service === undefined))
    return [fieldError.required(field, "exactly one of url or service is required")];
  if (url !== undefined) return urlErrors(url, `${field}.url`);
  return [
    ...(service?.name ? [] : [fieldError.required(`${field}.service.name`, "service name is required")]),
    ...(service?.namespace ? [] : [fieldError.required(`${field}.service.namespace`, "service namespace is required")]),
  ];
}

function urlErrors(url: string, field: string): readonly FieldError[] {
  if (!URL.canParse(url)) return [fieldError.required(field, `url must be a valid URL: ${JSON.stringify(url)}`)];
  const { protocol, username, search, hash } = new URL(url);
  if (protocol !== "https:")
    return [
      fieldError.invalid(
        field,
        protocol.slice(0, -1),
        "'https' is the only allowed URL scheme; desired format: https://host[/path]",
      ),
    ];
  if (username !== "") return [fieldError.invalid(field, username, "user information is not permitted in the URL")];
  if (search !== "")
    return [fieldError.invalid(field, search.slice(1), "query parameters are not permitted in the URL")];
  return hash === "" ? [] : [fieldError.invalid(field, hash.slice(1), "fragments are not permitted in the URL")];
}
