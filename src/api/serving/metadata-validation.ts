/** Metadata of Serving objects: names, labels, annotations (pkg/apis/serving/metadata_validation.go). */
import { isDeepStrictEqual } from "node:util";
import { parseDuration } from "../meta/duration.ts";
import { checkDns1035Label } from "../meta/names.ts";
import type { KubeObject } from "../meta/object.ts";
import type { ObjectMeta } from "../meta/types.gen.ts";
import { servingKeys } from "./keys.ts";
import {
  invalidKeyName,
  invalidValue,
  missingField,
  problem,
  self,
  within,
  type Problem,
  type Problems,
} from "./problems.ts";

/** A DNS-1035 label as metadata.name, and the same for what names are made from. */
export function checkName(metadata: ObjectMeta): Problems {
  const { name, generateName } = metadata;
  const prefix = generateName ? prefixComplaints(generateName) : [];
  if (prefix.length > 0) return [problem(`not a DNS 1035 label prefix: [${prefix.join(" ")}]`, ["generateName"])];
  if (!name) return generateName ? [] : [problem("name or generateName is required", ["name"])];
  const complaints = checkDns1035Label(name);
  return complaints.length === 0 ? [] : [problem(`not a DNS 1035 label: [${complaints.join(" ")}]`, ["name"])];
}

/** A prefix may end in a dash, and is as good as the name it starts. */
export const prefixComplaints = (prefix: string): readonly string[] =>
  checkDns1035Label(prefix.endsWith("-") ? `${prefix.slice(0, -1)}a` : prefix);

/** Autoscaling annotations work on the revision template only. */
export function checkNoAutoscaling(annotations: ObjectMeta["annotations"]): Problems {
  const hint = 'autoscaling annotations must be put under "spec.template.metadata.annotations" to work';
  return Object.keys(annotations ?? {})
    .filter((key) => key.startsWith(servingKeys.autoscalingPrefix.slice(0, -1)))
    .map((key) => invalidKeyName(key, self, hint));
}

const networkingAnnotations: ReadonlySet<string> = new Set([
  "networking.knative.dev/ingress.class",
  "networking.knative.dev/ingress-class",
  "networking.knative.dev/certificate.class",
  "networking.knative.dev/certificate-class",
  "networking.knative.dev/disableAutoTLS",
  "networking.knative.dev/disable-auto-tls",
  "networking.knative.dev/disableExternalDomainTLS",
  "networking.knative.dev/disable-external-domain-tls",
  "networking.knative.dev/httpOption",
  "networking.knative.dev/http-protocol",
]);

export function checkNetworkingAnnotations(annotations: ObjectMeta["annotations"]): Problems {
  return Object.keys(annotations ?? {})
    .filter((key) => key.startsWith("networking.knative.dev") && !networkingAnnotations.has(key))
    .map((key) => invalidKeyName(key, self));
}

/** A duration of whole seconds under the first of `keys` that is set; `name` is how complaints call it. */
export function checkSecondsAnnotation(
  annotations: ObjectMeta["annotations"],
  name: string,
  keys: readonly string[],
): Problems {
  const key = keys.find((candidate) => annotations?.[candidate] !== undefined);
  const text = key === undefined ? "" : (annotations?.[key] ?? "");
  if (key === undefined || text === "") return [];
  const ms = parseDuration(text);
  if (ms === undefined) return [invalidValue(text, key)];
  if (ms % 1000 !== 0) return [problem(`${name}=${text} is not at second precision`, [key])];
  return ms < 0 ? [problem(`${name}=${text} must be positive`, [key])] : [];
}

export const checkRolloutDuration = (annotations: ObjectMeta["annotations"]): Problems =>
  checkSecondsAnnotation(annotations, "rollout-duration", [
    servingKeys.rolloutDuration,
    servingKeys.rolloutDurationOld,
  ]);

/** A label that says who owns the object must be backed by an owner reference. */
export function checkOwnerLabel(object: KubeObject, label: string, kind: string): Problems {
  const value = object.metadata.labels?.[label];
  const owned = object.metadata.ownerReferences?.some((owner) => owner.kind === kind && owner.name === value);
  return value === undefined || owned ? [] : [missingField(label)];
}

/** creator never changes; lastModifier only together with the spec. */
export function checkCreator<T extends KubeObject & { readonly spec: unknown }>(object: T, old: T): Problems {
  const [now, before] = [object.metadata.annotations ?? {}, old.metadata.annotations ?? {}];
  const problems: Problem[] = [];
  if (now[servingKeys.creator] !== before[servingKeys.creator])
    problems.push(problem("annotation value is immutable", [servingKeys.creator]));
  const modifier = now[servingKeys.lastModifier];
  if (modifier !== before[servingKeys.lastModifier] && isDeepStrictEqual(object.spec, old.spec))
    problems.push(invalidValue(modifier ?? "", servingKeys.lastModifier));
  return within("metadata.annotations", problems);
}
