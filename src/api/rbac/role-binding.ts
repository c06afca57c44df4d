/** The RoleBinding and ClusterRoleBinding kinds. */
import { ageColumn, nameColumn, textColumn, wideColumn } from "../meta/columns.ts";
import type { Column, KindDefinition } from "../meta/definition.ts";
import type { Mutable } from "../meta/object.ts";
import { schemaOf } from "../schemas.ts";
import { ClusterRoleBindingKind, RoleBindingKind } from "./kinds.ts";
import { validateClusterRoleBinding, validateRoleBinding } from "./validation.ts";
import type { ClusterRoleBinding, RoleBinding } from "./types.gen.ts";

type Binding = RoleBinding | ClusterRoleBinding;

const rbacGroup = "rbac.authorization.k8s.io";

function subjectsOf({ subjects = [] }: Binding, kind: string): string {
  return subjects
    .filter((subject) => subject.kind === kind)
    .map(({ name, namespace }) => (kind === "ServiceAccount" ? `${namespace ?? ""}/${name}` : name))
    .join(", ");
}

const columns: readonly Column<Binding>[] = [
  nameColumn,
  textColumn("Role", "The role it grants.", ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`),
  ageColumn,
  wideColumn("Users", "Users it grants the role to.", (binding) => subjectsOf(binding, "User")),
  wideColumn("Groups", "Groups it grants the role to.", (binding) => subjectsOf(binding, "Group")),
  wideColumn("ServiceAccounts", "Accounts it grants the role to.", (binding) => subjectsOf(binding, "ServiceAccount")),
];

function applyDefaults(binding: Mutable<Binding>): void {
  if (binding.roleRef) binding.roleRef.apiGroup ||= rbacGroup;
  for (const subject of binding.subjects ?? [])
    if (subject.kind === "User" || subject.kind === "Group") subject.apiGroup ||= rbacGroup;
}

export const roleBindingDefinition: KindDefinition<RoleBinding> = {
  kind: RoleBindingKind,
  message: "rbac.v1.RoleBinding",
  schema: () => schemaOf("rbac.v1.RoleBinding"),
  statusSubresource: false,
  generation: "none",
  nameRule: "path-segment",
  columns,
  applyDefaults,
  validate: validateRoleBinding,
  unconditionalUpdate: true,
  createOnUpdate: true,
};

export const clusterRoleBindingDefinition: KindDefinition<ClusterRoleBinding> = {
  kind: ClusterRoleBindingKind,
  message: "rbac.v1.ClusterRoleBinding",
  schema: () => schemaOf("rbac.v1.ClusterRoleBinding"),
  statusSubresource: false,
  generation: "none",
  nameRule: "path-segment",
  columns,
  applyDefaults,
  validate: validateClusterRoleBinding,
  unconditionalUpdate: true,
  createOnUpdate: true,
};
