/** The NetworkPolicy kind. */
import { ageColumn, nameColumn, selectorCell, textColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import { schemaOf } from "../schemas.ts";
import { NetworkPolicyKind } from "./kinds.ts";
import { validateNetworkPolicy } from "./validation.ts";
import type { NetworkPolicy } from "./types.gen.ts";

export const networkPolicyDefinition: KindDefinition<NetworkPolicy> = {
  kind: NetworkPolicyKind,
  message: "networking.v1.NetworkPolicy",
  schema: () => schemaOf("networking.v1.NetworkPolicy"),
  statusSubresource: false,
  generation: "spec",
  columns: [
    nameColumn,
    textColumn("Pod-Selector", "Which pods it is about.", ({ spec }) => selectorCell(spec.podSelector)),
    ageColumn,
  ],
  applyDefaults({ spec }) {
    if (!spec) return;
    spec.podSelector ??= {};
    if (!spec.policyTypes?.length) spec.policyTypes = spec.egress?.length ? ["Ingress", "Egress"] : ["Ingress"];
    for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])])
      for (const port of rule.ports ?? []) port.protocol ??= "TCP";
  },
  validate: validateNetworkPolicy,
  unconditionalUpdate: true,
};
