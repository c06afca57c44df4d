/** The Secret with a token by which programs of a SinkBinding send (eventing pkg/reconciler/sinkbinding). */
import type { SenderIdentity } from "../../api/eventing/access.ts";
import { SecretKind } from "../../api/core/kinds.ts";
import type { Secret } from "../../api/core/types.gen.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import { controllerReference, isControlledBy } from "../../api/meta/owner.ts";
import { parseTime } from "../../api/meta/time.ts";
import { childName } from "../../api/serving/child-name.ts";
import { isFalse, isTrue, type Verdict } from "../../api/serving/conditions.ts";
import { SinkBindingKind } from "../../api/sources/kinds.ts";
import type { SinkBinding } from "../../api/sources/types.gen.ts";
import { createOrGet } from "../serving/write.ts";
import type { EventingDeps } from "./deps.ts";

export interface HandedToken {
  /** OIDCTokenSecretCreated. */
  readonly verdict: Verdict;
  /** Name of the Secret. */
  readonly secret?: string;
  readonly renewInMs?: number;
}

const renewAtAnnotation = "events.ebb.dev/renew-at";
const audienceAnnotation = "events.ebb.dev/audience";
/** Of a token's time; kubelets bring the new one into running pods within two minutes. */
const renewAfter = 0.6;

/** Makes the Secret, or a new token in it when the old one's time is over. */
export async function keepToken(
  deps: Pick<EventingDeps, "client" | "clock" | "issueToken">,
  binding: SinkBinding,
  { audience, as }: { readonly audience: string | undefined; readonly as: SenderIdentity | undefined },
): Promise<HandedToken> {
  if (audience === undefined || as === undefined)
    return { verdict: { status: "True", reason: "authentication-oidc feature disabled", message: "" } };
  if (!deps.issueToken) {
    const message = "tokens are not handed to programs here: send to a sink without an audience";
    return { verdict: isFalse("NotServed", message) };
  }
  const now = deps.clock.now();
  const name = childName(binding.metadata.name, "-oidc-token");
  const known = await read(deps, as.namespace, name);
  if (known && !isControlledBy(known, binding))
    return { verdict: isFalse("NotOwned", `a Secret "${name}" is there that is not this binding's`) };
  const { annotations = {} } = known?.metadata ?? {};
  const renewAtMs = parseTime(annotations[renewAtAnnotation] ?? "") ?? 0;
  if (known && annotations[audienceAnnotation] === audience && now < renewAtMs)
    return { verdict: isTrue, secret: name, renewInMs: renewAtMs - now };
  const { token, expiresAtMs } = await deps.issueToken(as, audience);
  const nextMs = now + Math.floor((expiresAtMs - now) * renewAfter);
  const draft = {
    metadata: {
      name,
      namespace: as.namespace,
      annotations: { [renewAtAnnotation]: new Date(nextMs).toISOString(), [audienceAnnotation]: audience },
      ownerReferences: [controllerReference(SinkBindingKind, binding)],
    },
    type: "Opaque",
    data: { token: Buffer.from(token).toString("base64") },
  };
  if (known)
    await deps.client.update(SecretKind, { ...known, ...draft, metadata: { ...known.metadata, ...draft.metadata } });
  else await createOrGet(deps.client, SecretKind, draft);
  return { verdict: isTrue, secret: name, renewInMs: nextMs - now };
}

async function read(
  { client }: Pick<EventingDeps, "client">,
  namespace: string,
  name: string,
): Promise<Secret | undefined> {
  try {
    return await client.get(SecretKind, { namespace, name });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
