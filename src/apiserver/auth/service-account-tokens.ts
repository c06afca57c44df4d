import { createHash, createPrivateKey, createPublicKey, randomUUID, type KeyObject } from "node:crypto";
import type { Pod, ServiceAccount } from "../../api/core/types.gen.ts";
import type { RequestUser } from "../../api/meta/definition.ts";
import type { Store } from "../storage/store.ts";
import { authenticated } from "./authenticate.ts";

/** `iss` of our tokens, and the audience of tokens that name none: what in-cluster clients expect of an API server. */
export const tokenIssuer = "https://kubernetes.default.svc";

/** Tokens whose signature has been checked are remembered until they expire, this many at most. */
const maxRemembered = 1000;
const leewaySeconds = 60;

export interface TokenSubject {
  readonly namespace: string;
  readonly account: ServiceAccount;
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
  /** The object whose deletion ends the token early. */
  readonly boundTo?: { readonly kind: "Pod" | "Secret" | "Node"; readonly name: string; readonly uid: string };
}

interface BoundReference {
  readonly name: string;
  readonly uid: string;
}

/** The private claim of ServiceAccount tokens (pkg/serviceaccount/claims.go). */
interface KubernetesClaim {
  readonly namespace: string;
  readonly serviceaccount: BoundReference;
  readonly pod?: BoundReference;
  readonly secret?: BoundReference;
  readonly node?: BoundReference;
}

interface Claims {
  readonly aud?: string | string[] | undefined;
  readonly exp?: number | undefined;
  readonly jti?: string | undefined;
  readonly "kubernetes.io"?: KubernetesClaim;
}

export interface VerifiedToken {
  readonly user: RequestUser;
  readonly audiences: readonly string[];
}

/** Issues and checks ServiceAccount tokens: ES256 JWTs bound to the account, and to a pod when asked. */
export interface ServiceAccountTokens {
  issue(subject: TokenSubject): Promise<{ readonly token: string; readonly expirationTimeMs: number }>;
  /** The account of a token that is ours, in time, for one of these audiences and whose account and pod still exist. */
  verify(token: string, audiences?: readonly string[]): Promise<VerifiedToken | undefined>;
  /** The public keys as a JSON Web Key Set. */
  keySet(): object;
}

/** `privateKey` is a P-256 key in PEM. jose is loaded when the first token comes by. */
export function createServiceAccountTokens(
  privateKey: string,
  { store, now }: { readonly store: Store; readonly now: () => number },
): ServiceAccountTokens {
  const key = createPrivateKey(privateKey);
  const publicKey = createPublicKey(key);
  const kid = createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("base64url");
  const remembered = new Map<string, Claims>();
  return {
    issue: (subject) => issue(subject, { key, kid, now: now() }),
    keySet: () => ({ keys: [{ ...publicKey.export({ format: "jwk" }), use: "sig", alg: "ES256", kid }] }),
    verify: async (token, audiences = [tokenIssuer]) => {
      const claims = remembered.get(token) ?? (await checkedClaims(token, publicKey, now()));
      if (!claims) return undefined;
      if (remembered.size >= maxRemembered) remembered.clear();
      remembered.set(token, claims);
      if (claims.exp !== undefined && now() / 1000 > claims.exp + leewaySeconds) return undefined;
      const matching = [claims.aud ?? []].flat().filter((audience) => audiences.includes(audience));
      const user = matching.length > 0 ? liveUser(store, claims) : undefined;
      return user && { user, audiences: matching };
    },
  };
}

interface Signing {
  readonly key: KeyObject;
  readonly kid: string;
  readonly now: number;
}

async function issue(
  { namespace, account, audiences, expirationSeconds, boundTo }: TokenSubject,
  { key, kid, now }: Signing,
): Promise<{ token: string; expirationTimeMs: number }> {
  const { SignJWT } = await import("jose");
  const { name, uid = "" } = account.metadata;
  const claim: KubernetesClaim = {
    namespace,
    serviceaccount: { name, uid },
    ...(boundTo ? { [boundTo.kind.toLowerCase()]: { name: boundTo.name, uid: boundTo.uid } } : {}),
  };
  const seconds = Math.floor(now / 1000);
  const token = await new SignJWT({ "kubernetes.io": claim })
    .setProtectedHeader({ alg: "ES256", kid })
    .setIssuer(tokenIssuer)
    .setSubject(`system:serviceaccount:${namespace}:${name}`)
    .setAudience([...audiences])
    .setIssuedAt(seconds)
    .setNotBefore(seconds)
    .setExpirationTime(seconds + expirationSeconds)
    .setJti(randomUUID())
    .sign(key);
  return { token, expirationTimeMs: (seconds + expirationSeconds) * 1000 };
}

/** Claims of a token we signed and that is in time; undefined for any other, which may be no JWT at all. */
async function checkedClaims(token: string, publicKey: KeyObject, now: number): Promise<Claims | undefined> {
  const { jwtVerify, errors } = await import("jose");
  try {
    const { payload } = await jwtVerify(token, publicKey, {
      issuer: tokenIssuer,
      algorithms: ["ES256"],
      clockTolerance: leewaySeconds,
      currentDate: new Date(now),
    });
    return payload as Claims;
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}

/** The user behind claims, if the account and what the token is bound to are still the ones it was issued for. */
function liveUser(store: Store, claims: Claims): RequestUser | undefined {
  const claim = claims["kubernetes.io"];
  if (!claim) return undefined;
  const { namespace, serviceaccount, pod, secret, node } = claim;
  const uidOf = (resource: string, key: string): string | undefined => store.get(resource, key)?.object.metadata.uid;
  if (uidOf("/serviceaccounts", `${namespace}/${serviceaccount.name}`) !== serviceaccount.uid) return undefined;
  if (secret && uidOf("/secrets", `${namespace}/${secret.name}`) !== secret.uid) return undefined;
  if (node && !pod && uidOf("/nodes", node.name) !== node.uid) return undefined;
  if (pod && !isLivePod(store.get("/pods", `${namespace}/${pod.name}`)?.object as Pod | undefined, pod.uid))
    return undefined;
  return authenticated({
    name: `system:serviceaccount:${namespace}:${serviceaccount.name}`,
    uid: serviceaccount.uid,
    groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`],
    extra: {
      ...(claims.jti ? { "authentication.kubernetes.io/credential-id": [`JTI=${claims.jti}`] } : {}),
      ...(pod
        ? {
            "authentication.kubernetes.io/pod-name": [pod.name],
            "authentication.kubernetes.io/pod-uid": [pod.uid],
          }
        : {}),
    },
  });
}

const isLivePod = (pod: Pod | undefined, uid: string): boolean =>
  pod !== undefined && pod.metadata.uid === uid && pod.metadata.deletionTimestamp === undefined;
