/** The ServiceAccounts as which sources, Triggers and the like send (eventing pkg/auth/serviceaccount.go). */
import type { SenderIdentity } from "../../api/eventing/access.ts";
import { ServiceAccountKind } from "../../api/core/kinds.ts";
import type { EventTarget } from "../../api/eventing/engine.ts";
import type { AuthStatus } from "../../api/eventing/types-duck.gen.ts";
import type { Kind } from "../../api/meta/kind.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import { controllerReference, isControlledBy } from "../../api/meta/owner.ts";
import { childName } from "../../api/serving/child-name.ts";
import { isFalse, isTrue, type Verdict } from "../../api/serving/conditions.ts";
import { createOrGet } from "../serving/write.ts";
import type { EventingDeps } from "./deps.ts";
import { featuresNow } from "./features.ts";

export interface Identity {
  /** OIDCIdentityCreated. */
  readonly verdict: Verdict;
  readonly status: { readonly auth?: AuthStatus };
  /** Absent while authentication is off. */
  readonly as?: SenderIdentity;
}

const label = "eventing.knative.dev/oidc";

/** Makes the account where it is missing. */
export async function identityOf<T extends KubeObject>(
  deps: Pick<EventingDeps, "client" | "informers">,
  kind: Kind<T>,
  object: T,
): Promise<Identity> {
  if (!featuresNow(deps).authenticationOidc) return { verdict: withoutAuthentication, status: {} };
  const { namespace = "" } = object.metadata;
  const name = accountName(kind, object);
  const metadata = {
    name,
    namespace,
    labels: { [label]: "enabled" },
    annotations: { description: `Service Account for OIDC Authentication for ${kind.kind} "${object.metadata.name}"` },
    ownerReferences: [controllerReference(kind, object)],
  };
  const known = deps.informers.of(ServiceAccountKind).get(`${namespace}/${name}`);
  const account = known ?? (await createOrGet(deps.client, ServiceAccountKind, { metadata }));
  if (!isControlledBy(account, object)) {
    const message = `a ServiceAccount "${name}" is there that is not this ${kind.kind}'s`;
    return { verdict: isFalse("Unable to resolve service account for OIDC authentication", message), status: {} };
  }
  return { verdict: isTrue, status: { auth: { serviceAccountName: name } }, as: { namespace, name } };
}

const accountName = ({ group, kind }: Kind, { metadata }: KubeObject): string =>
  childName(metadata.name, `-oidc-${group}-${kind}`).toLowerCase();

/** As whom an object sends; undefined while authentication is off. */
export function senderOf(
  deps: Pick<EventingDeps, "informers">,
  kind: Kind,
  object: KubeObject,
): SenderIdentity | undefined {
  if (!featuresNow(deps).authenticationOidc) return undefined;
  return { namespace: object.metadata.namespace ?? "", name: accountName(kind, object) };
}

/** The target, sent to as somebody. */
export const sentBy = <T extends EventTarget | undefined>(target: T, as: SenderIdentity | undefined): T =>
  target && as ? { ...target, as } : target;

const withoutAuthentication: Verdict = {
  status: "True",
  reason: "authentication-oidc feature disabled",
  message: "",
};
