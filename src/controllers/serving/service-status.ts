/** A Service's status from its Configuration and Route (pkg/reconciler/service, pkg/apis/serving/v1/service_lifecycle.go). */
import { isDeepStrictEqual } from "node:util";
import {
  conditionOf,
  isFalse,
  isObserved,
  isUnknown,
  nextConditions,
  verdictOf,
  type ConditionSet,
  type Verdict,
  type Verdicts,
} from "../../api/serving/conditions.ts";
import type { Configuration, Route, Service, ServiceStatus, TrafficTarget } from "../../api/serving/types.gen.ts";

export type Child<T> =
  | { readonly kind: "mine"; readonly object: T }
  /** Something of that name belongs to somebody else. */
  | { readonly kind: "foreign" }
  /** Not made in this pass. */
  | { readonly kind: "waiting" };

export interface ServiceFacts {
  readonly service: Service;
  readonly configuration: Child<Configuration>;
  readonly route: Child<Route>;
  /** The name the template gives its Revision is held by another Revision. */
  readonly nameTaken: boolean;
  /** Milliseconds. */
  readonly now: number;
}

const conditionSet: ConditionSet = {
  dependents: ["ConfigurationsReady", "RoutesReady"],
  info: ["InstancesHealthy", "WarmPodsAvailable"],
};

/**
 * | Configuration            | ConfigurationsReady      | | Route                          | RoutesReady            |
 * |--------------------------|--------------------------|-|--------------------------------|------------------------|
 * | foreign                  | False NotOwned           | | foreign                        | False NotOwned         |
 * | spec not yet observed    | Unknown OutOfDate        | | spec not yet observed          | Unknown OutOfDate      |
 * | observed                 | its Ready                | | observed, not ready            | its Ready              |
 * |                          |                          | | ready, status ≠ wanted traffic | Unknown TrafficNotMigrated |
 * |                          |                          | | revision name taken            | False RevisionNameTaken |
 */
export function serviceStatus(facts: ServiceFacts): ServiceStatus {
  const { service, now } = facts;
  const configuration = facts.configuration.kind === "mine" ? facts.configuration.object : undefined;
  const route = facts.route.kind === "mine" ? facts.route.object : undefined;
  const before = service.status ?? {};
  const created = configuration && isObserved(configuration) ? configuration.status : before;
  const routed = route && isObserved(route) ? route.status : before;
  return {
    ...(service.metadata.generation === undefined ? {} : { observedGeneration: service.metadata.generation }),
    conditions: nextConditions(conditionSet, before.conditions, verdictsOf(facts), now),
    ...(before.annotations ? { annotations: before.annotations } : {}),
    ...(routed?.url ? { url: routed.url } : {}),
    ...(routed?.address ? { address: routed.address } : {}),
    ...(routed?.traffic ? { traffic: routed.traffic } : {}),
    ...(created?.latestCreatedRevisionName ? { latestCreatedRevisionName: created.latestCreatedRevisionName } : {}),
    ...(created?.latestReadyRevisionName ? { latestReadyRevisionName: created.latestReadyRevisionName } : {}),
  };
}

function verdictsOf(facts: ServiceFacts): Verdicts {
  const { configuration } = facts;
  const passedOn = (type: string): Verdict | undefined => {
    const found = configuration.kind === "mine" ? conditionOf(configuration.object, type) : undefined;
    return found && verdictOf(found);
  };
  return {
    ConfigurationsReady: configurationVerdict(facts),
    RoutesReady: routeVerdict(facts),
    InstancesHealthy: passedOn("InstancesHealthy"),
    WarmPodsAvailable: passedOn("WarmPodsAvailable"),
  };
}

function configurationVerdict({ service, configuration }: ServiceFacts): Verdict | undefined {
  const { name } = service.metadata;
  if (configuration.kind === "foreign") return isFalse("NotOwned", notOwned("Configuration", name));
  if (configuration.kind === "waiting") return undefined;
  if (!isObserved(configuration.object))
    return isUnknown("OutOfDate", "The Configuration is still working to reflect the latest desired specification.");
  const ready = conditionOf(configuration.object, "Ready");
  return ready && verdictOf(ready);
}

function routeVerdict(facts: ServiceFacts): Verdict | undefined {
  const { service, route, nameTaken } = facts;
  if (nameTaken) {
    const name = JSON.stringify(service.spec.template.metadata?.name ?? "");
    const text = `The revision name ${name} is taken by a conflicting Revision, so traffic will not be migrated`;
    return isFalse("RevisionNameTaken", text);
  }
  if (route.kind === "foreign") return isFalse("NotOwned", notOwned("Route", service.metadata.name));
  if (route.kind === "waiting") return undefined;
  if (!isObserved(route.object))
    return isUnknown("OutOfDate", "The Route is still working to reflect the latest desired specification.");
  const ready = conditionOf(route.object, "Ready");
  if (!ready) return undefined;
  if (
    ready.status === "True" &&
    facts.configuration.kind === "mine" &&
    !isMigrated(route.object, facts.configuration.object)
  )
    return isUnknown("TrafficNotMigrated", "Traffic is not yet migrated to the latest revision.");
  return verdictOf(ready);
}

/** Whether the Route's traffic goes where its spec and the Configuration's newest ready Revision want it. */
function isMigrated(route: Route, configuration: Configuration): boolean {
  const wanted = (route.spec.traffic ?? []).map((target) =>
    target.configurationName === configuration.metadata.name
      ? { ...target, revisionName: configuration.status?.latestReadyRevisionName ?? "" }
      : target,
  );
  return isDeepStrictEqual(wanted.map(essence), (route.status?.traffic ?? []).map(essence));
}

const essence = ({ tag = "", revisionName = "", percent = 0 }: TrafficTarget) => ({ tag, revisionName, percent });

export const notOwned = (kind: string, name: string): string =>
  `There is an existing ${kind} ${JSON.stringify(name)} that we do not own.`;
