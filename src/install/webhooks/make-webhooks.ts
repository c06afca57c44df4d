import { ConfigMapKind } from "../../api/core/kinds.ts";
import { webhookOf } from "../../api/meta/webhook-denial.ts";
import { eventingConfigMapNames } from "../../api/eventing/config-maps.ts";
import { eventingNamespace } from "../../api/eventing/keys.ts";
import { servingConfigMapNames } from "../../api/serving/config-maps.ts";
import { servingKeys, servingNamespace } from "../../api/serving/keys.ts";
import { bindingExcluded, boundWhenWritten } from "../../api/sources/bind-sink.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import { customKinds, type CustomKind } from "../crds/custom-kinds.ts";
import { installLabels, nameOf, systemNamespace } from "../names.ts";
import { webhookNames } from "./names.ts";

/**
 * The webhook configurations. They fail closed, and for ebb's kinds only: with no controller, nobody can write a Service
 * that was not checked, and everything else of the cluster goes on. The certificate authority is written in by the
 * controller. Status is written by controllers alone and is not asked about.
 */
export function makeWebhooks(
  { events }: { readonly events: boolean },
  kinds: readonly CustomKind[] = customKinds(),
): readonly KubeObject[] {
  const [defaults = "", validation = ""] = webhookNames;
  const configuration = (kind: string, name: string, webhooks: readonly object[]): KubeObject =>
    ({
      apiVersion: "admissionregistration.k8s.io/v1",
      kind,
      metadata: { name, labels: installLabels },
      webhooks,
    }) as KubeObject;
  const rules = rulesOf(kinds);
  return [
    configuration("MutatingWebhookConfiguration", defaults, [
      { ...webhook(defaults, "/defaults", rules), reinvocationPolicy: "IfNeeded" },
      ...(events ? [sinkBindings] : []),
    ]),
    configuration("ValidatingWebhookConfiguration", validation, [
      ...validatingWebhooks(kinds),
      {
        ...webhook(webhookOf(ConfigMapKind), "/validate", [
          { apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"], operations, scope: "Namespaced" },
        ]),
        namespaceSelector: {
          matchExpressions: [
            { key: "kubernetes.io/metadata.name", operator: "In", values: [servingNamespace, eventingNamespace] },
          ],
        },
        matchConditions: [{ name: "ours", expression: `request.name in ${JSON.stringify(configMapNames)}` }],
      },
    ]),
  ];
}

/**
 * Programs hear of their sink as they are written. Everybody's Deployments pass here, so it fails open: what was missed
 * is bound by the controller afterwards. ebb's own Revisions are bound by their Services.
 */
const sinkBindings = {
  ...webhook("sinkbindings.webhook.sources.knative.dev", "/bind-sinks", bindableRules()),
  failurePolicy: "Ignore",
  timeoutSeconds: 3,
  namespaceSelector: {
    matchExpressions: [
      { key: bindingExcluded, operator: "NotIn", values: ["true"] },
      { key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["kube-system", systemNamespace] },
    ],
  },
  objectSelector: {
    matchExpressions: [
      { key: bindingExcluded, operator: "NotIn", values: ["true"] },
      { key: servingKeys.revision, operator: "DoesNotExist" },
    ],
  },
};

function bindableRules(): readonly object[] {
  return Object.values(Object.groupBy(boundWhenWritten, ({ group }) => group)).map((found = []) => ({
    apiGroups: [found[0]?.group],
    apiVersions: ["v1"],
    resources: found.map(({ plural }) => plural),
    operations: ["CREATE", "UPDATE"],
    scope: "Namespaced",
  }));
}

const configMapNames = [...new Set([...servingConfigMapNames, ...eventingConfigMapNames])];
const operations = ["CREATE", "UPDATE"] as const;

/** Named as Knative's are: the name stands at the beginning of every denial, and there people look for it. */
function validatingWebhooks(kinds: readonly CustomKind[]): readonly object[] {
  const byName = Object.groupBy(kinds, ({ stored }) => webhookOf(stored.kind));
  return Object.entries(byName).map(([name, checked = []]) => webhook(name, "/validate", rulesOf(checked)));
}

/** One rule per group and version. */
function rulesOf(kinds: readonly CustomKind[]): readonly object[] {
  const byVersion = Object.groupBy(
    kinds.flatMap(({ versions }) => versions.map(({ kind }) => kind)),
    ({ group, version }) => `${group}/${version}`,
  );
  return Object.values(byVersion).map((found = []) => ({
    apiGroups: [found[0]?.group],
    apiVersions: [found[0]?.version],
    resources: found.map(({ plural }) => plural),
    operations,
    scope: "*",
  }));
}

function webhook(name: string, path: string, rules: readonly object[]): object {
  return {
    name,
    admissionReviewVersions: ["v1"],
    clientConfig: { service: { name: nameOf("controller"), namespace: systemNamespace, path, port: 443 } },
    failurePolicy: "Fail",
    matchPolicy: "Equivalent",
    sideEffects: "None",
    timeoutSeconds: 10,
    rules,
  };
}
