import { kind } from "../meta/kind.ts";
import type { HorizontalPodAutoscaler } from "./types.gen.ts";

export const HorizontalPodAutoscalerKind = kind<HorizontalPodAutoscaler>({
  group: "autoscaling",
  version: "v2",
  kind: "HorizontalPodAutoscaler",
  plural: "horizontalpodautoscalers",
  shortNames: ["hpa"],
  categories: ["all"],
});
