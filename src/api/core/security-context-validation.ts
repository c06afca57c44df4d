/** Checks of security contexts (Kubernetes pkg/apis/core/validation, ValidateSecurityContext). */
import { checkOneOf, checkRange, eachItem } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import type { PodSpec, SeccompProfile, SecurityContext } from "./types.gen.ts";

const idRange: readonly [number, number] = [0, 2_147_483_647];
const sysctlName = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;
const maxSysctlName = 253;

export function validateSecurityContext(context: SecurityContext | undefined, field: string): readonly FieldError[] {
  if (!context) return [];
  return [
    ...checkRange(`${field}.runAsUser`, context.runAsUser, idRange),
    ...checkRange(`${field}.runAsGroup`, context.runAsGroup, idRange),
    ...checkOneOf(`${field}.procMount`, context.procMount, ["Default", "Unmasked"]),
    ...escalationErrors(context, field),
    ...seccompErrors(context.seccompProfile, `${field}.seccompProfile`),
  ];
}

function escalationErrors(context: SecurityContext, field: string): readonly FieldError[] {
  if (context.allowPrivilegeEscalation !== false) return [];
  const errors: FieldError[] = [];
  if (context.privileged) {
    const text = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
    errors.push(fieldError.invalid(field, context, text));
  }
  if (context.capabilities?.add?.includes("CAP_SYS_ADMIN")) {
    const text = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
    errors.push(fieldError.invalid(field, context, text));
  }
  return errors;
}

function seccompErrors(profile: SeccompProfile | undefined, field: string): readonly FieldError[] {
  if (!profile) return [];
  const { type, localhostProfile } = profile;
  if (!type) return [fieldError.required(`${field}.type`, "type is required when seccompProfile is set")];
  const errors = [...checkOneOf(`${field}.type`, type, ["Localhost", "RuntimeDefault", "Unconfined"])];
  if (type === "Localhost" && localhostProfile === undefined)
    errors.push(fieldError.required(`${field}.localhostProfile`, "must be set when seccomp type is Localhost"));
  if (type !== "Localhost" && localhostProfile !== undefined) {
    const text = "can only be set when seccomp type is Localhost";
    errors.push(fieldError.invalid(`${field}.localhostProfile`, profile, text));
  }
  return errors;
}

/** The security context of a whole pod, with the fields beside it that it must agree with. */
export function validatePodSecurityContext(spec: PodSpec, field: string): readonly FieldError[] {
  const context = spec.securityContext ?? {};
  return [
    ...checkRange(`${field}.fsGroup`, context.fsGroup, idRange),
    ...checkRange(`${field}.runAsUser`, context.runAsUser, idRange),
    ...checkRange(`${field}.runAsGroup`, context.runAsGroup, idRange),
    ...eachItem(`${field}.supplementalGroups`, context.supplementalGroups, (gid, at) => checkRange(at, gid, idRange)),
    ...(spec.shareProcessNamespace && spec.hostPID
      ? [
          fieldError.invalid(
            `${field}.shareProcessNamespace`,
            true,
            "ShareProcessNamespace and HostPID cannot both be enabled",
          ),
        ]
      : []),
    ...sysctlErrors(context.sysctls ?? [], `${field}.sysctls`),
    ...checkOneOf(`${field}.fsGroupChangePolicy`, context.fsGroupChangePolicy, ["Always", "OnRootMismatch"]),
    ...checkOneOf(`${field}.supplementalGroupsPolicy`, context.supplementalGroupsPolicy, ["Merge", "Strict"]),
    ...seccompErrors(context.seccompProfile, `${field}.seccompProfile`),
  ];
}

function sysctlErrors(sysctls: readonly { readonly name: string }[], field: string): readonly FieldError[] {
  const seen = new Set<string>();
  return eachItem(field, sysctls, ({ name }, at) => {
    const twice = seen.has(name);
    seen.add(name);
    if (!name) return [fieldError.required(`${at}.name`)];
    if (name.length > maxSysctlName || !sysctlName.test(name)) {
      const text = `must have at most ${maxSysctlName} characters and match regex ${sysctlName.source}`;
      return [fieldError.invalid(`${at}.name`, name, text)];
    }
    return twice ? [fieldError.duplicate(`${at}.name`, name)] : [];
  });
}
