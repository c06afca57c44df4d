/** The LimitRange kind. */
import { createdAtColumn, nameColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import type { Mutable } from "../meta/object.ts";
import { schemaOf } from "../schemas.ts";
import { validateLimitRange } from "./limits-validation.ts";
import { LimitRangeKind } from "./kinds.ts";
import { canonicalizeResources } from "./canonical-resources.ts";
import type { LimitRange, LimitRangeItem } from "./types.gen.ts";

/** A container's default limit is its maximum, its default request its default limit or else its minimum. */
function defaultItem(item: Mutable<LimitRangeItem>): void {
  for (const resources of [item.max, item.min, item.default, item.defaultRequest, item.maxLimitRequestRatio])
    canonicalizeResources(resources);
  if (item.type !== "Container") return;
  const limits = (item.default ??= {});
  const requests = (item.defaultRequest ??= {});
  for (const [name, value] of Object.entries(item.max ?? {})) limits[name] ??= value;
  for (const [name, value] of Object.entries(limits)) requests[name] ??= value;
  for (const [name, value] of Object.entries(item.min ?? {})) requests[name] ??= value;
}

export const limitRangeDefinition: KindDefinition<LimitRange> = {
  kind: LimitRangeKind,
  message: "core.v1.LimitRange",
  schema: () => schemaOf("core.v1.LimitRange"),
  statusSubresource: false,
  generation: "none",
  columns: [nameColumn, createdAtColumn],
  applyDefaults(range) {
    for (const item of range.spec?.limits ?? []) defaultItem(item);
  },
  validate: validateLimitRange,
  unconditionalUpdate: true,
};
