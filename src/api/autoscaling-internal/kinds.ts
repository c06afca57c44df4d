import { kind } from "../meta/kind.ts";
import type { PodAutoscaler } from "./types.gen.ts";

export const PodAutoscalerKind = kind<PodAutoscaler>({
  group: "autoscaling.internal.knative.dev",
  version: "v1alpha1",
  kind: "PodAutoscaler",
  plural: "podautoscalers",
  shortNames: ["kpa", "pa"],
  categories: ["all", "knative", "serving"],
});
