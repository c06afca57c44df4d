/** EventTransform as the API server serves it (eventing pkg/apis/eventing/v1alpha1/eventtransform_validation.go). */
import { nameColumn } from "../meta/columns.ts";
import type { Column, KindDefinition } from "../meta/definition.ts";
import { readyColumns } from "../serving/columns.ts";
import { fillStructs } from "../serving/go-structs.ts";
import {
  invalidValue,
  missingOneOf,
  multipleOneOf,
  problem,
  self,
  toFieldErrors,
  within,
  type Problem,
  type Problems,
} from "../serving/problems.ts";
import { stampUser } from "../serving/user-info.ts";
import { schemaOf } from "../schemas.ts";
import { addressColumn, eventingKindFacts, sinkColumn } from "./columns.ts";
import { checkOptionalDestination, defaultDestination } from "./destination.ts";
import { checkJsonata } from "./jsonata-syntax.ts";
import { EventTransformKind } from "./kinds.ts";
import type { EventTransform, EventTransformSpec, JsonataEventTransformationSpec } from "./types.gen.ts";

export const eventTransformDefinition: KindDefinition<EventTransform> = {
  ...eventingKindFacts,
  kind: EventTransformKind,
  schema: () => schemaOf("eventing.v1.EventTransform"),
  columns: [nameColumn, addressColumn, sinkColumn, ...(readyColumns as readonly Column[])],
  prepare: (transform, old, context) => {
    fillStructs(transform, "spec");
    defaultDestination(transform.spec.sink, transform.metadata.namespace);
    stampUser<EventTransform>(transform, old, { ...context, group: EventTransformKind.group });
  },
  validate: ({ spec, metadata }, old) =>
    toFieldErrors(
      within("spec", [
        ...(spec.jsonata ? [] : [missingOneOf("jsonata")]),
        ...within("jsonata", checkExpression(spec.jsonata)),
        ...within("sink", checkOptionalDestination(spec.sink, metadata.namespace)),
        ...within("reply", checkReply(spec)),
        ...(old ? checkSameType(spec, old.spec) : []),
      ]),
    ),
};

function checkExpression(jsonata: JsonataEventTransformationSpec | undefined): Problems {
  const { expression = "" } = jsonata ?? {};
  if (!jsonata) return [];
  if (expression.trim() === "") return [problem("expected an expression, got none", ["expression"])];
  const complaint = checkJsonata(expression);
  return complaint === undefined ? [] : [invalidValue(expression, "expression", complaint)];
}

function checkReply({ sink, reply }: EventTransformSpec): Problems {
  if (!reply) return [];
  if (!sink) return [problem("reply is set without spec.sink", [self])];
  const both = reply.jsonata && reply.discard;
  return [...(both ? [multipleOneOf("jsonata", "discard")] : []), ...within("jsonata", checkExpression(reply.jsonata))];
}

const suggestion =
  "Suggestion: create a new transformation, migrate services to the new one, and delete this transformation.";

function checkSameType(now: EventTransformSpec, old: EventTransformSpec): readonly Problem[] {
  if (Boolean(now.jsonata) === Boolean(old.jsonata)) return [];
  const what = now.jsonata
    ? "jsonata transformation cannot be changed to a different transformation type."
    : "transformation type cannot be changed to a jsonata transformation.";
  return [problem(`Transformations types are immutable, ${what} ${suggestion}`, ["jsonata"])];
}
