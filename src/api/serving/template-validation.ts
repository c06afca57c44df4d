/** A Service's or Configuration's revision template (pkg/apis/serving/v1/revision_validation.go). */
import { checkAutoscalingAnnotations } from "../autoscaling-internal/annotation-validation.ts";
import { checkDns1035Label } from "../meta/names.ts";
import { readQuantity } from "../meta/quantity.ts";
import type { ObjectMeta } from "../meta/types.gen.ts";
import { parseNumber } from "./config-values.ts";
import { servingKeys } from "./keys.ts";
import { checkNetworkingAnnotations, checkSecondsAnnotation, prefixComplaints } from "./metadata-validation.ts";
import { checkRevisionSpec } from "./pod-spec-validation.ts";
import {
  disallowedField,
  invalidValue,
  outOfBounds,
  problem,
  within,
  type Problem,
  type Problems,
} from "./problems.ts";
import type { ServingSettings } from "./settings.ts";
import { specDiff } from "./spec-diff.ts";
import type { RevisionTemplateSpec } from "./types.gen.ts";

export interface TemplateParent {
  readonly metadata: ObjectMeta;
  /** The parent is being created and the server makes its name. */
  readonly unnamed: boolean;
}

export function checkTemplate(
  template: RevisionTemplateSpec,
  parent: TemplateParent,
  settings: ServingSettings,
): Problems {
  const { annotations } = template.metadata ?? {};
  return [
    ...within("spec", checkRevisionSpec(template.spec, settings)),
    ...within("metadata.annotations", [
      ...checkAutoscalingAnnotations(annotations, settings.autoscaler),
      ...checkNetworkingAnnotations(annotations),
      ...checkSidecarAnnotations(annotations),
      ...checkProgressDeadline(annotations),
    ]),
    ...checkRevisionName(template.metadata, parent),
  ];
}

const checkProgressDeadline = (annotations: ObjectMeta["annotations"]): Problems =>
  checkSecondsAnnotation(annotations, "progress-deadline", [servingKeys.progressDeadline]);

/** A revision that its author names carries its parent's name in front, so that two parents never meet. */
function checkRevisionName(metadata: ObjectMeta | undefined, parent: TemplateParent): Problems {
  const { name, generateName } = metadata ?? {};
  const prefix = generateName ? prefixComplaints(generateName) : [];
  if (prefix.length > 0)
    return [invalidValue(`not a DNS 1035 label prefix: [${prefix.join(" ")}]`, "metadata.generateName")];
  if (!name) return [];
  const complaints = checkDns1035Label(name);
  if (complaints.length > 0) return [invalidValue(`not a DNS 1035 label: [${complaints.join(" ")}]`, "metadata.name")];
  if (parent.unnamed) return [disallowedField("metadata.name")];
  const prefixWanted = `${parent.metadata.name}-`;
  if (name.startsWith(prefixWanted)) return [];
  const wanted = JSON.stringify(prefixWanted);
  return [invalidValue(`${JSON.stringify(name)} must have prefix ${wanted}`, "metadata.name")];
}

/** A template whose name stays the same must stay the same itself: the name stands for one immutable Revision. */
export function checkNameChange(template: RevisionTemplateSpec, old: RevisionTemplateSpec): Problems {
  const name = template.metadata?.name;
  if (!name || name !== old.metadata?.name) return [];
  const diff = specDiff(old, template, "template");
  if (diff === "") return [];
  return [problem("Saw the following changes without a name change (-old +new)", ["metadata.name"], diff)];
}

const sidecarPrefix = "queue.sidecar.serving.knative.dev/";
const percentageKeys = [`${sidecarPrefix}resource-percentage`, `${sidecarPrefix}resourcePercentage`];
const quantityKeys = ["cpu", "memory", "ephemeral-storage"].flatMap((resource) =>
  ["request", "limit"].map((which) => `${sidecarPrefix}${resource}-resource-${which}`),
);

/** Sizes of upstream's sidecar, which ebb has none of: checked as there, then without effect. */
function checkSidecarAnnotations(annotations: ObjectMeta["annotations"] = {}): Problems {
  const problems: Problem[] = [];
  const percentageKey = percentageKeys.find((key) => annotations[key] !== undefined);
  if (percentageKey !== undefined) {
    const text = annotations[percentageKey] ?? "";
    const value = parseNumber(text);
    if (value === undefined) problems.push(invalidValue(text, `[${percentageKey}]`));
    else if (value < 0.1 || value > 100) problems.push(outOfBounds(value, 0.1, 100, `[${percentageKey}]`));
  }
  for (const key of quantityKeys) {
    const text = annotations[key];
    if (text !== undefined && !readQuantity(text).ok) problems.push(invalidValue(text, `[${key}]`));
  }
  return problems;
}
