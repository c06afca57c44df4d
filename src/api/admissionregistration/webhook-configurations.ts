/** The MutatingWebhookConfiguration and ValidatingWebhookConfiguration kinds. */
import { ageColumn, integerColumn, nameColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import type { Kind } from "../meta/kind.ts";
import type { Mutable } from "../meta/object.ts";
import { schemaOf } from "../schemas.ts";
import { MutatingWebhookConfigurationKind, ValidatingWebhookConfigurationKind } from "./kinds.ts";
import type {
  MutatingWebhook,
  MutatingWebhookConfiguration,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
} from "./types.gen.ts";
import { validateWebhooks } from "./validation.ts";

type Configuration = MutatingWebhookConfiguration | ValidatingWebhookConfiguration;

/** Defaults of both (pkg/apis/admissionregistration/v1/defaults.go). */
function applyDefaults(webhooks: readonly Mutable<MutatingWebhook | ValidatingWebhook>[] | undefined): void {
  for (const webhook of webhooks ?? []) {
    webhook.failurePolicy ??= "Fail";
    webhook.matchPolicy ??= "Equivalent";
    webhook.namespaceSelector ??= {};
    webhook.objectSelector ??= {};
    webhook.timeoutSeconds ??= 10;
    for (const rule of webhook.rules ?? []) (rule as Mutable<typeof rule>).scope ??= "*";
    const service = webhook.clientConfig?.service as Mutable<{ port?: number }> | undefined;
    if (service) service.port ??= 443;
  }
}

function definitionOf<T extends Configuration>(
  kind: Kind<T>,
  defaults: (configuration: Mutable<T>) => void,
): KindDefinition<T> {
  const message = `admissionregistration.v1.${kind.kind}`;
  return {
    kind,
    message,
    schema: () => schemaOf(message),
    statusSubresource: false,
    generation: "all",
    columns: [
      nameColumn,
      integerColumn("Webhooks", "How many webhooks it has.", ({ webhooks }) => webhooks?.length ?? 0),
      ageColumn,
    ],
    applyDefaults: (configuration) => defaults(configuration as Mutable<T>),
    validate: ({ webhooks }) => validateWebhooks(webhooks ?? []),
    unconditionalUpdate: true,
  };
}

export const mutatingWebhookConfigurationDefinition: KindDefinition<MutatingWebhookConfiguration> = definitionOf(
  MutatingWebhookConfigurationKind,
  ({ webhooks }) => {
    applyDefaults(webhooks as readonly Mutable<MutatingWebhook>[] | undefined);
    for (const webhook of webhooks ?? []) (webhook as Mutable<MutatingWebhook>).reinvocationPolicy ??= "Never";
  },
);

export const validatingWebhookConfigurationDefinition: KindDefinition<ValidatingWebhookConfiguration> = definitionOf(
  ValidatingWebhookConfigurationKind,
  ({ webhooks }) => applyDefaults(webhooks as readonly Mutable<ValidatingWebhook>[] | undefined),
);
