/** EventPolicy: who its senders are, by the names in their tokens (eventing pkg/reconciler/eventpolicy). */
import { EventPolicyKind } from "../../api/eventing/kinds.ts";
import type { AuthStatus } from "../../api/eventing/types-duck.gen.ts";
import type { EventPolicy, EventPolicyFromReference } from "../../api/eventing/types.gen.ts";
import type { Kind } from "../../api/meta/kind.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import { isFalse, isTrue, isUnknown, nextConditions, type Verdict } from "../../api/serving/conditions.ts";
import type { ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import { selfKey, watching } from "../../client/keys.ts";
import { ownFacts, whenChanged } from "../serving/when-changed.ts";
import { observing, writeStatus } from "../serving/write.ts";
import type { EventingDeps } from "./deps.ts";
import { featuresNow, watchFeatures } from "./features.ts";
import { askAgainMs, observedOf } from "./status-parts.ts";

const conditions = ["AuthenticationEnabled", "SubjectsResolved"] as const;

export function eventPolicyController(deps: EventingDeps): ControllerSpec {
  const policies = deps.informers.of(EventPolicyKind);
  return {
    name: "eventing-event-policy",
    watches: [watching(EventPolicyKind, whenChanged(ownFacts, selfKey)), watchFeatures(policies)],
    async reconcile(key) {
      const policy = policies.get(key);
      if (!policy || policy.metadata.deletionTimestamp) return;
      return observing(deps, EventPolicyKind, policy, () => reconcilePolicy(deps, policy));
    },
  };
}

async function reconcilePolicy(deps: EventingDeps, policy: EventPolicy): Promise<ReconcileResult | void> {
  const isOn = featuresNow(deps).authenticationOidc;
  const found = isOn ? subjectsOf(deps, policy) : { subjects: [], missing: [] };
  const verdicts = {
    AuthenticationEnabled: isOn ? isTrue : isFalse("OIDCAuthenticationDisabled", "authentication-oidc is not enabled"),
    SubjectsResolved: isOn ? resolvedVerdict(found) : isUnknown("OIDCAuthenticationDisabled", ""),
  };
  const set = { dependents: conditions, info: [] };
  await writeStatus(deps, EventPolicyKind, policy, {
    ...observedOf(policy),
    conditions: nextConditions(set, policy.status?.conditions, verdicts, deps.clock.now()),
    ...(found.subjects.length > 0 ? { from: found.subjects } : {}),
  });
  // What it names is of any kind, and not watched.
  if (isOn && policy.spec.from?.some(({ ref }) => ref))
    return { requeueAfterMs: found.missing.length > 0 ? askAgainMs : settledMs };
}

const settledMs = 30_000;

interface Found {
  readonly subjects: readonly string[];
  readonly missing: readonly string[];
}

const resolvedVerdict = ({ missing }: Found): Verdict =>
  missing.length === 0 ? isTrue : isFalse("SubjectsNotResolved", missing.join("; "));

function subjectsOf(deps: EventingDeps, { spec, metadata }: EventPolicy): Found {
  const subjects: string[] = [];
  const missing: string[] = [];
  for (const { ref, sub } of spec.from ?? []) {
    if (sub) subjects.push(sub);
    else if (ref) {
      const found = accountsOf(deps, ref, ref.namespace ?? metadata.namespace ?? "");
      if (typeof found === "string") missing.push(found);
      else subjects.push(...found);
    }
  }
  return { subjects, missing };
}

interface Sending extends KubeObject {
  readonly status?: { readonly auth?: AuthStatus };
}

/** The accounts as which an object sends; why they are not known otherwise. */
function accountsOf(
  { informers, served }: EventingDeps,
  { apiVersion = "", kind: kindName = "", name = "" }: EventPolicyFromReference,
  namespace: string,
): readonly string[] | string {
  const kind = served.find(apiVersion, kindName) as Kind<Sending> | undefined;
  if (!kind) return `no kind ${kindName} of ${apiVersion} is served here`;
  const object = informers.of(kind).get(`${namespace}/${name}`);
  if (!object) return `${kindName} "${name}" not found in namespace "${namespace}"`;
  const { serviceAccountName, serviceAccountNames = [] } = object.status?.auth ?? {};
  const names = [...serviceAccountNames, ...(serviceAccountName ? [serviceAccountName] : [])];
  if (names.length === 0) return `${kindName} "${name}" has no status.auth yet`;
  return names.map((account) => `system:serviceaccount:${namespace}:${account}`);
}
