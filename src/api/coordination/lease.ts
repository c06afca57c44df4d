/** The Lease kind. */
import { ageColumn, nameColumn, textColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import { schemaOf } from "../schemas.ts";
import { LeaseKind } from "./kinds.ts";
import { validateLease } from "./validation.ts";
import type { Lease } from "./types.gen.ts";

export const leaseDefinition: KindDefinition<Lease> = {
  kind: LeaseKind,
  message: "coordination.v1.Lease",
  schema: () => schemaOf("coordination.v1.Lease"),
  statusSubresource: false,
  generation: "none",
  columns: [nameColumn, textColumn("Holder", "Who holds it.", ({ spec }) => spec?.holderIdentity ?? ""), ageColumn],
  validate: validateLease,
  unconditionalUpdate: false,
  createOnUpdate: true,
};
