import { ConfigMapKind, NamespaceKind } from "../../api/core/kinds.ts";
import { isAlreadyExists } from "../../api/meta/errors.ts";
import { servingConfigMapNames } from "../../api/serving/config-maps.ts";
import { servingNamespace } from "../../api/serving/keys.ts";
import type { Client } from "../../client/client.ts";

/**
 * Settings that are not upstream's defaults, for a machine of one owner: a domain belongs to whoever maps it first,
 * so that `kn domain create` and a DomainMapping work by themselves. Written once, then the user's to change.
 */
const ownSettings: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "config-network": { "autocreate-cluster-domain-claims": "true" },
};

/**
 * Makes the namespace and the config maps in which Serving is configured, where they are missing, so that users find
 * them to edit. May be called at every start.
 */
export async function installServing(client: Client): Promise<void> {
  await unlessThere(client.create(NamespaceKind, { metadata: { name: servingNamespace } }));
  const labels = { "app.kubernetes.io/name": "knative-serving", "app.kubernetes.io/component": "controller" };
  for (const name of servingConfigMapNames) {
    const data = ownSettings[name];
    const metadata = { name, namespace: servingNamespace, labels };
    await unlessThere(client.create(ConfigMapKind, { metadata, ...(data ? { data } : {}) }));
  }
}

async function unlessThere(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}
