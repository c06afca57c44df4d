/** The Role and ClusterRole kinds. */
import { createdAtColumn, nameColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import { schemaOf } from "../schemas.ts";
import { ClusterRoleKind, RoleKind } from "./kinds.ts";
import { validateClusterRole, validateRole } from "./validation.ts";
import type { ClusterRole, Role } from "./types.gen.ts";

export const roleDefinition: KindDefinition<Role> = {
  kind: RoleKind,
  message: "rbac.v1.Role",
  schema: () => schemaOf("rbac.v1.Role"),
  statusSubresource: false,
  generation: "none",
  nameRule: "path-segment",
  columns: [nameColumn, createdAtColumn],
  validate: validateRole,
  unconditionalUpdate: true,
  createOnUpdate: true,
};

export const clusterRoleDefinition: KindDefinition<ClusterRole> = {
  kind: ClusterRoleKind,
  message: "rbac.v1.ClusterRole",
  schema: () => schemaOf("rbac.v1.ClusterRole"),
  statusSubresource: false,
  generation: "none",
  nameRule: "path-segment",
  columns: [nameColumn, createdAtColumn],
  validate: validateClusterRole,
  unconditionalUpdate: true,
  createOnUpdate: true,
};
