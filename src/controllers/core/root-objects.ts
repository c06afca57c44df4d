import { ConfigMapKind, NamespaceKind, ServiceAccountKind } from "../../api/core/kinds.ts";
import type { ConfigMap } from "../../api/core/types.gen.ts";
import { isAlreadyExists, isApiError, isNotFound } from "../../api/meta/errors.ts";
import type { Kind } from "../../api/meta/kind.ts";
import type { Draft, KubeObject } from "../../api/meta/object.ts";
import type { ControllerSpec } from "../../client/controller.ts";
import { watching } from "../../client/keys.ts";
import type { CoreDeps } from "../core-deps.ts";

const accountName = "default";
const rootCaName = "kube-root-ca.crt";
const rootCaAnnotations = {
  "kubernetes.io/description":
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.",
};

export interface RootObjectsDeps extends CoreDeps {
  /** PEM of the authority that signed the API server's certificate. Absent: no ConfigMap is kept. */
  readonly rootCa?: string;
}

/** Keeps in every namespace what pods of it rely on: ServiceAccount `default` and the API's root certificate. */
export function rootObjectsController(deps: RootObjectsDeps): ControllerSpec {
  const namespaces = deps.informers.of(NamespaceKind);
  const accounts = deps.informers.of(ServiceAccountKind);
  const configMaps = deps.informers.of(ConfigMapKind);
  return {
    name: "root-objects",
    watches: [
      watching(NamespaceKind, (namespace) => [namespace.metadata.name]),
      watching(ServiceAccountKind, ({ metadata }) => (metadata.name === accountName ? [metadata.namespace ?? ""] : [])),
      watching(ConfigMapKind, ({ metadata }) => (metadata.name === rootCaName ? [metadata.namespace ?? ""] : [])),
    ],
    reconcile: async (name) => {
      const namespace = namespaces.get(name);
      if (!namespace || namespace.metadata.deletionTimestamp) return;
      if (!accounts.get(`${name}/${accountName}`)) {
        await ensure(deps, ServiceAccountKind, { metadata: { name: accountName, namespace: name } });
      }
      if (deps.rootCa === undefined) return;
      const data = { "ca.crt": deps.rootCa };
      const existing = configMaps.get(`${name}/${rootCaName}`);
      if (!existing) {
        const metadata = { name: rootCaName, namespace: name, annotations: rootCaAnnotations };
        await ensure<ConfigMap>(deps, ConfigMapKind, { metadata, data });
      } else if (existing.data?.["ca.crt"] !== deps.rootCa) {
        await deps.client.update(ConfigMapKind, { ...existing, data });
      }
    },
  };
}

async function ensure<T extends KubeObject>({ client }: CoreDeps, kind: Kind<T>, draft: Draft<T>): Promise<void> {
  try {
    await client.create(kind, draft);
  } catch (error) {
    const namespaceGoes = isNotFound(error) || (isApiError(error) && error.code === 403);
    if (!isAlreadyExists(error) && !namespaceGoes) throw error;
  }
}
