/** The ResourceQuota kind. */
import { ageColumn, nameColumn, textColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import { canonicalQuantity } from "../meta/quantity.ts";
import { schemaOf } from "../schemas.ts";
import { validateResourceQuota, validateResourceQuotaStatus } from "./limits-validation.ts";
import { ResourceQuotaKind } from "./kinds.ts";
import { canonicalizeResources } from "./canonical-resources.ts";
import type { ResourceQuota } from "./types.gen.ts";

/** `pods: 2/10, requests.cpu: 500m/2`: used of allowed, of the limits or of everything else. */
function usageCell({ status }: ResourceQuota, limits: boolean): string {
  return Object.keys(status?.hard ?? {})
    .filter((name) => name.includes("limits") === limits)
    .sort()
    .map((name) => {
      const [used, hard] = [status?.used?.[name] ?? "0", status?.hard?.[name] ?? "0"];
      return `${name}: ${canonicalQuantity(used)}/${canonicalQuantity(hard)}`;
    })
    .join(", ");
}

export const resourceQuotaDefinition: KindDefinition<ResourceQuota> = {
  kind: ResourceQuotaKind,
  message: "core.v1.ResourceQuota",
  schema: () => schemaOf("core.v1.ResourceQuota"),
  statusSubresource: true,
  generation: "none",
  columns: [
    nameColumn,
    textColumn("Request", "What is asked for and counted, of what may be.", (quota) => usageCell(quota, false)),
    textColumn("Limit", "Limits given, of what may be.", (quota) => usageCell(quota, true)),
    ageColumn,
  ],
  applyDefaults({ spec }) {
    canonicalizeResources(spec?.hard);
  },
  prepare(quota, old) {
    if (!old) quota.status = {};
  },
  validate: validateResourceQuota,
  validateStatus: validateResourceQuotaStatus,
  unconditionalUpdate: true,
};
