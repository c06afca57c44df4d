/**
 * batch/v1beta1 CronJob: the v1 object under its older name (Kubernetes served both from 1.21 to 1.24). kubectl 1.20
 * knows no other.
 */
import type { KindDefinition } from "../meta/definition.ts";
import { apiVersionOf, kind } from "../meta/kind.ts";
import { schemaOf } from "../schemas.ts";
import { CronJobKind } from "./kinds.ts";
import type { CronJob } from "./types.gen.ts";

export const CronJobV1beta1Kind = kind<CronJob>({ ...CronJobKind, version: "v1beta1" });

export const cronJobV1beta1Definition: KindDefinition<CronJob> = {
  kind: CronJobV1beta1Kind,
  schema: () => schemaOf("batch.v1.CronJob"),
  conversion: {
    storedAs: CronJobKind,
    toStored: (cronJob) => ({ ...cronJob, apiVersion: apiVersionOf(CronJobKind) }),
    fromStored: (stored) => ({ ...(stored as CronJob), apiVersion: apiVersionOf(CronJobV1beta1Kind) }),
  },
  statusSubresource: true,
  generation: "none",
  columns: [],
  unconditionalUpdate: true,
};
