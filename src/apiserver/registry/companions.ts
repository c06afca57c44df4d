import type { KubeObject } from "../../api/meta/object.ts";
import { formatTime } from "../../api/meta/time.ts";
import type { Write } from "../storage/entry.ts";
import type { Served } from "./catalog.ts";
import type { Registry } from "./registry.ts";

/**
 * What comes into being in the same transaction as an object: with a Namespace its `default` ServiceAccount and the
 * ConfigMap of the CA, so that a pod created right after it never misses them.
 */
export function companionsOf(registry: Registry, served: Served, object: KubeObject): Write[] {
  if (served.resource !== "/namespaces") return [];
  const namespace = object.metadata.name;
  const made = (name: string): KubeObject["metadata"] => ({
    name,
    namespace,
    uid: registry.newUid(),
    creationTimestamp: formatTime(registry.now()),
  });
  const account: KubeObject = { apiVersion: "v1", kind: "ServiceAccount", metadata: made("default") };
  const ca: KubeObject & { data: unknown } = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      ...made("kube-root-ca.crt"),
      annotations: {
        "kubernetes.io/description":
          "The certificate authority of this API server: clients in pods trust it by this copy",
      },
    },
    data: { "ca.crt": registry.caCertificate },
  };
  return [
    { resource: "/serviceaccounts", name: "default", object: account },
    { resource: "/configmaps", name: "kube-root-ca.crt", object: ca },
  ]
    .filter(({ resource, name }) => !registry.store.get(resource, `${namespace}/${name}`))
    .map(({ resource, name, object: companion }) => ({
      kind: "put",
      resource,
      key: `${namespace}/${name}`,
      object: companion,
      managed: "",
    }));
}
