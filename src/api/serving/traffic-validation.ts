/** spec.traffic of Services and Routes (pkg/apis/serving/v1/route_validation.go). */
import { checkDns1035Label, checkLabelKey } from "../meta/names.ts";
import {
  disallowedField,
  each,
  invalidKeyName,
  invalidValue,
  missingOneOf,
  multipleOneOf,
  outOfBounds,
  problem,
  self,
  type Problem,
  type Problems,
} from "./problems.ts";
import type { TrafficTarget } from "./types.gen.ts";

/** `owner` is the kind that holds the list: a Service's targets always mean its own Configuration. */
export function checkTraffic(traffic: readonly TrafficTarget[], owner: "Service" | "Route"): Problems {
  const sum = traffic.reduce((total, target) => total + (target.percent ?? 0), 0);
  return [
    ...each("", traffic, (target) => checkTarget(target, owner)),
    ...checkTags(traffic),
    ...(sum === 100 ? [] : [problem(`Traffic targets sum to ${sum}, want 100`, [self])]),
  ];
}

function checkTags(traffic: readonly TrafficTarget[]): Problems {
  const problems: Problem[] = [];
  const first = new Map<string, number>();
  for (const [index, { tag }] of traffic.entries()) {
    if (!tag) continue;
    const complaints = checkDns1035Label(tag);
    if (complaints.length > 0)
      problems.push(invalidValue(`not a DNS 1035 label: [${complaints.join(" ")}]`, `tag[${index}]`));
    const earlier = first.get(tag);
    if (earlier === undefined) first.set(tag, index);
    else
      problems.push(problem(`Multiple definitions for ${JSON.stringify(tag)}`, [`[${index}].tag`, `[${earlier}].tag`]));
  }
  return problems;
}

function checkTarget(target: TrafficTarget, owner: "Service" | "Route"): Problems {
  const problems: Problem[] = [...checkLatest(target), ...checkReference(target, owner)];
  const { percent, url } = target;
  if (percent !== undefined && (percent < 0 || percent > 100)) problems.push(outOfBounds(percent, 0, 100, "percent"));
  if (url) problems.push(disallowedField("url"));
  return problems;
}

function checkLatest({ latestRevision, revisionName = "" }: TrafficTarget): Problems {
  if (latestRevision === undefined || latestRevision !== (revisionName !== "")) return [];
  const name = JSON.stringify(revisionName);
  return [problem(`may not set revisionName ${name} when latestRevision is ${latestRevision}`, ["latestRevision"])];
}

function checkReference(target: TrafficTarget, owner: "Service" | "Route"): Problems {
  const { revisionName, configurationName } = target;
  if (owner === "Service" && configurationName) return [disallowedField("configurationName")];
  if (revisionName && configurationName) return [multipleOneOf("revisionName", "configurationName")];
  if (revisionName) return checkReferenceName(revisionName, "revisionName");
  if (configurationName) return checkReferenceName(configurationName, "configurationName");
  return owner === "Service" ? [] : [missingOneOf("revisionName", "configurationName")];
}

function checkReferenceName(name: string, path: string): Problems {
  const complaints = checkLabelKey(name);
  return complaints.length === 0 ? [] : [invalidKeyName(name, path, complaints.join(", "))];
}
