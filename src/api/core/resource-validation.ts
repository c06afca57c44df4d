/** Checks of resource requirements (Kubernetes pkg/apis/core/validation, ValidateContainerResourceRequirements). */
import { notNegativeText } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import { checkLabelKey } from "../meta/names.ts";
import { compareQuantities, formatQuantity, readQuantity, type Quantity } from "../meta/quantity.ts";
import type { ResourceRequirements } from "./types.gen.ts";

type Resources = Readonly<Record<string, string>> | undefined;

const nanoPerUnit = 1_000_000_000n;
const containerResources: ReadonlySet<string> = new Set(["cpu", "memory", "ephemeral-storage"]);
const overcommitted = containerResources;

/** Known names and amounts, and no request above its limit. */
export function validateResourceRequirements(
  requirements: ResourceRequirements | undefined,
  field: string,
): readonly FieldError[] {
  if (!requirements) return [];
  const { limits, requests } = requirements;
  return [
    ...validateResources(limits, `${field}.limits`),
    ...validateResources(requests, `${field}.requests`),
    ...Object.keys(requests ?? {}).flatMap((name) => compareToLimit({ name, limits, requests }, field)),
  ];
}

interface RequestOfLimit {
  readonly name: string;
  readonly limits: Resources;
  readonly requests: Resources;
}

function compareToLimit({ name, limits, requests }: RequestOfLimit, field: string): readonly FieldError[] {
  const request = quantityOf(requests, name);
  const limit = quantityOf(limits, name);
  if (!request) return [];
  if (!limit)
    return overcommitted.has(name)
      ? []
      : [fieldError.required(`${field}.limits`, "Limit must be set for non overcommitable resources")];
  const order = compareQuantities(request, limit);
  const detail = `${name} limit of ${formatQuantity(limit)}`;
  if (order !== 0 && !overcommitted.has(name))
    return [fieldError.invalid(`${field}.requests`, formatQuantity(request), `must be equal to ${detail}`)];
  if (order <= 0) return [];
  return [fieldError.invalid(`${field}.requests`, formatQuantity(request), `must be less than or equal to ${detail}`)];
}

function quantityOf(resources: Resources, name: string): Quantity | undefined {
  const value = resources?.[name];
  const result = value === undefined ? undefined : readQuantity(value);
  return result?.ok ? result.quantity : undefined;
}

function validateResources(resources: Resources, field: string): readonly FieldError[] {
  return Object.entries(resources ?? {}).flatMap(([name, value]) => [
    ...containerResourceNameErrors(name, `${field}[${name}]`),
    ...validateQuantity(name, value, `${field}[${name}]`),
  ]);
}

function containerResourceNameErrors(name: string, field: string): readonly FieldError[] {
  const texts = checkLabelKey(name);
  if (texts.length > 0) return texts.map((text) => fieldError.invalid(field, name, text));
  if (name.includes("/") || containerResources.has(name) || name.startsWith("hugepages-")) return [];
  const standard = objectCounts.has(name) || name === "storage" || /^(requests|limits)\./.test(name);
  return [
    ...(standard ? [] : [fieldError.invalid(field, name, "must be a standard resource type or fully qualified")]),
    fieldError.invalid(field, name, "must be a standard resource for containers"),
  ];
}

/** An amount that is a quantity, not negative, and whole where parts make no sense (pods, GPUs). */
export function validateQuantity(name: string, value: string, field: string): readonly FieldError[] {
  const result = readQuantity(value);
  if (!result.ok) return [fieldError.invalid(field, value, result.problem)];
  const { quantity } = result;
  if (quantity.nano < 0n) return [fieldError.invalid(field, formatQuantity(quantity), notNegativeText)];
  if (isWhole(name) && quantity.nano % nanoPerUnit !== 0n)
    return [fieldError.invalid(field, formatQuantity(quantity), "must be an integer")];
  return [];
}

/** Objects a quota counts: quantities of them are whole numbers. */
export const objectCounts: ReadonlySet<string> = new Set([
  "pods",
  "services",
  "replicationcontrollers",
  "resourcequotas",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
  "services.nodeports",
  "services.loadbalancers",
]);

function isWhole(name: string): boolean {
  return objectCounts.has(name) || name.startsWith("count/") || (name.includes("/") && !name.startsWith("requests."));
}
