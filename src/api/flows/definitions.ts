/** Sequence and Parallel as the API server serves them (eventing pkg/apis/flows/v1). */
import { addressColumn, ageAndReady, eventingKindFacts } from "../eventing/columns.ts";
import { channelTemplateFor } from "../eventing/config-defaults.ts";
import { checkDelivery, defaultDelivery } from "../eventing/delivery.ts";
import { checkDestination, checkOptionalDestination, defaultDestination } from "../eventing/destination.ts";
import { featuresOf } from "../eventing/features.ts";
import type { ChannelTemplateSpec, Destination } from "../eventing/types-duck.gen.ts";
import { nameColumn } from "../meta/columns.ts";
import type { KindDefinition, WriteContext } from "../meta/definition.ts";
import type { Mutable } from "../meta/object.ts";
import { checkTemplate } from "../messaging/definitions.ts";
import { fillStructs } from "../serving/go-structs.ts";
import { invalidValue, missingField, toFieldErrors, within, type Problems } from "../serving/problems.ts";
import { stampUser } from "../serving/user-info.ts";
import { schemaOf } from "../schemas.ts";
import { ParallelKind, SequenceKind } from "./kinds.ts";
import type { Parallel, ParallelBranch, Sequence } from "./types.gen.ts";

export const sequenceDefinition: KindDefinition<Sequence> = {
  ...eventingKindFacts,
  kind: SequenceKind,
  schema: () => schemaOf("flows.v1.Sequence"),
  columns: [nameColumn, addressColumn, ...ageAndReady],
  prepare: (sequence, old, context) => {
    fillStructs(sequence, "spec");
    const { metadata, spec } = sequence;
    defaultTemplate(spec, metadata.namespace, context);
    for (const step of spec.steps ?? []) {
      defaultDestination(step, metadata.namespace);
      defaultDelivery(step.delivery, metadata.namespace);
    }
    defaultDestination(spec.reply, metadata.namespace);
    stampUser<Sequence>(sequence, old, { ...context, group: SequenceKind.group });
  },
  validate: ({ spec }, _old, context) => {
    const { steps = [], channelTemplate, reply } = spec;
    const features = featuresOf(context);
    return toFieldErrors(
      within("spec", [
        ...(steps.length === 0 ? [missingField("steps")] : []),
        ...steps.flatMap((step, i) => {
          const problems = [...checkDestination(step), ...within("delivery", checkDelivery(step.delivery, features))];
          return within(`steps[${i}]`, problems);
        }),
        ...checkTemplate(channelTemplate),
        ...within("reply", checkOptionalDestination(reply)),
      ]),
    );
  },
};

export const parallelDefinition: KindDefinition<Parallel> = {
  ...eventingKindFacts,
  kind: ParallelKind,
  schema: () => schemaOf("flows.v1.Parallel"),
  columns: [nameColumn, addressColumn, ...ageAndReady],
  prepare: (parallel, old, context) => {
    fillStructs(parallel, "spec");
    const { metadata, spec } = parallel;
    defaultTemplate(spec, metadata.namespace, context);
    for (const branch of spec.branches ?? []) {
      branch.subscriber ??= {};
      for (const one of [branch.filter, branch.subscriber, branch.reply]) defaultDestination(one, metadata.namespace);
      defaultDelivery(branch.delivery, metadata.namespace);
    }
    defaultDestination(spec.reply, metadata.namespace);
    stampUser<Parallel>(parallel, old, { ...context, group: ParallelKind.group });
  },
  validate: ({ spec }, _old, context) => {
    const { branches = [], channelTemplate, reply } = spec;
    return toFieldErrors(
      within("spec", [
        ...(branches.length === 0 ? [missingField("branches")] : []),
        ...branches.flatMap((branch, i) => [
          ...checkBranch(branch, i),
          ...within(`branches[${i}].delivery`, checkDelivery(branch.delivery, featuresOf(context))),
        ]),
        ...checkTemplate(channelTemplate),
        ...within("reply", checkOptionalDestination(reply)),
      ]),
    );
  },
};

/** The complaint names the whole destination, at upstream's path: `spec.branches.filter[0]`. */
function checkBranch({ filter, subscriber, reply }: ParallelBranch, index: number): Problems {
  const judge = (name: string, destination: Destination | undefined, problems: Problems): Problems =>
    problems.length === 0
      ? []
      : [invalidValue(JSON.stringify(destination ?? {}), `branches.${name}[${index}]`, problems[0]?.message)];
  return [
    ...judge("filter", filter, checkOptionalDestination(filter)),
    ...judge("subscriber", subscriber, checkDestination(subscriber)),
    ...judge("reply", reply, checkOptionalDestination(reply)),
  ];
}

function defaultTemplate(
  spec: Mutable<{ readonly channelTemplate?: ChannelTemplateSpec }>,
  namespace: string | undefined,
  context: WriteContext,
): void {
  const template = channelTemplateFor(namespace, context);
  if (template) spec.channelTemplate ??= structuredClone(template) as Mutable<ChannelTemplateSpec>;
}
