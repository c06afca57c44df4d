import type { ResourceQuota } from "../../api/core/types.gen.ts";
import type { RequestUser } from "../../api/meta/definition.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { forbidden } from "../../api/meta/errors.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  subtractQuantities,
} from "../../api/meta/quantity.ts";
import { copyJson } from "../registry/json.ts";
import type { Registry } from "../registry/registry.ts";
import type { Incoming } from "../registry/request.ts";
import { createSettling } from "../registry/settling.ts";
import { writeOver } from "../registry/update.ts";
import type { AdmissionRequest, AdmissionStep } from "./admission.ts";
import type { Amounts } from "./pod-resources.ts";
import { countedResources, currentUsage, isInScope, usageOf } from "./quota-usage.ts";

const quotas = "/resourcequotas";

/**
 * Refuses what would go over a ResourceQuota of its namespace. What is used is counted from the stored objects in the
 * turn of the write, so no two writes can share the last of it and nothing has to be given back.
 */
export const resourceQuota: AdmissionStep = {
  name: "ResourceQuota",
  validate(request) {
    const { object, namespace, store, served, subresource } = request;
    if (!object || !namespace || subresource || store.count(quotas) === 0) return;
    for (const entry of store.list(quotas, namespace)) {
      const quota = entry.object as ResourceQuota;
      const counted = countedResources(Object.keys(quota.spec?.hard ?? {}));
      if (counted.has(served.resource) && isInScope(quota, served.resource, object as KubeObject))
        check(request, quota);
    }
  },
};

function check({ store, served, name, object, old }: AdmissionRequest, quota: ResourceQuota): void {
  const wanted = usageOf(served.resource, object as KubeObject);
  const before: Amounts = old ? usageOf(served.resource, old) : new Map();
  const hard = Object.entries(quota.spec?.hard ?? {}).map(([key, value]) => [key, parseQuantity(value)] as const);
  if (!old && served.resource === "/pods") requireAmounts({ served, name }, quota, wanted);
  const used = currentUsage(store, quota);
  const zero = parseQuantity("0");
  const over = hard
    .map(([key, limit]) => {
      const more = subtractQuantities(wanted.get(key) ?? zero, before.get(key) ?? zero);
      return { key, limit, more, used: used.get(key) ?? zero };
    })
    .filter(({ more, used: now, limit }) => more.nano > 0n && compareQuantities(addQuantities(now, more), limit) > 0)
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  if (over.length === 0) return;
  const list = (pick: (item: (typeof over)[number]) => string): string => over.map(pick).join(",");
  const requested = list(({ key, more }) => `${key}=${formatQuantity(more)}`);
  const inUse = list(({ key, used: now }) => `${key}=${formatQuantity(now)}`);
  const limited = list(({ key, limit }) => `${key}=${formatQuantity(limit)}`);
  const why = `exceeded quota: ${quota.metadata.name}, requested: ${requested}, used: ${inUse}, limited: ${limited}`;
  throw forbidden(served.definition.kind, name, why);
}

/** Where compute is limited, a pod must say how much it takes. */
function requireAmounts(
  { served, name }: Pick<AdmissionRequest, "served" | "name">,
  quota: ResourceQuota,
  wanted: Amounts,
): void {
  const compute = /^(?:requests\.|limits\.)?(?:cpu|memory)$/;
  const missing = Object.keys(quota.spec?.hard ?? {}).filter((key) => compute.test(key) && !wanted.has(key));
  if (missing.length === 0) return;
  throw forbidden(
    served.definition.kind,
    name,
    `failed quota: ${quota.metadata.name}: must specify ${missing.sort().join(",")}`,
  );
}

/** Keeps status.used of every quota true to what is stored, once per turn in which something counted changed. */
export function keepQuotaStatus(registry: Registry, user: RequestUser, log: Logger): () => void {
  const { store } = registry;
  const watched = new Map<string, () => void>();
  const recount = (): void => {
    for (const entry of store.list(quotas)) writeStatus(registry, user, entry.object as ResourceQuota);
  };
  const settling = createSettling(recount, { name: "counting what quotas limit", log });
  const follow = (): void => {
    const names = store.list(quotas).flatMap(({ object }) => Object.keys((object as ResourceQuota).spec?.hard ?? {}));
    const wanted = countedResources(names);
    for (const [resource, stop] of watched)
      if (!wanted.has(resource)) {
        stop();
        watched.delete(resource);
      }
    for (const resource of wanted)
      if (!watched.has(resource)) watched.set(resource, store.subscribe(resource, settling.soon));
    if (wanted.size > 0) settling.soon();
  };
  const unsubscribe = store.subscribe(quotas, follow);
  follow();
  return () => {
    unsubscribe();
    watched.forEach((stop) => stop());
    settling.stop();
  };
}

function writeStatus(registry: Registry, user: RequestUser, quota: ResourceQuota): void {
  const { name, namespace = "" } = quota.metadata;
  const served = registry.catalog.find("", "v1", "resourcequotas");
  const old = registry.store.get(quotas, `${namespace}/${name}`);
  if (!served || !old) return;
  const used = Object.fromEntries(
    [...currentUsage(registry.store, quota)].map(([key, value]) => [key, formatQuantity(value)]),
  );
  const next = copyJson(quota) as unknown as Incoming;
  next["status"] = { hard: { ...quota.spec?.hard }, used };
  const caller = {
    user,
    manager: "resourcequota-controller",
    dryRun: false,
    fieldValidation: "Ignore",
    warn: () => undefined,
  } as const;
  writeOver(registry, { served, namespace, name, subresource: "status" }, { old, next, caller });
}
