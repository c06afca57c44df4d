/** Who else on the cluster thinks that ebb's kinds are his. */
import { CustomResourceDefinitionKind } from "../../api/apiextensions/kinds.ts";
import {
  MutatingWebhookConfigurationKind,
  ValidatingWebhookConfigurationKind,
} from "../../api/admissionregistration/kinds.ts";
import { DeploymentKind } from "../../api/apps/kinds.ts";
import { ServiceKind } from "../../api/core/kinds.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import type { Client } from "../../client/client.ts";
import { foreignCrds } from "../apply/check-cluster.ts";
import { systemNamespace } from "../names.ts";
import { fine, hint, problem, type Check, type Finding } from "./finding.ts";

export const checkOwners: Check = async ({ client }) => {
  const foreign = await foreignCrds(client);
  const found: Finding[] = [];
  if (foreign.length > 0)
    found.push(
      problem(
        `${foreign.join(", ")} belong to somebody else, such as Knative Serving`,
        'install with --serving=existing to deploy to what is there, or remove it first ("kubectl get crd -o yaml" shows labels of the owner)',
      ),
    );
  for (const [namespace, name, what] of [
    ["knative-serving", "controller", "Knative Serving"],
    ["keda", "keda-operator", "KEDA"],
  ] as const) {
    if (!(await isThere(client.get(DeploymentKind, { namespace, name })))) continue;
    if (what === "KEDA") found.push(fine("KEDA is installed, and keeps its kinds"));
    else
      found.push(
        problem(
          `${what} runs in namespace ${namespace}: two controllers would write the same objects`,
          `remove one of them: "ebb uninstall", or ${what}`,
        ),
      );
  }
  const { items } = await client.list(CustomResourceDefinitionKind, { limit: 1 });
  return found.length > 0 ? found : [fine(items.length > 0 ? "ebb's kinds are ebb's" : "no kinds of others")];
};

interface Hooks {
  readonly metadata: { readonly name: string };
  readonly webhooks?: readonly {
    readonly name: string;
    readonly failurePolicy?: string;
    readonly clientConfig: { readonly service?: { readonly namespace: string; readonly name: string } };
  }[];
}

/** Webhooks that nobody answers any more stop what they are asked about. */
export const checkLeftoverWebhooks: Check = async ({ client }) => {
  const [mutating, validating] = await Promise.all([
    client.list(MutatingWebhookConfigurationKind),
    client.list(ValidatingWebhookConfigurationKind),
  ]);
  const found: Finding[] = [];
  const asked = new Map<string, boolean>();
  for (const { metadata, webhooks = [] } of [...mutating.items, ...validating.items] as readonly Hooks[])
    for (const { name, failurePolicy, clientConfig } of webhooks) {
      const { service } = clientConfig;
      if (!service || service.namespace === systemNamespace) continue;
      const key = `${service.namespace}/${service.name}`;
      if (!asked.has(key)) asked.set(key, await serviceIsThere(client, service));
      if (asked.get(key) === true) continue;
      const what = `webhook ${name} of ${metadata.name} asks service ${key}, which is not there`;
      const advice = `whoever it belonged to is gone: "kubectl delete validatingwebhookconfiguration,mutatingwebhookconfiguration ${metadata.name} --ignore-not-found"`;
      found.push(failurePolicy === "Ignore" ? hint(what, advice) : problem(what, advice));
    }
  return found.length > 0 ? found : [fine("no webhooks are left over")];
};

const serviceIsThere = (client: Client, key: { readonly namespace: string; readonly name: string }): Promise<boolean> =>
  isThere(client.get(ServiceKind, { namespace: key.namespace, name: key.name }));

async function isThere(asked: Promise<unknown>): Promise<boolean> {
  try {
    await asked;
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
