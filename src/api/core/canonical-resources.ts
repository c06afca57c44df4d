import type { Mutable } from "../meta/object.ts";
import { canonicalQuantity } from "../meta/quantity.ts";

/** Rewrites every quantity of a map in its canonical form, as the API shows them. */
export function canonicalizeResources(resources: Mutable<Readonly<Record<string, string>>> | undefined): void {
  for (const [name, value] of Object.entries(resources ?? {})) {
    if (typeof value !== "string" && typeof value !== "number") continue;
    const canonical = canonicalQuantity(value);
    if (canonical !== value && resources) resources[name] = canonical;
  }
}
