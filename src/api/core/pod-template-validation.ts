/** Checks of pod templates (Kubernetes pkg/apis/core/validation ValidatePodTemplateSpec, pkg/apis/apps/validation). */
import { checkOneOf } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import { isEmptySelector, validateLabels, validateLabelSelector } from "../meta/label-validation.ts";
import { matchesLabelSelector } from "../meta/label-selector.ts";
import { validateAnnotations } from "../meta/object-meta-validation.ts";
import type { LabelSelector } from "../meta/types.gen.ts";
import { validatePodSpec } from "./pod-spec-validation.ts";
import type { PodTemplateSpec } from "./types.gen.ts";

export function validatePodTemplate(template: PodTemplateSpec | undefined, field: string): readonly FieldError[] {
  if (!template) return [fieldError.required(field)];
  return [
    ...validateLabels(template.metadata?.labels, `${field}.labels`),
    ...validateAnnotations(template.metadata?.annotations, `${field}.annotations`),
    ...validatePodSpec(template.spec, `${field}.spec`, "template"),
    ...(template.spec?.ephemeralContainers?.length
      ? [fieldError.forbidden(`${field}.spec.ephemeralContainers`, "ephemeral containers not allowed in pod template")]
      : []),
  ];
}

/** The selector of a Deployment or ReplicaSet with the template whose pods it must select. */
export function validateSelectorAndTemplate(
  selector: LabelSelector | undefined,
  template: PodTemplateSpec | undefined,
  field: string,
): readonly FieldError[] {
  const selectorErrors = ownSelectorErrors(selector, `${field}.selector`);
  const known = selectorErrors.length === 0 ? selector : undefined;
  return [...selectorErrors, ...alwaysRunningTemplateErrors(known, template, `${field}.template`)];
}

function ownSelectorErrors(selector: LabelSelector | undefined, field: string): readonly FieldError[] {
  if (!selector) return [fieldError.required(field)];
  return [
    ...validateLabelSelector(selector, field),
    ...(isEmptySelector(selector)
      ? [fieldError.invalid(field, selector, "empty selector is invalid for deployment")]
      : []),
  ];
}

function alwaysRunningTemplateErrors(
  selector: LabelSelector | undefined,
  template: PodTemplateSpec | undefined,
  field: string,
): readonly FieldError[] {
  const labels = template?.metadata?.labels;
  const mismatch = "`selector` does not match template `labels`";
  return [
    ...(template && selector && !matchesLabelSelector(selector, labels)
      ? [fieldError.invalid(`${field}.metadata.labels`, labels, mismatch)]
      : []),
    ...validatePodTemplate(template, field),
    ...checkOneOf(`${field}.spec.restartPolicy`, template?.spec?.restartPolicy, ["Always"]),
    ...(template?.spec?.activeDeadlineSeconds === undefined
      ? []
      : [
          fieldError.forbidden(
            `${field}.spec.activeDeadlineSeconds`,
            "activeDeadlineSeconds in ReplicaSet is not Supported",
          ),
        ]),
  ];
}
