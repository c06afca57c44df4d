/** Checks of where a pod may run: tolerations, affinity, spread (Kubernetes pkg/apis/core/validation). */
import { checkOneOf, complaints, eachItem } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import { validateLabelSelector } from "../meta/label-validation.ts";
import { checkDnsLabel, checkDnsSubdomain, checkLabelKey, checkLabelValue } from "../meta/names.ts";
import type {
  Affinity,
  NodeAffinity,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
  Toleration,
  TopologySpreadConstraint,
} from "./types.gen.ts";

export const taintEffects: readonly string[] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

export function validateTolerations(
  tolerations: readonly Toleration[] | undefined,
  field: string,
): readonly FieldError[] {
  return eachItem(field, tolerations, ({ key, operator = "", value = "", effect, tolerationSeconds }, at) => [
    ...(key ? complaints(`${at}.key`, key, checkLabelKey(key)) : []),
    ...(!key && operator !== "Exists"
      ? [
          fieldError.invalid(
            `${at}.operator`,
            operator,
            'operator must be Exists when `key` is empty, which means "match all values and all keys"',
          ),
        ]
      : []),
    ...(tolerationSeconds !== undefined && effect !== "NoExecute"
      ? [fieldError.invalid(`${at}.effect`, effect ?? "", "effect must be 'NoExecute' when `tolerationSeconds` is set")]
      : []),
    ...tolerationOperatorErrors(operator, value, `${at}.operator`),
    ...(effect ? checkOneOf(`${at}.effect`, effect, taintEffects) : []),
  ]);
}

function tolerationOperatorErrors(operator: string, value: string, field: string): readonly FieldError[] {
  if (operator === "" || operator === "Equal") {
    const texts = checkLabelValue(value);
    return texts.length > 0 ? [fieldError.invalid(field, value, texts.join(";"))] : [];
  }
  if (operator !== "Exists") return [fieldError.notSupported(field, operator, ["Equal", "Exists"])];
  return value === "" ? [] : [fieldError.invalid(field, value, "value must be empty when `operator` is 'Exists'")];
}

export function validateAffinity(affinity: Affinity | undefined, field: string): readonly FieldError[] {
  if (!affinity) return [];
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity;
  return [
    ...(nodeAffinity ? nodeAffinityErrors(nodeAffinity, `${field}.nodeAffinity`) : []),
    ...(podAffinity ? podAffinityErrors(podAffinity, `${field}.podAffinity`) : []),
    ...(podAntiAffinity ? podAffinityErrors(podAntiAffinity, `${field}.podAntiAffinity`) : []),
  ];
}

const requiredName = "requiredDuringSchedulingIgnoredDuringExecution";
const preferredName = "preferredDuringSchedulingIgnoredDuringExecution";

function nodeAffinityErrors(affinity: NodeAffinity, field: string): readonly FieldError[] {
  const required = affinity[requiredName];
  const terms = `${field}.${requiredName}.nodeSelectorTerms`;
  return [
    ...(required && !required.nodeSelectorTerms?.length
      ? [fieldError.required(terms, "must have at least one node selector term")]
      : []),
    ...eachItem(terms, required?.nodeSelectorTerms, nodeTermErrors),
    ...eachItem(`${field}.${preferredName}`, affinity[preferredName], ({ weight, preference }, at) => [
      ...weightErrors(weight, at),
      ...nodeTermErrors(preference ?? {}, `${at}.preference`),
    ]),
  ];
}

function weightErrors(weight: number, field: string): readonly FieldError[] {
  return weight >= 1 && weight <= 100
    ? []
    : [fieldError.invalid(`${field}.weight`, weight ?? 0, "must be in the range 1-100")];
}

function nodeTermErrors(term: NodeSelectorTerm, field: string): readonly FieldError[] {
  return [
    ...eachItem(`${field}.matchExpressions`, term.matchExpressions, nodeExpressionErrors),
    ...eachItem(`${field}.matchFields`, term.matchFields, nodeFieldErrors),
  ];
}

function nodeExpressionErrors(
  { key = "", operator, values = [] }: NodeSelectorRequirement,
  field: string,
): FieldError[] {
  return [
    ...nodeOperatorErrors(operator, values.length, field),
    ...complaints(`${field}.key`, key, checkLabelKey(key)),
    ...values.flatMap((value, i) => complaints(`${field}.values[${i}]`, value, checkLabelValue(value))),
  ];
}

