import { nameColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import { schemaOf } from "../schemas.ts";
import { fillStructs } from "../serving/go-structs.ts";
import { column, readyColumns, servingKindFacts } from "../serving/columns.ts";
import { missingField, toFieldErrors, within, type Problem } from "../serving/problems.ts";
import { autoscalerConfig } from "./config-autoscaler.ts";
import { servingNamespace } from "../serving/keys.ts";
import { checkAutoscalingAnnotations } from "./annotation-validation.ts";
import { annotationOf, autoscalerClasses, autoscalingKeys } from "./keys.ts";
import { PodAutoscalerKind } from "./kinds.ts";
import type { PodAutoscaler } from "./types.gen.ts";

/** PodAutoscaler as the API server serves it (pkg/apis/autoscaling/v1alpha1). */
export const podAutoscalerDefinition: KindDefinition<PodAutoscaler> = {
  ...servingKindFacts,
  kind: PodAutoscalerKind,
  schema: () => schemaOf("autoscaling.internal.v1alpha1.PodAutoscaler"),
  columns: [
    nameColumn,
    {
      ...column<PodAutoscaler>(
        "DesiredScale",
        "Instances wanted.",
        ".status.desiredScale",
        (pa) => pa.status?.desiredScale ?? null,
      ),
      type: "integer",
    },
    {
      ...column<PodAutoscaler>(
        "ActualScale",
        "Instances that are ready.",
        ".status.actualScale",
        (pa) => pa.status?.actualScale ?? null,
      ),
      type: "integer",
    },
    ...readyColumns,
  ],
  /** The class and its metric are written out, so that a changed cluster default does not move what runs. */
  prepare: (pa, old, context) => {
    fillStructs(pa, "spec.scaleTargetRef");
    if (old) return;
    const config = autoscalerConfig(context.configMap(servingNamespace, "config-autoscaler"));
    const annotations = pa.metadata.annotations ?? {};
    const autoscalerClass = annotationOf(annotations, autoscalingKeys.class)?.value ?? config.podAutoscalerClass;
    const metric = autoscalerClass === autoscalerClasses.hpa ? "cpu" : "concurrency";
    pa.metadata.annotations = {
      [autoscalingKeys.class[0]]: autoscalerClass,
      ...(Object.values(autoscalerClasses).includes(autoscalerClass as "kpa.autoscaling.knative.dev")
        ? { [autoscalingKeys.metric[0]]: metric }
        : {}),
      ...annotations,
    };
  },
  validate: (pa, _old, context) => {
    const { scaleTargetRef: ref } = pa.spec;
    const config = autoscalerConfig(context.configMap(servingNamespace, "config-autoscaler"));
    const missing: Problem[] = [];
    for (const field of ["apiVersion", "kind", "name"] as const) if (!ref[field]) missing.push(missingField(field));
    return toFieldErrors([
      ...within("metadata.annotations", checkAutoscalingAnnotations(pa.metadata.annotations, config)),
      ...within("spec.scaleTargetRef", missing),
    ]);
  },
};
