import type { RequestUser } from "../api/meta/definition.ts";
import { create } from "./registry/create.ts";
import type { Registry } from "./registry/registry.ts";

const namespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];

/** Creates what every cluster has from the start, where it is missing. */
export function bootstrap(registry: Registry, user: RequestUser): void {
  const served = registry.catalog.find("", "v1", "namespaces");
  if (!served) return;
  const caller = { user, manager: "ebb", dryRun: false, fieldValidation: "Ignore", warn: () => undefined } as const;
  for (const name of namespaces)
    if (!registry.store.get("/namespaces", name)) create(registry, { served, name }, { metadata: { name } }, caller);
}
