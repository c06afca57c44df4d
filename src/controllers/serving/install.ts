import { ConfigMapKind, NamespaceKind } from "../../api/core/kinds.ts";
import { isAlreadyExists } from "../../api/meta/errors.ts";
import { servingConfigMapNames } from "../../api/serving/config-maps.ts";
import { servingNamespace } from "../../api/serving/keys.ts";
import type { Client } from "../../client/client.ts";

/**
 * Makes the namespace and the empty config maps in which Serving is configured, where they are missing, so that users
 * find them to edit. May be called at every start.
 */
export async function installServing(client: Client): Promise<void> {
  await unlessThere(client.create(NamespaceKind, { metadata: { name: servingNamespace } }));
  const labels = { "app.kubernetes.io/name": "knative-serving", "app.kubernetes.io/component": "controller" };
  for (const name of servingConfigMapNames)
    await unlessThere(client.create(ConfigMapKind, { metadata: { name, namespace: servingNamespace, labels } }));
}

async function unlessThere(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}
