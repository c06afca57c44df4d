import { kind } from "../meta/kind.ts";
import type { PodDisruptionBudget } from "./types.gen.ts";

export const PodDisruptionBudgetKind = kind<PodDisruptionBudget>({
  group: "policy",
  version: "v1",
  kind: "PodDisruptionBudget",
  plural: "poddisruptionbudgets",
  shortNames: ["pdb"],
});
