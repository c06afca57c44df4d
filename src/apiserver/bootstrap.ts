import type { RequestUser } from "../api/meta/definition.ts";
import type { Kind } from "../api/meta/kind.ts";
import { systemPriorityClasses } from "./admission/pods.ts";
import { bootstrapClusterRoleBindings, bootstrapClusterRoles } from "./auth/bootstrap-roles.ts";
import { create } from "./registry/create.ts";
import { copyJson } from "./registry/json.ts";
import type { Registry } from "./registry/registry.ts";

const namespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];

type Resource = Pick<Kind, "group" | "version" | "plural">;

interface Initial {
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

const rbac = (plural: string): Resource => ({ group: "rbac.authorization.k8s.io", version: "v1", plural });

/** Creates what every cluster has from the start, where it is missing. What users have changed since stays changed. */
export function bootstrap(registry: Registry, user: RequestUser): void {
  const caller = { user, manager: "ebb", dryRun: false, fieldValidation: "Strict", warn: () => undefined } as const;
  const ensure = ({ group, version, plural }: Resource, objects: readonly Initial[]): void => {
    const served = registry.catalog.find(group, version, plural);
    if (!served) return;
    for (const object of objects) {
      const { name, namespace } = object.metadata;
      if (registry.store.get(served.resource, namespace ? `${namespace}/${name}` : name)) continue;
      create(registry, { served, name, ...(namespace ? { namespace } : {}) }, copyJson(object), caller);
    }
  };
  ensure(
    { group: "", version: "v1", plural: "namespaces" },
    namespaces.map((name) => ({ metadata: { name } })),
  );
  ensure(rbac("clusterroles"), bootstrapClusterRoles);
  ensure(rbac("clusterrolebindings"), bootstrapClusterRoleBindings);
  ensure(
    { group: "scheduling.k8s.io", version: "v1", plural: "priorityclasses" },
    Object.entries(systemPriorityClasses).map(([name, value]) => ({
      metadata: { name },
      value,
      description: `For pods the ${name.includes("node") ? "node" : "cluster"} cannot do without.`,
    })),
  );
  ensure({ group: "", version: "v1", plural: "services" }, [apiService]);
}

/** How programs inside the cluster name the API server. */
const apiService = {
  metadata: { name: "kubernetes", namespace: "default", labels: { component: "apiserver", provider: "kubernetes" } },
  spec: { clusterIP: "10.96.0.1", ports: [{ name: "https", port: 443, protocol: "TCP", targetPort: 6443 }] },
};
