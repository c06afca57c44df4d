import { kind } from "../meta/kind.ts";
import type { MutatingWebhookConfiguration, ValidatingWebhookConfiguration } from "./types.gen.ts";

const group = "admissionregistration.k8s.io";

export const MutatingWebhookConfigurationKind = kind<MutatingWebhookConfiguration>({
  group,
  version: "v1",
  kind: "MutatingWebhookConfiguration",
  plural: "mutatingwebhookconfigurations",
  namespaced: false,
});
export const ValidatingWebhookConfigurationKind = kind<ValidatingWebhookConfiguration>({
  group,
  version: "v1",
  kind: "ValidatingWebhookConfiguration",
  plural: "validatingwebhookconfigurations",
  namespaced: false,
});
