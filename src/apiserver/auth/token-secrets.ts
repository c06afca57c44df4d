import type { Secret, ServiceAccount } from "../../api/core/types.gen.ts";
import type { RequestUser } from "../../api/meta/definition.ts";
import { isApiError } from "../../api/meta/errors.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { copyJson } from "../registry/json.ts";
import type { Registry } from "../registry/registry.ts";
import { update } from "../registry/update.ts";
import { tokenIssuer, type ServiceAccountTokens } from "./service-account-tokens.ts";

const type = "kubernetes.io/service-account-token";
const nameAnnotation = "kubernetes.io/service-account.name";
const uidAnnotation = "kubernetes.io/service-account.uid";
/** These tokens last until their Secret or account goes; ten years stand for that. */
const lifetimeSeconds = 10 * 365 * 24 * 3600;

interface TokenSecretDeps {
  readonly registry: Registry;
  readonly tokens: ServiceAccountTokens;
  readonly user: RequestUser;
  readonly log: Logger;
}

/** Fills Secrets that ask for an account's token by type and annotation, shortly after they are written. */
export function fillTokenSecrets(deps: TokenSecretDeps): () => void {
  const consider = (secret: Secret): void => {
    if (secret.type !== type || secret.data?.["token"]) return;
    setImmediate(() => {
      fill(deps, secret).catch((error: unknown) => deps.log.error("filling a token secret failed", { err: error }));
    });
  };
  for (const { object } of deps.registry.store.list("/secrets")) consider(object as Secret);
  return deps.registry.store.subscribe("/secrets", ({ type: change, entry }) => {
    if (change !== "deleted") consider(entry.object as Secret);
  });
}

async function fill({ registry, tokens, user }: TokenSecretDeps, secret: Secret): Promise<void> {
  const { name, namespace = "", uid = "", annotations } = secret.metadata;
  const key = `${namespace}/${annotations?.[nameAnnotation] ?? ""}`;
  const account = registry.store.get("/serviceaccounts", key)?.object as ServiceAccount | undefined;
  const served = registry.catalog.find("", "v1", "secrets");
  if (!account || !served) return;
  const boundTo = { kind: "Secret", name, uid } as const;
  const subject = { namespace, account, audiences: [tokenIssuer], expirationSeconds: lifetimeSeconds, boundTo };
  const { token } = await tokens.issue(subject);
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const data = {
    ...secret.data,
    token: base64(token),
    namespace: base64(namespace),
    "ca.crt": base64(registry.caCertificate),
  };
  const metadata = { ...secret.metadata, annotations: { ...annotations, [uidAnnotation]: account.metadata.uid ?? "" } };
  const caller = {
    user,
    manager: "token-controller",
    dryRun: false,
    fieldValidation: "Ignore",
    warn: () => undefined,
  } as const;
  try {
    update(registry, { served, namespace, name }, copyJson({ ...secret, metadata, data }), caller);
  } catch (error) {
    // Gone or changed meanwhile: the change that did it has been considered on its own.
    if (!isApiError(error) || (error.code !== 404 && error.code !== 409)) throw error;
  }
}
