/**
 * policy/v1beta1 PodDisruptionBudget: the v1 object under its older name (Kubernetes served both from 1.21 to 1.24).
 * kubectl 1.20 knows no other. An empty selector chooses no pod in v1beta1 and every pod in v1 (Kubernetes
 * pkg/apis/policy/v1beta1/conversion.go): it travels as one that nothing matches.
 */
import type { KindDefinition } from "../meta/definition.ts";
import { apiVersionOf, kind } from "../meta/kind.ts";
import { schemaOf } from "../schemas.ts";
import { PodDisruptionBudgetKind } from "./kinds.ts";
import type { PodDisruptionBudget } from "./types.gen.ts";

export const PodDisruptionBudgetV1beta1Kind = kind<PodDisruptionBudget>({
  ...PodDisruptionBudgetKind,
  version: "v1beta1",
});

type Selector = PodDisruptionBudget["spec"]["selector"];

const anyPod: Selector = {};
const noPod: Selector = {
  matchExpressions: [{ key: "pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match", operator: "Exists" }],
};

const same = (a: Selector, b: Selector): boolean => JSON.stringify(a) === JSON.stringify(b);

function translated(budget: PodDisruptionBudget, version: string, from: Selector, to: Selector): PodDisruptionBudget {
  const moved = { ...budget, apiVersion: version };
  if (!budget.spec?.selector || !same(budget.spec.selector, from) || !to) return moved;
  return { ...moved, spec: { ...budget.spec, selector: to } };
}

/** The v1 object of a v1beta1 one, which need not be complete. */
export const budgetFromV1beta1 = (budget: PodDisruptionBudget): PodDisruptionBudget =>
  translated(budget, apiVersionOf(PodDisruptionBudgetKind), anyPod, noPod);

export const budgetToV1beta1 = (budget: PodDisruptionBudget): PodDisruptionBudget =>
  translated(budget, apiVersionOf(PodDisruptionBudgetV1beta1Kind), noPod, anyPod);

export const podDisruptionBudgetV1beta1Definition: KindDefinition<PodDisruptionBudget> = {
  kind: PodDisruptionBudgetV1beta1Kind,
  schema: () => schemaOf("policy.v1.PodDisruptionBudget"),
  conversion: {
    storedAs: PodDisruptionBudgetKind,
    toStored: budgetFromV1beta1,
    fromStored: (stored) => budgetToV1beta1(stored as PodDisruptionBudget),
  },
  statusSubresource: true,
  generation: "none",
  columns: [],
  unconditionalUpdate: false,
};
