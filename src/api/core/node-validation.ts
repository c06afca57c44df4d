/** Checks of Nodes (Kubernetes pkg/apis/core/validation, ValidateNode). */
import { checkOneOf, complaints, eachItem } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import { checkLabelKey, checkLabelValue } from "../meta/names.ts";
import { validateQuantity } from "./resource-validation.ts";
import { taintEffects } from "./scheduling-validation.ts";
import type { Node } from "./types.gen.ts";

export function validateNode(node: Node, old: Node | undefined): readonly FieldError[] {
  return [...taintErrors(node), ...(old ? fixedErrors(node, old) : [])];
}

export function validateNodeStatus({ status }: Node): readonly FieldError[] {
  return (["capacity", "allocatable"] as const).flatMap((list) =>
    Object.entries(status?.[list] ?? {}).flatMap(([name, value]) =>
      validateQuantity(name, value, `status.${list}[${name}]`),
    ),
  );
}

function taintErrors({ spec }: Node): readonly FieldError[] {
  const seen = new Set<string>();
  return eachItem("spec.taints", spec?.taints, ({ key = "", value = "", effect = "" }, at) => {
    const pair = `${key}:${effect}`;
    const twice = seen.has(pair);
    seen.add(pair);
    return [
      ...complaints(`${at}.key`, key, checkLabelKey(key)),
      ...complaints(`${at}.value`, value, checkLabelValue(value)),
      ...(effect === "" ? [fieldError.required(`${at}.effect`)] : checkOneOf(`${at}.effect`, effect, taintEffects)),
      ...(twice ? [fieldError.duplicate(at, { key, effect })] : []),
    ];
  });
}

/** What names the machine does not change once it is known. */
function fixedErrors({ spec }: Node, { spec: old }: Node): readonly FieldError[] {
  const changed = (name: "podCIDR" | "providerID"): boolean => Boolean(old?.[name]) && spec?.[name] !== old?.[name];
  return [
    ...(changed("podCIDR")
      ? [fieldError.forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid')]
      : []),
    ...(changed("providerID")
      ? [fieldError.forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid')]
      : []),
  ];
}
