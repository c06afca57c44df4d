/** A Route's status (pkg/reconciler/route, pkg/apis/serving/v1/route_lifecycle.go). */
import type { Ingress } from "../../api/networking-internal/types.gen.ts";
import {
  conditionOf,
  isFalse,
  isObserved,
  isTrue,
  isUnknown,
  nextConditions,
  verdictOf,
  type ConditionSet,
  type Verdict,
} from "../../api/serving/conditions.ts";
import type { Route, RouteStatus, TrafficTarget } from "../../api/serving/types.gen.ts";
import { sharesOf } from "./make-kingress.ts";
import { isRolling, type Rollout } from "./rollout.ts";
import { mainTag, type TagHosts } from "./route-hosts.ts";
import type { Traffic } from "./route-traffic.ts";

export type RouteOutcome =
  /** Targets cannot take traffic, or hosts cannot be named: what was live stays live. */
  | { readonly kind: "unassigned"; readonly verdict: Verdict }
  /** A name the Route needs belongs to somebody else. */
  | { readonly kind: "foreign"; readonly traffic: Traffic; readonly message: string }
  | { readonly kind: "assigned"; readonly traffic: Traffic; readonly rollout: Rollout; readonly ingress: Ingress };

export interface RouteFacts {
  readonly route: Route;
  readonly outcome: RouteOutcome;
  /** By tag; without the Route's own when its hosts cannot be named. */
  readonly hosts: ReadonlyMap<string, TagHosts>;
  /** CertificateProvisioned; undefined: as before, since hosts are not known. */
  readonly certificates: Verdict | undefined;
  readonly now: number;
}

const conditionSet: ConditionSet = {
  dependents: ["AllTrafficAssigned", "IngressReady", "CertificateProvisioned"],
  info: [],
};

/**
 * | outcome                            | AllTrafficAssigned | IngressReady                              |
 * |------------------------------------|--------------------|-------------------------------------------|
 * | unassigned, spec seen before       | why                | as before                                 |
 * | unassigned, new spec               | why                | Unknown IngressNotConfigured              |
 * | foreign                            | True               | False NotOwned                            |
 * | assigned, KIngress not yet seen    | True               | Unknown IngressNotConfigured              |
 * | assigned, a rollout runs           | True               | Unknown RolloutInProgress                 |
 * | assigned                           | True               | the KIngress' Ready                       |
 */
export function routeStatus({ route, outcome, hosts, certificates, now }: RouteFacts): RouteStatus {
  const before = route.status ?? {};
  const verdicts = {
    AllTrafficAssigned: outcome.kind === "unassigned" ? outcome.verdict : isTrue,
    IngressReady: ingressVerdict(route, outcome),
    CertificateProvisioned: certificates,
  };
  const main = hosts.get(mainTag);
  const url = main?.url ?? before.url;
  const address = outcome.kind === "unassigned" ? before.address : { url: `http://${main?.local.at(-1)}` };
  const traffic = outcome.kind === "unassigned" ? before.traffic : trafficStatus(outcome, hosts);
  return {
    ...(route.metadata.generation === undefined ? {} : { observedGeneration: route.metadata.generation }),
    conditions: nextConditions(conditionSet, before.conditions, verdicts, now),
    ...(before.annotations ? { annotations: before.annotations } : {}),
    ...(url ? { url } : {}),
    ...(address ? { address } : {}),
    ...(traffic ? { traffic } : {}),
  };
}

const notConfigured: Verdict = isUnknown("IngressNotConfigured", "Ingress has not yet been reconciled.");
const inProgress: Verdict = isUnknown(
  "RolloutInProgress",
  "A gradual rollout of the latest revision(s) is in progress.",
);

function ingressVerdict(route: Route, outcome: RouteOutcome): Verdict | undefined {
  if (outcome.kind === "unassigned") return isObserved(route) ? undefined : notConfigured;
  if (outcome.kind === "foreign") return isFalse("NotOwned", outcome.message);
  if (isRolling(outcome.rollout)) return inProgress;
  const ready = conditionOf(outcome.ingress, "Ready");
  return isObserved(outcome.ingress) && ready ? verdictOf(ready) : notConfigured;
}

/** Always with concrete Revisions; in a rollout a target is listed once per Revision that has a share. */
function trafficStatus(
  outcome: Exclude<RouteOutcome, { readonly kind: "unassigned" }>,
  hosts: RouteFacts["hosts"],
): readonly TrafficTarget[] {
  const rollout = outcome.kind === "assigned" ? outcome.rollout : [];
  return outcome.traffic.targets.flatMap((target) =>
    sharesOf(target, target.tag, rollout).map(({ revisionName, percent }) => ({
      ...(target.tag === mainTag ? {} : { tag: target.tag }),
      revisionName,
      latestRevision: target.latestRevision,
      percent,
      ...(target.tag === mainTag ? {} : { url: hosts.get(target.tag)?.url ?? "" }),
    })),
  );
}
