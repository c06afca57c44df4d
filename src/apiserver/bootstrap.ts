import { systemPriorities } from "../api/scheduling/validation.ts";
import type { RequestUser } from "../api/meta/definition.ts";
import type { Kind } from "../api/meta/kind.ts";
import { autoUpdateAnnotation, bootstrapClusterRoleBindings, bootstrapClusterRoles } from "./auth/bootstrap-roles.ts";
import { uncovered } from "./auth/rules.ts";
import { create } from "./registry/create.ts";
import { update } from "./registry/update.ts";
import type { ClusterRole } from "../api/rbac/types.gen.ts";
import { copyJson } from "./registry/json.ts";
import type { Registry } from "./registry/registry.ts";
import type { Caller } from "./registry/request.ts";

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
  extendRoles(registry, caller);
  ensure(rbac("clusterrolebindings"), bootstrapClusterRoleBindings);
  ensure(
    { group: "scheduling.k8s.io", version: "v1", plural: "priorityclasses" },
    Object.entries(systemPriorities).map(([name, value]) => ({
      metadata: { name },
      value,
      description: `For pods the ${name.includes("node") ? "node" : "cluster"} cannot do without.`,
    })),
  );
  ensure({ group: "", version: "v1", plural: "services" }, [apiService]);
}

/** Adds to the bootstrap roles of an older ebb what they lack, unless their users have turned that off. */
function extendRoles(registry: Registry, caller: Caller): void {
  const served = registry.catalog.find("rbac.authorization.k8s.io", "v1", "clusterroles");
  if (!served) return;
  for (const { metadata, rules: wanted = [], aggregationRule } of bootstrapClusterRoles) {
    const role = registry.store.get(served.resource, metadata.name)?.object as ClusterRole | undefined;
    if (!role || aggregationRule || role.metadata.annotations?.[autoUpdateAnnotation] !== "true") continue;
    const missing = wanted.filter((rule) => uncovered(role.rules ?? [], [rule]).length > 0);
    if (missing.length === 0) continue;
    const body = copyJson({ ...role, rules: [...(role.rules ?? []), ...missing] });
    update(registry, { served, name: metadata.name }, body, caller);
  }
}

/** How programs inside the cluster name the API server. */
const apiService = {
  metadata: { name: "kubernetes", namespace: "default", labels: { component: "apiserver", provider: "kubernetes" } },
  spec: { clusterIP: "10.96.0.1", ports: [{ name: "https", port: 443, protocol: "TCP", targetPort: 6443 }] },
};
