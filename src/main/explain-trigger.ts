import type { CloudEvent } from "../api/cloudevents/cloud-event.ts";
import type { FilterSet } from "../api/eventing/engine.ts";
import type { Trigger } from "../api/eventing/types.gen.ts";
import { explainFilters, type FilterExplanation } from "../events/filters/explain-filters.ts";

/** What a Trigger's filter says to an event, line by line. */
export function explainTrigger({ spec }: Pick<Trigger, "spec">, event: CloudEvent): FilterExplanation {
  const { filter, filters } = spec;
  return explainFilters(
    {
      ...(filter?.attributes ? { attributes: filter.attributes } : {}),
      ...(filters ? { filters: filters as NonNullable<FilterSet["filters"]> } : {}),
    },
    event,
  );
}
