/** Which Revisions a Route's targets stand for (pkg/reconciler/route/traffic/traffic.go). */
import { isFailed, isFalse, isReady, isUnknown, conditionOf, type Verdict } from "../../api/serving/conditions.ts";
import { servingKeys as keys } from "../../api/serving/keys.ts";
import type { Configuration, Revision, Route, TrafficTarget } from "../../api/serving/types.gen.ts";
import { mainTag } from "./route-hosts.ts";

/** A target with the Revision it stands for now. */
export interface RevisionTarget {
  readonly tag: string;
  readonly revisionName: string;
  /** The Configuration it follows, or belongs to. */
  readonly configurationName: string;
  readonly latestRevision: boolean;
  readonly percent: number;
}

export interface Traffic {
  /** In the order of the spec, equal ones of a tag added up: what status.traffic lists. */
  readonly targets: readonly RevisionTarget[];
  /** What each host's requests are spread over, Revisions merged: by tag, the Route itself under "". */
  readonly byTag: ReadonlyMap<string, readonly RevisionTarget[]>;
}

export type TrafficResult =
  | { readonly ok: true; readonly traffic: Traffic }
  /** A target cannot take requests: nothing is changed, what was live stays live. */
  | { readonly ok: false; readonly verdict: Verdict };

export interface TrafficLookup {
  readonly configuration: (name: string) => Configuration | undefined;
  readonly revision: (name: string) => Revision | undefined;
}

/** Among several bad targets the first hard failure is told, else the first that is only waited for. */
export function resolveTraffic(route: Route, lookup: TrafficLookup): TrafficResult {
  const targets: RevisionTarget[] = [];
  let worst: Verdict | undefined;
  for (const target of route.spec.traffic ?? []) {
    const found = target.revisionName
      ? pinnedTarget(route, target, target.revisionName, lookup)
      : latestTarget(target, target.configurationName ?? "", lookup);
    if ("status" in found) {
      if (!worst || (worst.status !== "False" && found.status === "False")) worst = found;
    } else {
      targets.push(found);
    }
  }
  if (worst) return { ok: false, verdict: worst };
  return { ok: true, traffic: { targets: addUp(targets), byTag: group(targets) } };
}

function latestTarget(target: TrafficTarget, name: string, lookup: TrafficLookup): RevisionTarget | Verdict {
  const configuration = lookup.configuration(name);
  if (!configuration) return missing("Configuration", name);
  const quoted = JSON.stringify(name);
  const revisionName = configuration.status?.latestReadyRevisionName;
  if (!revisionName) {
    const failed = conditionOf(configuration, "Ready")?.status === "False";
    return failed
      ? isFalse("RevisionMissing", `Configuration ${quoted} does not have any ready Revision.`)
      : isUnknown("RevisionMissing", `Configuration ${quoted} is waiting for a Revision to become ready.`);
  }
  const revision = lookup.revision(revisionName);
  if (!revision) return missing("Revision", revisionName);
  return isReady(revision) ? made(target, revisionName, name) : unready(revision);
}

function pinnedTarget(
  route: Route,
  target: TrafficTarget,
  name: string,
  lookup: TrafficLookup,
): RevisionTarget | Verdict {
  const revision = lookup.revision(name);
  if (!revision) return missing("Revision", name);
  const service = route.metadata.labels?.[keys.service];
  const actual = revision.metadata.labels?.[keys.service];
  if (service !== undefined && service !== actual) return foreign(name, service, actual);
  if (!isReady(revision)) return unready(revision);
  const configuration = revision.metadata.labels?.[keys.configuration];
  if (configuration !== undefined && !lookup.configuration(configuration))
    return missing("Configuration", configuration);
  return made(target, name, configuration ?? "");
}

const made = (target: TrafficTarget, revisionName: string, configurationName: string): RevisionTarget => ({
  tag: target.tag ?? mainTag,
  revisionName,
  configurationName,
  latestRevision: target.latestRevision ?? !target.revisionName,
  percent: target.percent ?? 0,
});

const missing = (kind: "Configuration" | "Revision", name: string): Verdict =>
  isFalse(`${kind}Missing`, `${kind} ${JSON.stringify(name)} referenced in traffic not found.`);

function unready(revision: Revision): Verdict {
  const name = JSON.stringify(revision.metadata.name);
  return isFailed(revision)
    ? isFalse("RevisionMissing", `Revision ${name} failed to become ready.`)
    : isUnknown("RevisionMissing", `Revision ${name} is not yet ready.`);
}

/** A Service's Route keeps to the Service's own Revisions; a Route that stands alone may name any. */
function foreign(name: string, service: string, actual: string | undefined): Verdict {
  const [revision, wanted] = [JSON.stringify(name), JSON.stringify(service)];
  const text = actual
    ? `Revision ${revision} belongs to Service ${JSON.stringify(actual)}, not Service ${wanted}.`
    : `Revision ${revision} does not belong to Service ${wanted}.`;
  return isFalse("RevisionNotOwned", text);
}

function addUp(targets: readonly RevisionTarget[]): readonly RevisionTarget[] {
  return mergeBy(targets, (t) => `${t.tag}/${t.revisionName}/${t.latestRevision}`);
}

function mergeBy(targets: readonly RevisionTarget[], keyOf: (target: RevisionTarget) => string): RevisionTarget[] {
  const merged = new Map<string, RevisionTarget>();
  for (const target of targets) {
    const key = keyOf(target);
    const known = merged.get(key);
    // A Revision reached both by name and as the latest counts as the latest: that share moves with a rollout.
    const latestRevision = known?.latestRevision === true || target.latestRevision;
    merged.set(key, known ? { ...known, latestRevision, percent: known.percent + target.percent } : target);
  }
  return [...merged.values()];
}

/** Every target takes part on the Route's own hosts; a tag's hosts send everything to the tag's target. */
function group(targets: readonly RevisionTarget[]): ReadonlyMap<string, readonly RevisionTarget[]> {
  const groups = new Map<string, RevisionTarget[]>([[mainTag, [...targets]]]);
  for (const target of targets)
    if (target.tag !== mainTag) groups.set(target.tag, [...(groups.get(target.tag) ?? []), target]);
  return new Map([...groups].map(([tag, members]) => [tag, alone(mergeBy(members, (t) => t.revisionName))]));
}

const alone = (targets: RevisionTarget[]): RevisionTarget[] =>
  targets.length === 1 ? targets.map((target) => ({ ...target, percent: 100 })) : targets;
