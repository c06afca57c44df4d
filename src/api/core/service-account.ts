/** The ServiceAccount kind. */
import { ageColumn, nameColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import { schemaOf } from "../schemas.ts";
import { ServiceAccountKind } from "./kinds.ts";
import type { ServiceAccount } from "./types.gen.ts";

export const serviceAccountDefinition: KindDefinition<ServiceAccount> = {
  kind: ServiceAccountKind,
  message: "core.v1.ServiceAccount",
  schema: () => schemaOf("core.v1.ServiceAccount"),
  statusSubresource: false,
  otherSubresources: [
    {
      name: "token",
      kind: { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest" },
      verbs: ["create"],
    },
  ],
  generation: "none",
  columns: [nameColumn, ageColumn],
  unconditionalUpdate: true,
};
