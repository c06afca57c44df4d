import type { RequestUser } from "../../api/meta/definition.ts";
import { matchesLabelSelector } from "../../api/meta/label-selector.ts";
import type { ClusterRole, PolicyRule } from "../../api/rbac/types.gen.ts";
import { update } from "../registry/update.ts";
import type { Registry } from "../registry/registry.ts";
import { jsonEqual } from "../schema/json-value.ts";
import { copyJson } from "../registry/json.ts";
import { createSettling } from "../registry/settling.ts";
import type { Logger } from "../../telemetry/logger.ts";

const resource = "rbac.authorization.k8s.io/clusterroles";

/**
 * Keeps the rules of every aggregating ClusterRole the union of those its selectors name. Roles may feed roles that
 * feed others, so it repeats until nothing changes; more often than there are roles means a circle, and stops.
 */
function aggregateRoles(registry: Registry, user: RequestUser): void {
  const served = registry.catalog.find("rbac.authorization.k8s.io", "v1", "clusterroles");
  if (!served) return;
  const caller = {
    user,
    manager: "clusterrole-aggregation-controller",
    dryRun: false,
    fieldValidation: "Ignore",
    warn: () => undefined,
  } as const;
  for (let round = 0; round <= registry.store.count(resource); round += 1) {
    const roles = registry.store.list(resource).map(({ object }) => object as ClusterRole);
    const stale = roles.filter((role) => role.aggregationRule && !jsonEqual(role.rules ?? [], rulesFor(role, roles)));
    if (stale.length === 0) return;
    for (const role of stale)
      update(
        registry,
        { served, name: role.metadata.name },
        { ...copyJson(role), rules: copyJson(rulesFor(role, roles)) },
        caller,
      );
  }
}

function rulesFor(role: ClusterRole, roles: readonly ClusterRole[]): PolicyRule[] {
  const selectors = role.aggregationRule?.clusterRoleSelectors ?? [];
  const found: PolicyRule[] = [];
  for (const other of roles) {
    if (other.metadata.name === role.metadata.name) continue;
    if (!selectors.some((selector) => matchesLabelSelector(selector, other.metadata.labels))) continue;
    for (const rule of other.rules ?? []) if (!found.some((known) => jsonEqual(known, rule))) found.push(rule);
  }
  return found;
}

/** Aggregates now and, once the turn is over, after every change of a ClusterRole; returns what stops it. */
export function keepRolesAggregated(registry: Registry, user: RequestUser, log: Logger): () => void {
  const aggregate = (): void => aggregateRoles(registry, user);
  aggregate();
  const settling = createSettling(aggregate, { name: "aggregating cluster roles", log });
  const unsubscribe = registry.store.subscribe(resource, settling.soon);
  return () => {
    unsubscribe();
    settling.stop();
  };
}
