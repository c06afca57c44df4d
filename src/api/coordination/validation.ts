/** Checks of Leases (Kubernetes pkg/apis/coordination/validation/validation.go). */
import { checkNotNegative } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import { parseTime } from "../meta/time.ts";
import type { Lease } from "./types.gen.ts";

export function validateLease({ spec = {} }: Lease): readonly FieldError[] {
  const { leaseDurationSeconds: seconds, leaseTransitions } = spec;
  return [
    ...(seconds !== undefined && seconds <= 0
      ? [fieldError.invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0")]
      : []),
    ...checkNotNegative("spec.leaseTransitions", leaseTransitions),
    ...(["acquireTime", "renewTime"] as const).flatMap((name) => {
      const time = spec[name];
      return time === undefined || parseTime(time) !== undefined
        ? []
        : [fieldError.invalid(`spec.${name}`, time, "must be a time such as 2006-01-02T15:04:05.000000Z")];
    }),
  ];
}
