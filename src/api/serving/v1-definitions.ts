/** Service, Configuration, Revision and Route as the API server serves them (pkg/apis/serving/v1). */
import { nameColumn } from "../meta/columns.ts";
import type { Column, KindDefinition, WriteContext } from "../meta/definition.ts";
import type { KubeObject, Mutable } from "../meta/object.ts";
import type { ObjectMeta } from "../meta/types.gen.ts";
import { schemaOf } from "../schemas.ts";
import { checkAutoscalingAnnotations } from "../autoscaling-internal/annotation-validation.ts";
import { column, latestColumns, readyColumns, servingKindFacts, urlColumn } from "./columns.ts";
import { servingKeys } from "./keys.ts";
import { ConfigurationKind, KnativeServiceKind, RevisionKind, RouteKind } from "./kinds.ts";
import {
  checkCreator,
  checkName,
  checkNoAutoscaling,
  checkOwnerLabel,
  checkRolloutDuration,
} from "./metadata-validation.ts";
import { checkRevisionSpec } from "./pod-spec-validation.ts";
import { problem, toFieldErrors, within, type Problems } from "./problems.ts";
import { defaultRevisionSpec } from "./revision-defaults.ts";
import { settingsOf } from "./settings.ts";
import { specDiff } from "./spec-diff.ts";
import { checkNameChange, checkTemplate, type TemplateParent } from "./template-validation.ts";
import { checkTraffic } from "./traffic-validation.ts";
import type { Configuration, Revision, RevisionTemplateSpec, Route, Service, TrafficTarget } from "./types.gen.ts";
import { fillStructs } from "./go-structs.ts";
import { stampUser } from "./user-info.ts";

export const serviceDefinition: KindDefinition<Service> = {
  ...servingKindFacts,
  kind: KnativeServiceKind,
  schema: () => schemaOf("serving.v1.Service"),
  nameRule: "dns-subdomain",
  columns: [nameColumn, urlColumn, ...latestColumns, ...readyColumns],
  prepare: (service, old, context) => {
    fillStructs(service, "spec.template.spec");
    defaultTemplate(service.spec.template, old?.spec.template, service.metadata, context);
    if ((service.spec.traffic ?? []).length === 0) service.spec.traffic = [{ percent: 100, latestRevision: true }];
    defaultTraffic(service.spec.traffic ?? []);
    stampUser<Service>(service, old, context);
  },
  validate: (service, old, context) =>
    toFieldErrors([
      ...checkMetadata(service),
      ...within("metadata.annotations", checkRolloutDuration(service.metadata.annotations)),
      ...within("spec.template", checkTemplate(service.spec.template, parentOf(service, old), settingsOf(context))),
      ...within("spec.traffic", checkTraffic(service.spec.traffic ?? [], "Service")),
      ...(old ? checkCreator(service, old) : []),
      ...(old ? within("spec.template", checkNameChange(service.spec.template, old.spec.template)) : []),
    ]),
};

export const configurationDefinition: KindDefinition<Configuration> = {
  ...servingKindFacts,
  kind: ConfigurationKind,
  schema: () => schemaOf("serving.v1.Configuration"),
  columns: [nameColumn, ...latestColumns, ...readyColumns],
  prepare: (configuration, old, context) => {
    fillStructs(configuration, "spec.template.spec");
    defaultTemplate(configuration.spec.template, old?.spec.template, configuration.metadata, context);
    if (!isOwned(configuration)) stampUser<Configuration>(configuration, old, context);
  },
  validate: (configuration, old, context) =>
    toFieldErrors([
      ...checkMetadata(configuration),
      ...within("metadata.labels", checkOwnerLabel(configuration, servingKeys.service, "Service")),
      ...within(
        "spec.template",
        checkTemplate(configuration.spec.template, parentOf(configuration, old), settingsOf(context)),
      ),
      ...(old && !isOwned(configuration) ? checkCreator(configuration, old) : []),
      ...(old ? within("spec.template", checkNameChange(configuration.spec.template, old.spec.template)) : []),
    ]),
};

