import { expect, test } from "vitest";
import { budgetFromV1beta1, budgetToV1beta1 } from "./pod-disruption-budget-v1beta1.ts";
import type { PodDisruptionBudget } from "./types.gen.ts";

const budget = (selector: PodDisruptionBudget["spec"]["selector"]): PodDisruptionBudget => ({
  apiVersion: "policy/v1beta1",
  kind: "PodDisruptionBudget",
  metadata: { name: "pdb", namespace: "default" },
  spec: { minAvailable: 1, ...(selector ? { selector } : {}) },
});

test("an empty v1beta1 selector, which chooses nothing, does not choose everything in v1", () => {
  const stored = budgetFromV1beta1(budget({}));
  expect(stored.apiVersion).toBe("policy/v1");
  expect(stored.spec.selector?.matchExpressions).toEqual([
    { key: "pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match", operator: "Exists" },
  ]);
  expect(budgetToV1beta1(stored)).toEqual(budget({}));
});

test("any other selector, or none, stays as it is", () => {
  for (const selector of [undefined, { matchLabels: { app: "web" } }])
    expect(budgetToV1beta1(budgetFromV1beta1(budget(selector)))).toEqual(budget(selector));
});
