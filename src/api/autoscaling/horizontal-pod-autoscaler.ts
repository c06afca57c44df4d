/** The HorizontalPodAutoscaler kind as stored: autoscaling/v2. */
import { ageColumn, integerColumn, nameColumn, textColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import { schemaOf } from "../schemas.ts";
import { defaultHpaSpec } from "./hpa-defaults.ts";
import { metricsCell } from "./hpa-metrics-cell.ts";
import { validateHpa, validateHpaStatus } from "./hpa-validation.ts";
import { HorizontalPodAutoscalerKind } from "./kinds.ts";
import type { HorizontalPodAutoscaler } from "./types.gen.ts";

export const horizontalPodAutoscalerDefinition: KindDefinition<HorizontalPodAutoscaler> = {
  kind: HorizontalPodAutoscalerKind,
  message: "autoscaling.v2.HorizontalPodAutoscaler",
  schema: () => schemaOf("autoscaling.v2.HorizontalPodAutoscaler"),
  statusSubresource: true,
  generation: "none",
  columns: [
    nameColumn,
    textColumn(
      "Reference",
      "What it scales.",
      ({ spec: { scaleTargetRef } }) => `${scaleTargetRef.kind}/${scaleTargetRef.name}`,
    ),
    textColumn("Targets", "Measured value and target of each metric.", metricsCell),
    textColumn("MinPods", "The fewest replicas it sets.", ({ spec }) => String(spec.minReplicas ?? "<unset>")),
    integerColumn("MaxPods", "The most replicas it sets.", ({ spec }) => spec.maxReplicas),
    integerColumn("Replicas", "Replicas it last saw.", ({ status }) => status?.currentReplicas ?? 0),
    ageColumn,
  ],
  applyDefaults({ spec }) {
    if (spec) defaultHpaSpec(spec);
  },
  prepare(hpa, old) {
    if (!old) hpa.status = { desiredReplicas: 0, currentReplicas: 0 };
  },
  validate: validateHpa,
  validateStatus: validateHpaStatus,
  unconditionalUpdate: true,
};
