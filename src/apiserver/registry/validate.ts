import type { KindDefinition, WriteContext } from "../../api/meta/definition.ts";
import { invalid } from "../../api/meta/errors.ts";
import type { FieldError } from "../../api/meta/field-error.ts";
import { validateObjectMeta } from "../../api/meta/object-meta-validation.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import { webhookDenial } from "../../api/meta/webhook-denial.ts";

/** Runs every check of a create or update after defaults; throws 422 Invalid, or the denial of Knative's webhook. */
export function assertValid(
  definition: KindDefinition,
  object: KubeObject,
  old: KubeObject | undefined,
  context: WriteContext,
): void {
  const errors = validateObjectMeta(definition, object.metadata, old?.metadata);
  const own = definition.validate?.(object, old, context) ?? [];
  const denial = typeof definition.denial === "function" ? definition.denial(object) : definition.denial;
  if (errors.length === 0 && own.length > 0 && denial === "webhook") throw webhookDenial(definition.kind, own);
  refuse(definition, object, [...errors, ...own]);
}

/** Checks of a status write. */
export function assertStatusValid(definition: KindDefinition, object: KubeObject, old: KubeObject): void {
  refuse(definition, object, [
    ...validateObjectMeta(definition, object.metadata, old.metadata),
    ...(definition.validateStatus?.(object, old) ?? []),
  ]);
}

function refuse(definition: KindDefinition, object: KubeObject, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid(definition.kind, object.metadata.name, errors);
}
