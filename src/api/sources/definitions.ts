/** ApiServerSource, ContainerSource and SinkBinding as the API server serves them (eventing pkg/apis/sources/v1). */
import { ageAndReady, eventingKindFacts, sinkColumn } from "../eventing/columns.ts";
import { checkDestination, checkSourceSpec, defaultDestination } from "../eventing/destination.ts";
import { featuresOf } from "../eventing/features.ts";
import { checkFilters } from "../eventing/filter-validation.ts";
import { nameColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import { labelRequirements } from "../meta/label-selector.ts";
import { checkDnsLabel } from "../meta/names.ts";
import type { LabelSelector } from "../meta/types.gen.ts";
import { fillStructs } from "../serving/go-structs.ts";
import {
  each,
  invalidValue,
  missingField,
  missingOneOf,
  multipleOneOf,
  problem,
  toFieldErrors,
  within,
  type Problem,
  type Problems,
} from "../serving/problems.ts";
import { stampUser } from "../serving/user-info.ts";
import { schemaOf } from "../schemas.ts";
import { ApiServerSourceKind, ContainerSourceKind, SinkBindingKind } from "./kinds.ts";
import type { ApiServerSource, APIVersionKind, ContainerSource, Reference, SinkBinding } from "./types.gen.ts";

export const apiServerSourceDefinition: KindDefinition<ApiServerSource> = {
  ...eventingKindFacts,
  kind: ApiServerSourceKind,
  schema: () => schemaOf("sources.v1.ApiServerSource"),
  columns: [nameColumn, sinkColumn, ...ageAndReady],
  prepare: (source, old, context) => {
    fillStructs(source, "spec.sink");
    source.spec.mode ||= "Reference";
    source.spec.serviceAccountName ||= "default";
    defaultDestination(source.spec.sink, source.metadata.namespace);
    stampUser<ApiServerSource>(source, old, { ...context, group: ApiServerSourceKind.group });
  },
  validate: ({ spec }, _old, context) => {
    const { mode, resources = [], owner, filters = [] } = spec;
    const isOff = filters.length > 0 && !featuresOf(context).apiServerFilters;
    return toFieldErrors(
      within("spec", [
        ...(mode === "Reference" || mode === "Resource" ? [] : [invalidValue(mode, "mode")]),
        ...within("sink", checkDestination(spec.sink)),
        ...(resources.length === 0 ? [missingField("resources")] : []),
        ...each("resources", resources, (resource) => [
          ...checkKind(resource),
          ...within("selector", checkSelector(resource.selector)),
        ]),
        ...(owner ? within("owner", checkKind(owner)) : []),
        ...within("namespaceSelector", checkSelector(spec.namespaceSelector)),
        ...checkSourceSpec(spec),
        ...(isOff
          ? [problem("Filters is not empty but the NewAPIServerFilters feature is disabled.", ["filters"])]
          : within("filters", checkFilters(filters))),
      ]),
    );
  },
};

export const containerSourceDefinition: KindDefinition<ContainerSource> = {
  ...eventingKindFacts,
  kind: ContainerSourceKind,
  schema: () => schemaOf("sources.v1.ContainerSource"),
  columns: [nameColumn, sinkColumn, ...ageAndReady],
  prepare: (source, old, context) => {
    fillStructs(source, "spec.sink");
    fillStructs(source, "spec.template.spec");
    const { metadata, spec } = source;
    for (const [i, container] of (spec.template.spec?.containers ?? []).entries())
      container.name ||= `${metadata.name}-${i}`;
    defaultDestination(spec.sink, metadata.namespace);
    stampUser<ContainerSource>(source, old, { ...context, group: ContainerSourceKind.group });
  },
  validate: ({ spec }) => {
    const { containers = [] } = spec.template.spec ?? {};
    return toFieldErrors(
      within("spec", [
        ...within("sink", checkDestination(spec.sink)),
        ...(containers.length === 0 ? [missingField("containers")] : []),
        ...each("containers", containers, ({ name, image }) => [
          ...(name ? [] : [missingField("name")]),
          ...(image ? [] : [missingField("image")]),
        ]),
        ...checkSourceSpec(spec),
      ]),
    );
  },
};

export const sinkBindingDefinition: KindDefinition<SinkBinding> = {
  ...eventingKindFacts,
  kind: SinkBindingKind,
  schema: () => schemaOf("sources.v1.SinkBinding"),
  columns: [nameColumn, sinkColumn, ...ageAndReady],
  prepare: (binding, old, context) => {
    fillStructs(binding, "spec.subject");
    fillStructs(binding, "spec.sink");
    const { metadata, spec } = binding;
    if (!spec.subject.namespace && metadata.namespace) spec.subject.namespace = metadata.namespace;
    defaultDestination(spec.sink, metadata.namespace);
    stampUser<SinkBinding>(binding, old, { ...context, group: SinkBindingKind.group });
  },
  validate: ({ metadata, spec }) => {
    const { namespace } = spec.subject;
    return toFieldErrors([
      ...within("spec.subject", checkSubject(spec.subject)),
      ...within("spec.sink", checkDestination(spec.sink)),
      ...within("spec", checkSourceSpec(spec)),
      ...(namespace && namespace !== metadata.namespace ? [invalidValue(namespace, "spec.subject.namespace")] : []),
    ]);
  },
};

function checkKind({ apiVersion = "", kind = "" }: APIVersionKind): Problems {
  const problems: Problem[] = [];
  if (apiVersion === "" || apiVersion.split("/").length > 2) problems.push(invalidValue(apiVersion, "apiVersion"));
  if (kind.trim() === "") problems.push(missingField("kind"));
  return problems;
}

function checkSelector(selector: LabelSelector | undefined): Problems {
  if (!selector) return [];
  try {
    labelRequirements(selector);
    return [];
  } catch (error) {
    return [invalidValue(error instanceof Error ? error.message : String(error), "")];
  }
}

/** knative.dev/pkg tracker.Reference.Validate. */
function checkSubject({ apiVersion, kind, namespace, name, selector }: Reference): Problems {
  const problems: Problem[] = [];
  if (!apiVersion) problems.push(missingField("apiVersion"));
  if (!kind) problems.push(missingField("kind"));
  else if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(kind)) problems.push(invalidValue(kind, "kind"));
  if (!namespace) problems.push(missingField("namespace"));
  else if (checkDnsLabel(namespace).length > 0)
    problems.push(invalidValue(checkDnsLabel(namespace).join(", "), "namespace"));
  if (selector && name) problems.push(multipleOneOf("selector", "name"));
  else if (selector) problems.push(...within("selector", checkSelector(selector)));
  else if (!name) problems.push(missingOneOf("selector", "name"));
  return problems;
}
