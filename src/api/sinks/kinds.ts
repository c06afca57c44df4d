import { kind } from "../meta/kind.ts";
import type { IntegrationSink, JobSink } from "./types.gen.ts";

const categories = ["all", "knative", "eventing", "sink"];

export const JobSinkKind = kind<JobSink>({
  group: "sinks.knative.dev",
  version: "v1alpha1",
  kind: "JobSink",
  plural: "jobsinks",
  categories,
});
export const IntegrationSinkKind = kind<IntegrationSink>({
  group: "sinks.knative.dev",
  version: "v1alpha1",
  kind: "IntegrationSink",
  plural: "integrationsinks",
  categories,
});