export const routeDefinition: KindDefinition<Route> = {
  ...servingKindFacts,
  kind: RouteKind,
  schema: () => schemaOf("serving.v1.Route"),
  columns: [nameColumn, urlColumn, ...readyColumns],
  prepare: (route, old, context) => {
    route.spec ??= {};
    defaultTraffic(route.spec.traffic ?? []);
    if (!isOwned(route)) stampUser<Route>(route, old, context);
  },
  validate: (route, old) =>
    toFieldErrors([
      ...checkMetadata(route),
      ...within("metadata.labels", checkOwnerLabel(route, servingKeys.service, "Service")),
      ...within("metadata.annotations", checkRolloutDuration(route.metadata.annotations)),
      ...within("spec.traffic", checkTraffic(route.spec.traffic ?? [], "Route")),
      ...(old && !isOwned(route) ? checkCreator(route, old) : []),
    ]),
};

export const revisionDefinition: KindDefinition<Revision> = {
  ...servingKindFacts,
  kind: RevisionKind,
  schema: () => schemaOf("serving.v1.Revision"),
  columns: [
    nameColumn,
    column<Revision>("Config Name", "The Configuration it belongs to.", ...labelCell(servingKeys.configuration)),
    column<Revision>(
      "Generation",
      "The Configuration's generation it was made for.",
      ...labelCell(servingKeys.configurationGeneration),
    ),
    ...readyColumns,
    {
      ...column<Revision>(
        "Actual Replicas",
        "Instances that are ready.",
        ".status.actualReplicas",
        (r) => r.status?.actualReplicas ?? null,
      ),
      type: "integer",
    },
    {
      ...column<Revision>(
        "Desired Replicas",
        "Instances wanted.",
        ".status.desiredReplicas",
        (r) => r.status?.desiredReplicas ?? null,
      ),
      type: "integer",
    },
  ],
  // Never on an update: a changed default would look like a change of an immutable spec.
  prepare: (revision, old, context) => {
    fillStructs(revision, "spec");
    if (old) return;
    const { metadata: parent } = revision;
    defaultRevisionSpec(revision.spec, { settings: settingsOf(context), parent, operation: "create" });
  },
  validate: (revision, old, context) => {
    const { metadata } = revision;
    const settings = settingsOf(context);
    return toFieldErrors([
      ...within("metadata", checkName(metadata)),
      ...within("metadata.annotations", checkAutoscalingAnnotations(metadata.annotations, settings.autoscaler)),
      ...within("metadata.labels", checkOwnerLabel(revision, servingKeys.configuration, "Configuration")),
      ...(old ? checkUnchanged(revision, old) : within("spec", checkRevisionSpec(revision.spec, settings))),
    ]);
  },
};

const parentOf = ({ metadata }: KubeObject, old: KubeObject | undefined): TemplateParent => ({
  metadata,
  unnamed: old === undefined && Boolean(metadata.generateName),
});

function labelCell(label: string): readonly [jsonPath: string, cell: Column["cell"]] {
  return [`.metadata.labels['${label.replaceAll(".", "\\.")}']`, (object) => object.metadata.labels?.[label] ?? ""];
}

function checkMetadata({ metadata }: KubeObject): Problems {
  return [
    ...within("metadata", checkName(metadata)),
    ...within("metadata.annotations", checkNoAutoscaling(metadata.annotations)),
  ];
}

function checkUnchanged(revision: Revision, old: Revision): Problems {
  const diff = specDiff(old.spec, revision.spec, "spec");
  return diff === "" ? [] : [problem("Immutable fields changed (-old +new)", ["spec"], diff)];
}

const isOwned = (object: KubeObject | Mutable<KubeObject>): boolean =>
  (object.metadata.ownerReferences ?? []).length > 0;

/**
 * Fills the template in. A template whose author named its Revision is filled in with what the stored one already has
 * when nothing else changed, so that a default changed meanwhile is not taken for the author's change.
 */
function defaultTemplate(
  template: Mutable<RevisionTemplateSpec> | undefined,
  old: RevisionTemplateSpec | undefined,
  parent: ObjectMeta,
  context: WriteContext,
): void {
  if (!template?.spec) return;
  const name = template.metadata?.name;
  if (name && name === old?.metadata?.name && specDiff(old, template, "") === "") return;
  // Defaulted on a create only, so a manifest replaced as it was written takes the stored value.
  const links = old?.spec.enableServiceLinks;
  if (links !== undefined) template.spec.enableServiceLinks ??= links;
  defaultRevisionSpec(template.spec, { settings: settingsOf(context), parent, operation: context.operation });
}

function defaultTraffic(traffic: Mutable<TrafficTarget>[]): void {
  for (const target of traffic) target.latestRevision ??= !target.revisionName;
}
