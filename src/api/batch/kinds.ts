import { kind } from "../meta/kind.ts";
import type { CronJob, Job } from "./types.gen.ts";

export const JobKind = kind<Job>({ group: "batch", version: "v1", kind: "Job", plural: "jobs", categories: ["all"] });
export const CronJobKind = kind<CronJob>({
  group: "batch",
  version: "v1",
  kind: "CronJob",
  plural: "cronjobs",
  shortNames: ["cj"],
  categories: ["all"],
});
