import { ConfigMapKind, NamespaceKind } from "../../api/core/kinds.ts";
import { eventingNamespace } from "../../api/eventing/keys.ts";
import { isAlreadyExists } from "../../api/meta/errors.ts";
import type { Client } from "../../client/client.ts";

const defaults = {
  "config-br-defaults": {
    "default-br-config":
      "clusterDefault:\n  brokerClass: MTChannelBasedBroker\n  apiVersion: v1\n  kind: ConfigMap\n  name: config-br-default-channel\n  namespace: knative-eventing\n  delivery:\n    retry: 10\n    backoffPolicy: exponential\n    backoffDelay: PT0.2S\n",
  },
  "config-br-default-channel": {
    "channel-template-spec": "apiVersion: messaging.knative.dev/v1\nkind: InMemoryChannel\n",
  },
  "default-ch-webhook": {
    "default-ch-config": "clusterDefault:\n  apiVersion: messaging.knative.dev/v1\n  kind: InMemoryChannel\n",
  },
  "config-ping-defaults": { "data-max-size": "-1" },
  "config-features": {},
} as const;

/** Makes the namespace and the config maps in which Eventing is configured, where they are missing. */
export async function installEventing(client: Client): Promise<void> {
  await unlessThere(client.create(NamespaceKind, { metadata: { name: eventingNamespace } }));
  const labels = { "app.kubernetes.io/name": "knative-eventing" };
  for (const [name, data] of Object.entries(defaults))
    await unlessThere(client.create(ConfigMapKind, { metadata: { name, namespace: eventingNamespace, labels }, data }));
}

async function unlessThere(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}
