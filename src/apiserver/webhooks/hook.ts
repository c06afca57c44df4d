/** The webhooks of the stored configurations, in the order they are asked in. */
import type {
  MutatingWebhook,
  MutatingWebhookConfiguration,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
} from "../../api/admissionregistration/types.gen.ts";
import type { Store } from "../storage/store.ts";

export type HookSort = "mutating" | "validating";

export interface Hook {
  readonly sort: HookSort;
  /** Unlike every other's, also of another configuration's webhook of the same name. */
  readonly id: string;
  readonly spec: MutatingWebhook | ValidatingWebhook;
}

const resources = {
  mutating: "admissionregistration.k8s.io/mutatingwebhookconfigurations",
  validating: "admissionregistration.k8s.io/validatingwebhookconfigurations",
} as const;

export interface Hooks {
  /** Whether there are any: without, a write costs nothing more. */
  any(): boolean;
  of(sort: HookSort): readonly Hook[];
}

export function createHooks(store: Store): Hooks {
  const known = new Map<HookSort, { readonly revision: number; readonly hooks: readonly Hook[] }>();
  return {
    any: () => store.count(resources.mutating) + store.count(resources.validating) > 0,
    of(sort) {
      const revision = store.lastRevisionOf(resources[sort]);
      const cached = known.get(sort);
      if (cached?.revision === revision) return cached.hooks;
      const hooks = store.list(resources[sort]).flatMap(({ object }) => {
        const { metadata, webhooks } = object as MutatingWebhookConfiguration | ValidatingWebhookConfiguration;
        return (webhooks ?? []).map((spec): Hook => ({ sort, id: `${sort}/${metadata.name}/${spec.name}`, spec }));
      });
      known.set(sort, { revision, hooks });
      return hooks;
    },
  };
}
