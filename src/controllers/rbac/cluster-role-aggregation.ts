import { isDeepStrictEqual } from "node:util";
import { matchesLabelSelector } from "../../api/meta/label-selector.ts";
import { ClusterRoleKind } from "../../api/rbac/kinds.ts";
import type { ClusterRole, PolicyRule } from "../../api/rbac/types.gen.ts";
import type { ControllerSpec } from "../../client/controller.ts";
import { watching } from "../../client/keys.ts";
import type { CoreDeps } from "../core-deps.ts";

/** Fills ClusterRoles that have an aggregationRule with the rules of those it selects. */
export function clusterRoleAggregationController({ client, informers }: CoreDeps): ControllerSpec {
  const roles = informers.of(ClusterRoleKind);
  const aggregated = (): readonly ClusterRole[] => roles.list().filter(({ aggregationRule }) => aggregationRule);
  return {
    name: "clusterrole-aggregation",
    watches: [watching(ClusterRoleKind, () => aggregated().map(({ metadata }) => metadata.name))],
    maxInFlight: 1,
    reconcile: async (key) => {
      const role = roles.get(key);
      if (!role?.aggregationRule) return;
      const rules = aggregatedRules(role, roles.list());
      if (isDeepStrictEqual(rules, role.rules ?? [])) return;
      await client.update(ClusterRoleKind, { ...role, rules });
    },
  };
}

/** The selected roles' rules by role name, each rule once. */
export function aggregatedRules(role: ClusterRole, roles: readonly ClusterRole[]): readonly PolicyRule[] {
  const selectors = role.aggregationRule?.clusterRoleSelectors ?? [];
  const sources = roles
    .filter(({ metadata }) => metadata.name !== role.metadata.name)
    .filter(({ metadata }) => selectors.some((selector) => matchesLabelSelector(selector, metadata.labels)))
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const rules: PolicyRule[] = [];
  for (const rule of sources.flatMap((source) => source.rules ?? [])) {
    if (!rules.some((known) => isDeepStrictEqual(known, rule))) rules.push(rule);
  }
  return rules;
}
