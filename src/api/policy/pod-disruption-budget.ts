/** The PodDisruptionBudget kind. */
import { ageColumn, integerColumn, nameColumn, textColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import { schemaOf } from "../schemas.ts";
import { PodDisruptionBudgetKind } from "./kinds.ts";
import { validateBudget, validateBudgetStatus } from "./validation.ts";
import type { PodDisruptionBudget } from "./types.gen.ts";

export const podDisruptionBudgetDefinition: KindDefinition<PodDisruptionBudget> = {
  kind: PodDisruptionBudgetKind,
  message: "policy.v1.PodDisruptionBudget",
  schema: () => schemaOf("policy.v1.PodDisruptionBudget"),
  statusSubresource: true,
  generation: "spec",
  columns: [
    nameColumn,
    textColumn("Min Available", "Pods that must stay.", ({ spec }) => String(spec.minAvailable ?? "N/A")),
    textColumn("Max Unavailable", "Pods that may be away.", ({ spec }) => String(spec.maxUnavailable ?? "N/A")),
    integerColumn(
      "Allowed Disruptions",
      "Pods that may be evicted now.",
      ({ status }) => status?.disruptionsAllowed ?? 0,
    ),
    ageColumn,
  ],
  prepare(budget, old) {
    if (!old) budget.status = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
  },
  validate: validateBudget,
  validateStatus: validateBudgetStatus,
  unconditionalUpdate: false,
};