function nodeOperatorErrors(operator: string, count: number, field: string): readonly FieldError[] {
  const values = `${field}.values`;
  switch (operator) {
    case "In":
    case "NotIn":
      return count > 0 ? [] : [fieldError.required(values, "must be specified when `operator` is 'In' or 'NotIn'")];
    case "Exists":
    case "DoesNotExist":
      return count === 0
        ? []
        : [fieldError.forbidden(values, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")];
    case "Gt":
    case "Lt":
      return count === 1
        ? []
        : [fieldError.required(values, "must be specified single value when `operator` is 'Lt' or 'Gt'")];
    default:
      return [fieldError.invalid(`${field}.operator`, operator ?? "", "not a valid selector operator")];
  }
}

function nodeFieldErrors(
  { key, operator, values = [] }: NodeSelectorRequirement,
  field: string,
): readonly FieldError[] {
  const one = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
  return [
    ...(operator === "In" || operator === "NotIn"
      ? values.length === 1
        ? []
        : [fieldError.required(`${field}.values`, one)]
      : [fieldError.invalid(`${field}.operator`, operator ?? "", "not a valid selector operator")]),
    ...(key === "metadata.name"
      ? values.flatMap((value, i) => complaints(`${field}.values[${i}]`, value, checkDnsSubdomain(value)))
      : [fieldError.invalid(`${field}.key`, key ?? "", "not a valid field selector key")]),
  ];
}

function podAffinityErrors(affinity: PodAffinity, field: string): readonly FieldError[] {
  return [
    ...eachItem(`${field}.${requiredName}`, affinity[requiredName], podTermErrors),
    ...eachItem(`${field}.${preferredName}`, affinity[preferredName], ({ weight, podAffinityTerm }, at) => [
      ...weightErrors(weight, at),
      ...(podAffinityTerm ? podTermErrors(podAffinityTerm, `${at}.podAffinityTerm`) : []),
    ]),
  ];
}

function podTermErrors(term: PodAffinityTerm, field: string): readonly FieldError[] {
  return [
    ...validateLabelSelector(term.labelSelector, `${field}.labelSelector`),
    ...validateLabelSelector(term.namespaceSelector, `${field}.namespaceSelector`),
    ...(term.namespaces ?? []).flatMap((name) => complaints(`${field}.namespace`, name, checkDnsLabel(name))),
    ...(term.topologyKey
      ? complaints(`${field}.topologyKey`, term.topologyKey, checkLabelKey(term.topologyKey))
      : [fieldError.required(`${field}.topologyKey`, "can not be empty")]),
  ];
}

export function validateTopologySpread(
  constraints: readonly TopologySpreadConstraint[] | undefined,
  field: string,
): readonly FieldError[] {
  const seen = new Set<string>();
  return eachItem(field, constraints, (constraint, at) => {
    const { maxSkew, topologyKey = "", whenUnsatisfiable = "", minDomains, labelSelector } = constraint;
    const pair = `{${topologyKey}, ${whenUnsatisfiable}}`;
    const twice = seen.has(pair);
    seen.add(pair);
    return [
      ...(maxSkew > 0 ? [] : [fieldError.invalid(`${at}.maxSkew`, maxSkew ?? 0, "must be greater than zero")]),
      ...(topologyKey ? [] : [fieldError.required(`${at}.topologyKey`, "can not be empty")]),
      ...checkOneOf(`${at}.whenUnsatisfiable`, whenUnsatisfiable, ["DoNotSchedule", "ScheduleAnyway"]),
      ...(twice ? [fieldError.duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, pair)] : []),
      ...minDomainsErrors(minDomains, whenUnsatisfiable, `${at}.minDomains`),
      ...checkOneOf(`${at}.nodeAffinityPolicy`, constraint.nodeAffinityPolicy, ["Honor", "Ignore"]),
      ...checkOneOf(`${at}.nodeTaintsPolicy`, constraint.nodeTaintsPolicy, ["Honor", "Ignore"]),
      ...validateLabelSelector(labelSelector, `${at}.labelSelector`),
    ];
  });
}

function minDomainsErrors(minDomains: number | undefined, when: string, field: string): readonly FieldError[] {
  if (minDomains === undefined) return [];
  if (minDomains <= 0) return [fieldError.invalid(field, minDomains, "must be greater than zero")];
  const text = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${when}`;
  return when === "DoNotSchedule" ? [] : [fieldError.invalid(field, minDomains, text)];
}
