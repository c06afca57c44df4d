/** EventPolicy as the API server serves it (eventing pkg/apis/eventing/v1alpha1/eventpolicy_{defaults,validation}.go). */
import { nameColumn } from "../meta/columns.ts";
import type { Column, KindDefinition } from "../meta/definition.ts";
import { readyColumns } from "../serving/columns.ts";
import { fillStructs } from "../serving/go-structs.ts";
import {
  each,
  invalidValue,
  missingField,
  missingOneOf,
  multipleOneOf,
  problem,
  self,
  toFieldErrors,
  within,
  type Problems,
} from "../serving/problems.ts";
import { specDiff } from "../serving/spec-diff.ts";
import { stampUser } from "../serving/user-info.ts";
import { schemaOf } from "../schemas.ts";
import { eventingKindFacts } from "./columns.ts";
import { featuresOf } from "./features.ts";
import { checkFilters } from "./filter-validation.ts";
import { EventPolicyKind } from "./kinds.ts";
import type { EventPolicy, EventPolicySpecFrom, EventPolicySpecTo } from "./types.gen.ts";

export const eventPolicyDefinition: KindDefinition<EventPolicy> = {
  ...eventingKindFacts,
  kind: EventPolicyKind,
  schema: () => schemaOf("eventing.v1.EventPolicy"),
  columns: [nameColumn, ...(readyColumns as readonly Column[])],
  prepare: (policy, old, context) => {
    fillStructs(policy, "spec");
    const { namespace } = policy.metadata;
    for (const { ref } of policy.spec.from ?? []) if (ref && !ref.namespace && namespace) ref.namespace = namespace;
    stampUser<EventPolicy>(policy, old, { ...context, group: EventPolicyKind.group });
  },
  validate: ({ spec }, old, context) => {
    // A policy that nobody enforces would only look like one.
    const isWritten = old === undefined || specDiff(old.spec, spec, "spec") !== "";
    if (isWritten && !featuresOf(context).authenticationOidc)
      return toFieldErrors([problem("oidc-authentication feature not enabled", [])]);
    return toFieldErrors([
      ...within("spec", each("from", spec.from, checkFrom)),
      ...within("spec", each("to", spec.to, checkTo)),
      ...within("spec.filters", checkFilters(spec.filters)),
    ]);
  },
};

function checkFrom({ ref, sub }: EventPolicySpecFrom): Problems {
  const star = sub?.indexOf("*") ?? -1;
  return [
    ...(!ref && !sub ? [missingOneOf("ref", "sub")] : []),
    ...(ref && sub !== undefined ? [multipleOneOf("ref", "sub")] : []),
    ...(ref ? within("ref", checkNamed(ref)) : []),
    ...(sub !== undefined && star >= 0 && star < sub.length - 1
      ? within("sub", [invalidValue(sub, self, "'*' is only allowed as suffix")])
      : []),
  ];
}

function checkTo({ ref, selector }: EventPolicySpecTo): Problems {
  return [
    ...(!ref && !selector ? [missingOneOf("ref", "selector")] : []),
    ...(ref && selector ? [multipleOneOf("ref", "selector")] : []),
    ...(ref ? within("ref", checkNamed(ref)) : []),
  ];
}

function checkNamed(ref: { readonly kind?: string; readonly apiVersion?: string; readonly name?: string }): Problems {
  return (["kind", "apiVersion", "name"] as const).filter((field) => !ref[field]).map((field) => missingField(field));
}
