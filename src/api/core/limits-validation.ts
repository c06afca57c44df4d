/** Checks of LimitRanges and ResourceQuotas (Kubernetes pkg/apis/core/validation). */
import { checkImmutable, checkOneOf, complaints, eachItem } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import { checkLabelKey } from "../meta/names.ts";
import { compareQuantities, formatQuantity, readQuantity, type Quantity } from "../meta/quantity.ts";
import { objectCounts, validateQuantity } from "./resource-validation.ts";
import type { LimitRange, LimitRangeItem, ResourceQuota } from "./types.gen.ts";

type Resources = Readonly<Record<string, string>> | undefined;

const bounds = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] as const;
type Bound = (typeof bounds)[number];

/** Which bound may not exceed which, with the words that say so. */
const orders: readonly (readonly [lower: Bound, upper: Bound, lowerName: string, upperName: string])[] = [
  ["min", "max", "min value", "max value"],
  ["min", "defaultRequest", "min value", "default request value"],
  ["min", "default", "min value", "default value"],
  ["defaultRequest", "max", "default request value", "max value"],
  ["defaultRequest", "default", "default request value", "default limit value"],
  ["default", "max", "default value", "max value"],
];

export function validateLimitRange({ spec }: LimitRange): readonly FieldError[] {
  const seen = new Set<string>();
  return eachItem("spec.limits", spec?.limits, (item, at) => {
    const twice = seen.has(item.type);
    seen.add(item.type);
    return [
      ...(item.type
        ? complaints(`${at}.type`, item.type, checkLabelKey(item.type))
        : [fieldError.required(`${at}.type`)]),
      ...(twice ? [fieldError.duplicate(`${at}.type`, item.type)] : []),
      ...bounds.flatMap((bound) => boundErrors(item, bound, `${at}.${bound}`)),
      ...orders.flatMap((order) => orderErrors(item, order, at)),
    ];
  });
}

function boundErrors(item: LimitRangeItem, bound: Bound, field: string): readonly FieldError[] {
  const values = item[bound];
  const podText = "may not be specified when `type` is 'Pod'";
  if (item.type === "Pod" && values && (bound === "default" || bound === "defaultRequest"))
    return Object.keys(values).length > 0 ? [fieldError.forbidden(field, podText)] : [];
  return Object.entries(values ?? {}).flatMap(([name, value]) => [
    ...complaints(`${field}[${name}]`, name, checkLabelKey(name)),
    ...validateQuantity(name, value, `${field}[${name}]`),
    ...(bound === "maxLimitRequestRatio" ? ratioErrors(value, `${field}[${name}]`) : []),
  ]);
}

function ratioErrors(value: string, field: string): readonly FieldError[] {
  const quantity = read(value);
  if (!quantity || quantity.nano >= 1_000_000_000n) return [];
  return [fieldError.invalid(field, formatQuantity(quantity), `ratio ${formatQuantity(quantity)} is less than 1`)];
}

function orderErrors(
  item: LimitRangeItem,
  [lower, upper, lowerName, upperName]: (typeof orders)[number],
  field: string,
): readonly FieldError[] {
  return Object.entries(item[lower] ?? {}).flatMap(([name, value]) => {
    const [low, high] = [read(value), read(item[upper]?.[name])];
    if (!low || !high || compareQuantities(low, high) <= 0) return [];
    const text = `${lowerName} ${formatQuantity(low)} is greater than ${upperName} ${formatQuantity(high)}`;
    return [fieldError.invalid(`${field}.${lower}[${name}]`, formatQuantity(low), text)];
  });
}

function read(value: string | undefined): Quantity | undefined {
  const result = value === undefined ? undefined : readQuantity(value);
  return result?.ok ? result.quantity : undefined;
}

const scopes = [
  "BestEffort",
  "CrossNamespacePodAffinity",
  "NotBestEffort",
  "NotTerminating",
  "PriorityClass",
  "Terminating",
  "VolumeAttributesClass",
];
const standardCounts: ReadonlySet<string> = new Set(["cpu", "memory", "ephemeral-storage", ...objectCounts]);

export function validateResourceQuota({ spec }: ResourceQuota, old: ResourceQuota | undefined): readonly FieldError[] {
  return [
    ...quotaErrors(spec?.hard, "spec.hard"),
    ...eachItem("spec.scopes", spec?.scopes, (scope) => checkOneOf("spec.scopes", scope, scopes)),
    ...(old ? checkImmutable("spec.scopes", spec?.scopes, old.spec?.scopes) : []),
  ];
}

export function validateResourceQuotaStatus({ status }: ResourceQuota): readonly FieldError[] {
  return [...quotaErrors(status?.hard, "status.hard"), ...quotaErrors(status?.used, "status.used")];
}

function quotaErrors(resources: Resources, field: string): readonly FieldError[] {
  return Object.entries(resources ?? {}).flatMap(([name, value]) => {
    const at = `${field}[${name}]`;
    const known = name.includes("/") || standardCounts.has(name) || /^(requests|limits|hugepages)[.-]/.test(name);
    return [
      ...complaints(at, name, checkLabelKey(name)),
      ...(known ? [] : [fieldError.invalid(at, name, "must be a standard resource for quota")]),
      ...validateQuantity(name, value, at),
    ];
  });
}
