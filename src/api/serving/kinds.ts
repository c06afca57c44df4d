import { kind } from "../meta/kind.ts";
import type { Configuration, DomainMapping, Revision, Route, Service } from "./types.gen.ts";

export const KnativeServiceKind = kind<Service>({
  group: "serving.knative.dev",
  version: "v1",
  kind: "Service",
  plural: "services",
  shortNames: ["ksvc", "kservice"],
  categories: ["all", "knative", "serving"],
});
export const ConfigurationKind = kind<Configuration>({
  group: "serving.knative.dev",
  version: "v1",
  kind: "Configuration",
  plural: "configurations",
  shortNames: ["config", "cfg"],
  categories: ["all", "knative", "serving"],
});
export const RevisionKind = kind<Revision>({
  group: "serving.knative.dev",
  version: "v1",
  kind: "Revision",
  plural: "revisions",
  shortNames: ["rev"],
  categories: ["all", "knative", "serving"],
});
export const RouteKind = kind<Route>({
  group: "serving.knative.dev",
  version: "v1",
  kind: "Route",
  plural: "routes",
  shortNames: ["rt"],
  categories: ["all", "knative", "serving"],
});
export const DomainMappingKind = kind<DomainMapping>({
  group: "serving.knative.dev",
  version: "v1beta1",
  kind: "DomainMapping",
  plural: "domainmappings",
  shortNames: ["dm"],
  categories: ["all", "knative", "serving"],
});
